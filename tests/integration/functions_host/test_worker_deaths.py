"""The worker is a process of its own: it dies, is replaced, and takes what it had in hand with it."""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from local.functions_host.errors import HostEndError
from tests.integration.functions_host.conftest import StartHost
from tests.integration.functions_host.support import (
    APPS,
    PATIENCE_SECONDS,
    Azurite,
    Queue,
    RunningHost,
    running_host,
    wait_until,
)


def workers_of(host: RunningHost) -> list[int]:
    """Return the processes that the host has started."""
    return [
        int(each)
        for each in Path(f"/proc/{host.process.pid}/task/{host.process.pid}/children").read_text().split()
    ]


def counts(host: RunningHost, body: str) -> list[int]:
    """Return the dequeue counts with which a message came."""
    return [about["dequeue_count"] for about in host.reports("got") if about["body"] == body]


@pytest.mark.parametrize("order", ["die", "exit"])
def test_a_dead_worker_is_replaced_and_its_message_comes_back(
    start_host: StartHost, queue: Queue, order: str
) -> None:
    host = start_host("queues", QUEUE=queue.name)
    queue.send({order: 1})
    host.wait_for("The worker's process ended", times=2)
    queue.send("still here")
    assert counts(host, json.dumps({order: 1}))[:2] == [1, 2]


def test_neighbours_die_with_it_and_come_back_with_a_higher_count(
    start_host: StartHost, queue: Queue, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    host = start_host("queues", QUEUE=queue.name, GATE=str(gate))
    queue.send({"hold": 1})
    host.wait_for("holding")
    (worker,) = workers_of(host)
    os.kill(worker, signal.SIGKILL)
    host.wait_for("holding", times=2)
    gate.touch()
    queue.wait_until_empty()
    assert counts(host, '{"hold": 1}') == [1, 2]


def test_the_third_death_ends_the_host(start_host: StartHost, queue: Queue) -> None:
    host = start_host("queues", QUEUE=queue.name)
    queue.send({"die": 1})
    assert host.process.wait(PATIENCE_SECONDS) == HostEndError.WORKER
    assert "Exceeded language worker restart retry count" in host.log()


def test_a_function_beyond_its_time_has_its_worker_replaced(
    azurite: Azurite, queue: Queue, tmp_path: Path
) -> None:
    app = Path(shutil.copytree(APPS / "queues", tmp_path / "app"))
    host_json = json.loads((app / "host.json").read_text())
    (app / "host.json").write_text(json.dumps(host_json | {"functionTimeout": "00:00:01"}))
    with running_host(app, tmp_path / "log", QUEUE=queue.name, **azurite.settings) as host:
        (first,) = workers_of(host)
        queue.send({"sleep": 600})
        host.wait_for("Timeout value of 1 s exceeded by function: take")
        wait_until(lambda: workers_of(host) not in ([], [first]), "another worker")
        assert "deaths in the last half an hour" not in host.log()


def test_a_worker_ends_with_its_host(start_host: StartHost, queue: Queue) -> None:
    host = start_host("queues", QUEUE=queue.name)
    (worker,) = workers_of(host)
    host.process.kill()
    wait_until(lambda: not Path(f"/proc/{worker}/stat").exists() or " Z " in _stat(worker), "the worker's end")


def _stat(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return " Z "
