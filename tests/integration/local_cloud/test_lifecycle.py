"""The cloud leaves nothing behind, however it ends."""

import json
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from local.azure import azurite
from local.azure.processes import PROJECT_ROOT, ProcessError, base_environment
from local.cloud import LocalCloud
from tests.integration.local_cloud.support import ports, wait_until_closed


def test_everything_listens_on_a_port_of_its_own(cloud: LocalCloud) -> None:
    for port in ports(cloud):
        socket.create_connection(("127.0.0.1", port)).close()
    assert len(ports(cloud)) == len(["identity", "vault", "entra", "proxy", "blob", "queue", "table", "simulator"])


def test_nothing_is_left_when_the_cloud_is_left(tmp_path: Path) -> None:
    threads = set(threading.enumerate())
    with LocalCloud(tmp_path) as own:
        listening = ports(own)
    for port in listening:
        wait_until_closed(port)
    assert set(threading.enumerate()) <= threads


def test_nothing_is_left_after_an_exception(tmp_path: Path) -> None:
    listening: set[int] = set()

    def fail() -> None:
        with LocalCloud(tmp_path) as own:
            listening.update(ports(own))
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    for port in listening:
        wait_until_closed(port)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_after_a_signal(tmp_path: Path, end: signal.Signals) -> None:
    module = "tests.integration.local_cloud.orchestrator"
    with subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", module, str(tmp_path)],
        cwd=PROJECT_ROOT,
        env=base_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as orchestrator:
        assert orchestrator.stdout is not None
        listening = json.loads(orchestrator.stdout.readline())
        orchestrator.send_signal(end)
    for port in listening:
        wait_until_closed(port)


def test_a_missing_azurite_is_told_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azurite, "SCRIPT", tmp_path / "missing.js")
    with (
        pytest.raises(ProcessError, match=r"^Azurite is not installed: run `make install`\.$"),
        LocalCloud(tmp_path),
    ):
        pytest.fail("It cannot start.")
