import re
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.functions_host.conftest import NewQueue, StartHost
from tests.integration.functions_host.support import APPS, Azurite, Queue, RunningHost, running_host, wait_until


@dataclass(frozen=True)
class Work:
    """A running host and the queue that it reads."""

    host: RunningHost
    queue: Queue
    poison: Queue

    def dequeue_counts(self, body: str) -> list[int]:
        return [got["dequeue_count"] for got in self.host.reports("got") if got["body"] == body]


@pytest.fixture(scope="module")
def work(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    """Return a host for the tests that do not mind each other's messages."""
    queue, poison = (Queue.named(name, azurite.connection_string) for name in ("work", "work-poison"))
    queue.create()
    log_file = tmp_path_factory.mktemp("work") / "log"
    with running_host(APPS / "queues", log_file, QUEUE=queue.name, **azurite.settings) as host:
        yield Work(host, queue, poison)


def test_a_message_reaches_the_function_with_its_metadata(work: Work) -> None:
    work.queue.send("hello")
    work.host.wait_for('done {"body": "hello"')
    (got,) = (got for got in work.host.reports("got") if got["body"] == "hello")
    assert got["dequeue_count"] == 1
    assert got["id"]
    assert got["pop_receipt"]
    assert got["inserted"] < got["next_visible"] < got["expires"]


def test_a_log_record_is_time_level_logger_and_message(work: Work) -> None:
    work.queue.send("for the log")
    work.host.wait_for('done {"body": "for the log"')
    pattern = r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO sample done {"body": "for the log"'
    assert re.search(pattern, work.host.log(), re.MULTILINE)


def test_what_the_app_prints_goes_to_standard_error(work: Work) -> None:
    work.queue.send("on paper")
    work.host.wait_for("printed on paper")


def test_a_message_is_deleted_when_the_function_succeeds(work: Work) -> None:
    work.queue.send("hello again")
    work.host.wait_for('done {"body": "hello again"')
    work.queue.wait_until_empty()


def test_a_message_that_keeps_failing_is_moved_to_the_poison_queue(work: Work) -> None:
    work.queue.send({"fail": 1})
    wait_until(lambda: '{"fail": 1}' in work.poison.contents(), "the poison message")
    assert work.dequeue_counts('{"fail": 1}') == [1, 2, 3]
    work.queue.wait_until_empty()


def test_a_failure_is_logged_with_its_traceback(work: Work) -> None:
    work.queue.send({"fail": 2})
    work.host.wait_for("Executed 'Functions.take' (Failed")
    work.host.wait_for("ValueError: the secret word is bumblebee")


def test_a_message_that_is_not_base64_is_moved_as_it_is_without_a_call(work: Work) -> None:
    work.queue.client.send_message("not base64!")
    wait_until(lambda: "not base64!" in work.poison.visible(), "the poison message")
    work.queue.wait_until_empty()
    assert work.dequeue_counts("not base64!") == []


def test_a_message_that_is_not_utf_8_fails_as_often_as_any_other(work: Work) -> None:
    text = b64encode(b"\xff").decode()
    work.queue.client.send_message(text)
    wait_until(lambda: text in work.poison.visible(), "the poison message")
    assert work.host.log().count("is not UTF-8") == 3


def test_the_hosts_own_requests_to_the_storage_are_not_logged(work: Work) -> None:
    work.queue.send("quietly")
    work.host.wait_for('done {"body": "quietly"')
    assert "Request URL" not in work.host.log()


def test_a_failing_message_of_a_poison_queue_stays_where_it_is(
    start_host: StartHost, new_queue: NewQueue, azurite: Azurite
) -> None:
    queue = new_queue("-poison").create()
    host = start_host("queues", "--message-lease-seconds=1", QUEUE=queue.name)
    queue.send({"fail": 1})
    host.wait_for("Executed 'Functions.take' (Failed", times=2)
    assert queue.count() == 1
    assert not Queue.named(f"{queue.name}-poison", azurite.connection_string).exists()


def test_a_lease_is_renewed_while_the_function_runs(start_host: StartHost, queue: Queue) -> None:
    host = start_host("queues", "--message-lease-seconds=1", QUEUE=queue.name)
    queue.send({"sleep": 2.5})
    queue.wait_until_empty()
    assert [got["dequeue_count"] for got in host.reports("got")] == [1]


def test_a_killed_hosts_message_comes_back_when_its_lease_ends(
    start_host: StartHost, queue: Queue, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    arguments = ("queues", "--message-lease-seconds=1")
    first = start_host(*arguments, QUEUE=queue.name, GATE=str(gate))
    queue.send({"hold": 1})
    first.wait_for("holding")
    first.process.kill()
    gate.touch()
    second = start_host(*arguments, QUEUE=queue.name, GATE=str(gate))
    second.wait_for("done")
    assert [got["dequeue_count"] for got in second.reports("got")] == [2]


def test_no_more_run_at_once_than_batch_size_and_new_batch_threshold_add_up_to(
    start_host: StartHost, queue: Queue, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    for order in ("one to make room", *[{"hold": 1}] * 7):
        queue.send(order)
    host = start_host("queues", QUEUE=queue.name, GATE=str(gate), PYTHON_THREADPOOL_THREAD_COUNT="10")
    host.wait_for('"running": 3')
    time.sleep(0.5)
    gate.touch()
    host.wait_for("done", times=8)
    assert max(held["running"] for held in host.reports("holding")) == 3


def test_the_thread_count_setting_bounds_synchronous_functions(
    start_host: StartHost, queue: Queue, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    for _ in range(2):
        queue.send({"hold": 1})
    host = start_host("queues", QUEUE=queue.name, GATE=str(gate), PYTHON_THREADPOOL_THREAD_COUNT="1")
    host.wait_for("Executing", times=2)
    time.sleep(0.3)
    gate.touch()
    host.wait_for("done", times=2)
    assert max(held["running"] for held in host.reports("holding")) == 1


def test_a_missing_queue_is_waited_for_and_not_created(start_host: StartHost, new_queue: NewQueue) -> None:
    queue = new_queue()
    host = start_host("queues", QUEUE=queue.name)
    time.sleep(0.5)
    assert not queue.exists()
    queue.create().send("at last")
    host.wait_for("done")
