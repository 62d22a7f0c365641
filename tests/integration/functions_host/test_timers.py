import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from azure.storage.blob import BlobClient, ContainerClient

from tests.integration.functions_host.conftest import StartHost
from tests.integration.functions_host.support import APPS, Azurite, RunningHost, running_host, wait_until

YEARLY = "0 0 0 1 1 *"


@pytest.fixture
def name() -> str:
    """Return a name no other timer has."""
    return f"t{uuid.uuid4().hex}"


@pytest.fixture
def container(azurite: Azurite) -> ContainerClient:
    """Return the container of the hosts; it does not exist."""
    client = ContainerClient.from_connection_string(azurite.connection_string, "azure-webjobs-hosts")
    if client.exists():
        client.delete_container()
    return client


@pytest.fixture
def status(container: ContainerClient, name: str) -> BlobClient:
    """Return the blob in which the host remembers the timer; it does not exist."""
    return container.get_blob_client(f"timers/local/{name}/status")


def read(status: BlobClient) -> dict[str, str]:
    wait_until(status.exists, "the timer's status")
    return dict(json.loads(status.download_blob().readall()))


@pytest.fixture(scope="module")
def failing(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """Return a host whose timer fires every second, takes longer than that, and fails each time."""
    log_file = tmp_path_factory.mktemp("timers") / "log"
    settings = {"TIMER_NAME": "tick", "SCHEDULE": "* * * * * *", "SLEEP": "1.1", "FAIL": "oops"}
    with running_host(APPS / "timers", log_file, **azurite.settings, **settings) as host:
        yield host


def test_a_timer_fires_when_it_is_time(failing: RunningHost) -> None:
    failing.wait_for("start")
    assert failing.reports("start")[0] == {"past_due": False, "status": {}}


def test_a_failed_run_does_not_end_the_schedule(failing: RunningHost) -> None:
    failing.wait_for("Executed 'Functions.tick' (Failed", times=2)


def test_runs_of_a_timer_never_overlap(failing: RunningHost) -> None:
    failing.wait_for("sample end", times=2)
    events = [line.split(" sample ")[1].split()[0] for line in failing.log().splitlines() if " sample " in line]
    assert events[:4] == ["start", "end", "start", "end"]


def test_a_missed_occurrence_is_made_up_for_once_at_the_start(
    start_host: StartHost, name: str, container: ContainerClient, status: BlobClient
) -> None:
    container.create_container()
    missed = {"Last": "2019-12-31T00:00:00+00:00", "Next": "2020-01-01T00:00:00+00:00"}
    status.upload_blob(json.dumps(missed | {"LastUpdated": missed["Last"]}))
    host = start_host("timers", TIMER_NAME=name, SCHEDULE=YEARLY)
    host.wait_for("Executed")
    wait_until(lambda: read(status)["Next"] != missed["Next"], "the new status")
    assert [started["past_due"] for started in host.reports("start")] == [True]
    assert host.reports("start")[0]["status"]["Next"] == missed["Next"]
    assert datetime.fromisoformat(read(status)["Next"]) > datetime.now(UTC)


def test_a_timer_seen_for_the_first_time_is_remembered_and_not_run(
    start_host: StartHost, name: str, status: BlobClient
) -> None:
    host = start_host("timers", TIMER_NAME=name, SCHEDULE=YEARLY)
    assert read(status)["Last"].startswith("0001-01-01")
    assert host.reports("start") == []


def test_run_on_startup_runs_at_the_start(start_host: StartHost, name: str) -> None:
    host = start_host("timers", TIMER_NAME=name, SCHEDULE=YEARLY, RUN_ON_STARTUP="1")
    host.wait_for("Executed")
    assert [started["past_due"] for started in host.reports("start")] == [False]
