from collections.abc import Iterator
from pathlib import Path

import pytest

from local.functions_host.errors import HostEndError
from tests.integration.functions_host.support import (
    APPS,
    PATIENCE_SECONDS,
    Azurite,
    Queue,
    RunningHost,
    running_azurite,
    running_host,
)


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[tuple[Azurite, RunningHost]]:
    """Return an Azurite that is gone, and a host that was reading from it."""
    with running_azurite() as azurite:
        Queue.named("work", azurite.connection_string).create().send("before")
        running = running_host(APPS / "queues", tmp_path / "log", QUEUE="work", Storage=azurite.connection_string)
        host = running.__enter__()
        host.wait_for("done")
    yield azurite, host
    running.__exit__(None, None, None)


def test_a_listener_survives_a_short_restart_of_the_storage(stopped: tuple[Azurite, RunningHost]) -> None:
    azurite, host = stopped
    with running_azurite(**azurite.ports):
        Queue.named("work", azurite.connection_string).create().send("after")
        host.wait_for("done", times=2)


def test_storage_that_is_gone_for_good_ends_the_host(stopped: tuple[Azurite, RunningHost]) -> None:
    _, host = stopped
    assert host.process.wait(PATIENCE_SECONDS) == HostEndError.STORAGE
    assert "Host is shutting down" in host.log()
