import asyncio
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseTimeoutError,
)
from azure.storage.queue import QueueClient, QueueMessage

from local.functions_host.errors import HostEndError
from local.functions_host.host_json import QueueOptions
from local.functions_host.queue_listener import QueueListener

if TYPE_CHECKING:
    from collections.abc import Callable


def message(content: str = "aGVsbG8=", dequeue_count: int = 1) -> QueueMessage:
    made = QueueMessage(content=content, dequeue_count=dequeue_count)
    made.id, made.pop_receipt = "m1", "p1"
    return made


def mismatch() -> HttpResponseError:
    error = HttpResponseError("taken")
    error.error_code = "PopReceiptMismatch"  # type: ignore[attr-defined]  # as the storage SDK does
    return error


def answered(status: int) -> HttpResponseError:
    error = HttpResponseError(f"answered {status}")
    error.status_code = status
    return error


class FakeQueue:
    """A queue that gives out what it was made with: one page or fault for each read."""

    queue_name = "work"
    url = "https://a/work"

    def __init__(self, *reads: list[QueueMessage] | Exception) -> None:
        self.reads = list(reads)
        self.events: list[str] = []
        self.update_faults: list[Exception] = []
        self.delete_faults: list[Exception] = []
        self.update_seconds = 0.0
        self.when_empty: Callable[[], None] = lambda: None

    def receive_messages(self, **_options: object) -> SimpleNamespace:
        if not self.reads:
            self.when_empty()
            return SimpleNamespace(by_page=lambda: iter([]))
        found = self.reads.pop(0)
        if isinstance(found, Exception):
            raise found
        return SimpleNamespace(by_page=lambda: iter([found]))

    def update_message(self, _id: str, pop_receipt: str, **options: Any) -> SimpleNamespace:  # noqa: ANN401  # as the SDK
        self.events.append(f"update {pop_receipt} {options['visibility_timeout']}")
        if self.update_faults:
            raise self.update_faults.pop(0)
        time.sleep(self.update_seconds)
        return SimpleNamespace(pop_receipt=f"p{int(pop_receipt[1:]) + 1}")

    def delete_message(self, _id: str, pop_receipt: str) -> None:
        self.events.append(f"delete {pop_receipt}")
        if self.delete_faults:
            raise self.delete_faults.pop(0)

    def send_message(self, content: str) -> None:
        self.events.append(f"send {content}")


async def succeed(_message: QueueMessage, _body: bytes) -> bool:
    return True


def listen(
    queue: FakeQueue,
    *,
    poison: FakeQueue | None = None,
    succeeds: bool = True,
    updates: int = 0,
    seconds: float = 0,
    options: dict[str, object] | None = None,
    lease_seconds: float = 600,
) -> list[bytes]:
    """Let a listener read the queue until it is empty; return the bodies that the function got.

    The function runs until the queue has seen so many updates, and then for so many seconds.
    """
    bodies = []

    async def run(_message: QueueMessage, body: bytes) -> bool:
        bodies.append(body)
        while len(queue.events) < updates:  # noqa: ASYNC110  # the queue is called on other threads
            await asyncio.sleep(0.01)
        await asyncio.sleep(seconds)
        return succeeds

    async def main() -> None:
        listener = QueueListener(
            queue=cast("QueueClient", queue),
            poison_queue=cast("QueueClient | None", poison),
            options=QueueOptions.model_validate({"maxPollingInterval": "00:00:00.1"} | (options or {})),
            run=run,
            lease_seconds=cast("int", lease_seconds),
        )
        loop = asyncio.get_running_loop()

        def stop() -> None:
            loop.call_soon_threadsafe(listener.stop)

        queue.when_empty = stop
        await listener.listen()

    asyncio.run(main())
    return bodies


@pytest.mark.parametrize(
    "fault",
    [answered(500), answered(503), ResourceNotFoundError("no queue"), ServiceResponseTimeoutError("silent")],
)
def test_a_fault_of_the_storage_itself_does_not_end_the_host(fault: Exception) -> None:
    assert listen(FakeQueue(fault, fault, [message()])) == [b"hello"]


@pytest.mark.parametrize("fault", [answered(403), answered(429), ServiceRequestError("reset")])
def test_storage_that_refuses_a_get_ends_the_host(fault: Exception) -> None:
    with pytest.raises(HostEndError) as end:
        listen(FakeQueue(fault, [message()]))
    assert end.value.code == HostEndError.STORAGE


@pytest.mark.parametrize("status", [403, 500, 503])
@pytest.mark.parametrize("succeeds", [True, False])
def test_a_message_that_cannot_be_settled_ends_the_host(status: int, *, succeeds: bool) -> None:
    queue = FakeQueue([message()])
    queue.update_faults = [answered(status)]
    queue.delete_faults = [answered(status)]
    with pytest.raises(HostEndError):
        listen(queue, poison=FakeQueue(), succeeds=succeeds)


def test_there_is_no_maximum_on_a_poison_queue() -> None:
    assert listen(FakeQueue([message(dequeue_count=99)])) == [b"hello"]


def test_success_deletes_the_message() -> None:
    queue = FakeQueue([message()])
    listen(queue)
    assert queue.events == ["delete p1"]


def test_failure_makes_the_message_visible_after_the_visibility_timeout() -> None:
    queue = FakeQueue([message()])
    listen(queue, poison=FakeQueue(), succeeds=False, options={"visibilityTimeout": "00:00:30"})
    assert queue.events == ["update p1 30"]


def test_the_last_failure_moves_the_message_to_the_poison_queue() -> None:
    queue, poison = FakeQueue([message(dequeue_count=5)]), FakeQueue()
    listen(queue, poison=poison, succeeds=False)
    assert (poison.events, queue.events) == (["send aGVsbG8="], ["delete p1"])


def test_a_message_taken_too_often_already_is_moved_without_a_call() -> None:
    queue, poison = FakeQueue([message(dequeue_count=6)]), FakeQueue()
    assert listen(queue, poison=poison) == []
    assert (poison.events, queue.events) == (["send aGVsbG8="], ["delete p1"])


def test_without_a_poison_queue_a_failing_message_is_left_invisible() -> None:
    queue = FakeQueue([message(dequeue_count=5)], [message("not base64!")])
    listen(queue, succeeds=False)
    assert queue.events == []


def test_a_message_is_settled_with_the_receipt_of_the_last_renewal() -> None:
    queue = FakeQueue([message()])
    listen(queue, updates=2, lease_seconds=0.2)
    assert queue.events[-1] == f"delete p{len(queue.events)}"


def test_settling_waits_for_a_renewal_under_way() -> None:
    queue = FakeQueue([message()])
    queue.update_seconds = 0.3
    listen(queue, updates=1, lease_seconds=0.2)
    assert queue.events == ["update p1 0.2", "delete p2"]


def test_a_renewal_that_fails_ends_the_host() -> None:
    queue = FakeQueue([message()])
    queue.update_faults = [answered(503)]
    with pytest.raises(HostEndError):
        listen(queue, updates=2, lease_seconds=0.2)


@pytest.mark.parametrize("fault", [mismatch(), ResourceNotFoundError("gone")])
def test_a_lease_that_somebody_else_has_is_not_renewed_again(fault: Exception) -> None:
    queue = FakeQueue([message()])
    queue.update_faults = [fault]
    listen(queue, updates=1, seconds=0.7, lease_seconds=0.2)
    assert queue.events == ["update p1 0.2", "delete p1"]


def test_a_listener_that_is_woken_looks_at_once() -> None:
    queue = FakeQueue()
    reads = []

    async def main() -> None:
        options = QueueOptions.model_validate({"maxPollingInterval": "01:00:00"})
        listener = QueueListener(
            queue=cast("QueueClient", queue),
            poison_queue=None,
            options=options,
            run=succeed,
        )
        loop = asyncio.get_running_loop()

        def count() -> None:
            reads.append(1)
            loop.call_soon_threadsafe(listener.wake if len(reads) < 30 else listener.stop)

        queue.when_empty = count
        await listener.listen()

    asyncio.run(main())
    assert len(reads) == 30


def test_messages_that_arrive_after_the_stop_stay_hidden() -> None:
    queue = FakeQueue([message(), message()])

    async def main() -> None:
        listener = QueueListener(
            queue=cast("QueueClient", queue),
            poison_queue=None,
            options=QueueOptions(),
            run=succeed,
        )
        listening = asyncio.create_task(listener.listen())
        await asyncio.sleep(0)
        listener.stop()
        await listening

    asyncio.run(main())
    assert queue.events == []
