import signal
from pathlib import Path

import httpx
import pytest

from tests.integration.functions_host.conftest import StartHost
from tests.integration.functions_host.support import Queue


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_host_with_exit_code_0(start_host: StartHost, queue: Queue, number: int) -> None:
    assert start_host("queues", QUEUE=queue.name).stop(number) == 0


def test_the_ready_line_is_all_there_is_on_standard_output(start_host: StartHost, queue: Queue) -> None:
    host = start_host("queues", QUEUE=queue.name)
    queue.send("on paper")
    host.wait_for("printed on paper")
    host.stop()
    assert host.process.stdout is not None
    assert host.process.stdout.read() == ""


def test_a_function_that_runs_is_let_finish_and_its_message_is_deleted(
    start_host: StartHost, queue: Queue, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    host = start_host("queues", QUEUE=queue.name, GATE=str(gate))
    queue.send({"hold": 1})
    host.wait_for("holding")
    host.process.send_signal(signal.SIGTERM)
    gate.touch()
    assert host.process.wait() == 0
    assert queue.count() == 0


def test_a_function_that_never_ends_is_abandoned_and_its_message_kept(
    start_host: StartHost, queue: Queue, tmp_path: Path
) -> None:
    host = start_host("queues", "--grace-seconds=1", QUEUE=queue.name, GATE=str(tmp_path / "gate"))
    queue.send({"hold": 1})
    host.wait_for("holding")
    assert host.stop() == 0
    assert "are abandoned" in host.log()
    assert queue.count() == 1


def test_a_drained_host_takes_no_more_messages_and_lets_what_runs_go_on(
    start_host: StartHost, queue: Queue, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    host = start_host("queues", "--master-key=m", QUEUE=queue.name, GATE=str(gate))
    queue.send({"hold": 1})
    host.wait_for("holding")
    with httpx.Client(base_url=host.url, trust_env=False) as client:
        assert client.post("/admin/host/drain").status_code == 401
        assert client.post("/admin/host/drain", headers={"x-functions-key": "m"}).status_code == 202
        status = client.get("/admin/host/status", headers={"x-functions-key": "m"}).json()
        assert status == {"state": "Running", "isDraining": True}
        assert client.get("/admin/host/ping").status_code == 200
        queue.send("left alone")
        gate.touch()
        host.wait_for("done")
        assert client.get("/admin/host/ping").status_code == 200
    assert "left alone" not in host.log()
    assert queue.count() == 1


def test_a_function_that_is_disabled_says_why(start_host: StartHost) -> None:
    host = start_host("queues", "--master-key=m")
    headers = {"x-functions-key": "m"}
    found = httpx.get(f"{host.url}/admin/functions/take/status", headers=headers, trust_env=False).json()
    assert found["isDisabled"]
    assert "QUEUE is not set" in found["errors"][0]
