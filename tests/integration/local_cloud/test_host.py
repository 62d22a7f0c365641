from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from local.azure.processes import ProcessError
from local.cloud import Host, LocalCloud
from tests.integration.local_cloud.support import wait_until_closed

SAMPLE_APP = Path(__file__).with_name("sample_app")


@pytest.fixture
def host(cloud: LocalCloud, account: str) -> Iterator[Host]:
    started = cloud.start_host(account, app=SAMPLE_APP, lease_seconds=5, UNIT="characters")
    yield started
    started.stop()


def test_the_app_uses_its_identity_and_its_settings(cloud: LocalCloud, host: Host) -> None:
    cloud.vault.set_secret("five-letters", "12345")
    with host.client() as client:
        answer = client.get("/api/length", params={"secret": "five-letters"})
    assert answer.text == "characters: 5"


def test_a_request_without_the_key_is_unauthorized(host: Host) -> None:
    answer = httpx.get(f"{host.url}/api/length", trust_env=False)
    assert answer.status_code == 401


@pytest.mark.parametrize("end", [Host.stop, Host.kill])
def test_a_host_that_was_ended_listens_no_more(host: Host, end: Callable[[Host], None]) -> None:
    end(host)
    wait_until_closed(int(host.url.rpartition(":")[2]))


def test_a_host_that_cannot_start_says_why(cloud: LocalCloud, account: str, tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match=r"^host-\d+ ended with status 1\.\n.*host\.json"):
        cloud.start_host(account, app=tmp_path)
