"""Queue triggers: read a queue, run the function, settle the message.

Follows QueueListener, QueueProcessor and UpdateQueueMessageVisibilityCommand of the storage extension
(https://github.com/Azure/azure-sdk-for-net, sdk/storage/Microsoft.Azure.WebJobs.Extensions.Storage.Common). What
storage refuses ends the host: a get with 403, with 429 or a broken connection after six tries; whatever settles or
renews a message after six tries, with 403 at once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from http.client import FORBIDDEN, TOO_MANY_REQUESTS
from typing import Any

from azure.core.exceptions import (
    AzureError,
    ResourceNotFoundError,
    ServiceRequestTimeoutError,
    ServiceResponseTimeoutError,
)
from azure.storage.queue import QueueClient, QueueMessage

from local.functions_host.errors import HostEndError
from local.functions_host.host_json import QueueOptions
from local.functions_host.outputs import send
from local.functions_host.polling import Backoff
from local.functions_host.queue_messages import decode

LEASE_SECONDS = 600

logger = logging.getLogger(__name__)


def is_lost(error: AzureError) -> bool:
    """Tell whether the message now belongs to somebody else or to nobody."""
    return isinstance(error, ResourceNotFoundError) or getattr(error, "error_code", None) == "PopReceiptMismatch"


def is_unanswered(error: AzureError) -> bool:
    """Tell whether the service took the request and was silent for too long."""
    return isinstance(error, ServiceRequestTimeoutError | ServiceResponseTimeoutError)


def ends_host(error: AzureError, *, is_get: bool) -> bool:
    """Tell whether the real host does not survive what is left after all tries.

    A get that fails with a fault of the service's own is made again later; everything else ends the host.
    """
    if not is_get:
        return True
    status = getattr(error, "status_code", None)
    return status in {FORBIDDEN, TOO_MANY_REQUESTS} or (status is None and not is_unanswered(error))


def brief(error: Exception) -> str:
    """Return the kind of an error and the first line of its text."""
    return f"{type(error).__name__}: {str(error).partition('\n')[0]}"


class QueueListener:
    """Reads one queue for one function."""

    def __init__(
        self,
        *,
        queue: QueueClient,
        poison_queue: QueueClient | None,
        options: QueueOptions,
        run: Callable[[QueueMessage, bytes], Awaitable[bool]],
        lease_seconds: int = LEASE_SECONDS,
        on_sent: Callable[[str], None] = lambda _address: None,
    ) -> None:
        """Take the queue and what to do with a message; ``run`` tells whether the function succeeded."""
        self.address = queue.url
        self._queue = queue
        self._poison_queue = poison_queue
        self._options = options
        self._run = run
        self._lease_seconds = lease_seconds
        self._on_sent = on_sent
        self._backoff = Backoff(options.max_polling_interval.total_seconds())
        self._running: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._reason: HostEndError | None = None

    async def listen(self) -> None:
        """Read until stopped; returns when the functions that still ran are done, too."""
        while not self._stopping.is_set():
            messages = await self._until_ended(self._receive())
            if self._stopping.is_set():
                break  # what was got at this moment stays hidden until its lease ends, as there
            if messages:
                self._backoff.reset()
                self._start(messages)
                await self._until_ended(self._wait_for_room())
            else:
                await self._until_ended(self._wait(self._backoff.next_delay()))
        await self._until_ended(self._drain())
        if self._reason is not None:
            raise self._reason

    async def _drain(self) -> None:
        while self._running:
            await asyncio.wait(self._running)

    async def _until_ended[T](self, work: Coroutine[Any, Any, T]) -> T:
        """What the work gives. Raises HostEndError as soon as the host must end."""
        task, ended = asyncio.create_task(work), asyncio.create_task(self._ended.wait())
        ended.add_done_callback(lambda _: task.cancel() if self._ended.is_set() else None)
        try:
            return await task
        except asyncio.CancelledError:
            if self._reason is not None:
                raise self._reason from None
            raise
        finally:
            ended.cancel()

    def _end(self, error: AzureError) -> None:
        self._reason = self._reason or HostEndError(brief(error), HostEndError.STORAGE)
        self._ended.set()

    def wake(self) -> None:
        """Look again at once, because a message was sent from here."""
        self._woken.set()

    def stop(self) -> None:
        """Take no more messages."""
        self._stopping.set()
        self.wake()

    async def _receive(self) -> Sequence[QueueMessage]:
        try:
            return await asyncio.to_thread(self._receive_batch)
        except ResourceNotFoundError:
            # The listener waits for a missing queue; only output bindings and poison messages create one.
            return ()
        except AzureError as error:
            logger.warning("The queue %s cannot be read: %s", self._queue.queue_name, brief(error))
            if ends_host(error, is_get=True):
                raise HostEndError(brief(error), HostEndError.STORAGE) from error
            return ()

    def _receive_batch(self) -> Sequence[QueueMessage]:
        pages = self._queue.receive_messages(
            messages_per_page=self._options.batch_size,
            visibility_timeout=self._lease_seconds,
        ).by_page()
        return list(next(pages, ()))

    def _start(self, messages: Sequence[QueueMessage]) -> None:
        for message in messages:
            task = asyncio.create_task(self._process(message))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _wait_for_room(self) -> None:
        while len(self._running) > self._options.new_batch_threshold:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()

    async def _process(self, message: QueueMessage) -> None:
        try:
            await self._process_leased(message)
        except AzureError as error:
            # The message comes back when its lease ends.
            logger.warning("The message %s cannot be settled: %s", message.id, brief(error))
            self._end(error)

    async def _process_leased(self, message: QueueMessage) -> None:
        is_spent = (message.dequeue_count or 0) > self._options.max_dequeue_count
        if is_spent and self._poison_queue is not None:
            await self._move_to_poison_queue(message)
            return
        try:
            body = decode(message.content or "", self._options.message_encoding)
        except ValueError:
            logger.warning("The message %s is not base64", message.id)
            await self._move_to_poison_queue(message)
            return
        succeeded = await self._run_leased(message, body)
        await self._settle(message, succeeded=succeeded)

    async def _run_leased(self, message: QueueMessage, body: bytes) -> bool:
        done = asyncio.Event()
        renewal = asyncio.create_task(self._renew_until(done, message))
        try:
            return await self._run(message, body)
        finally:
            # Not cancelled: a renewal under way changes the pop receipt that settling needs.
            done.set()
            await renewal

    async def _renew_until(self, done: asyncio.Event, message: QueueMessage) -> None:
        while not await _is_set_within(done, self._lease_seconds / 2):
            try:
                await asyncio.to_thread(self._renew, message)
            except AzureError as error:
                logger.warning("The lease of message %s was not renewed: %s", message.id, brief(error))
                if not is_lost(error):
                    self._end(error)
                return

    def _renew(self, message: QueueMessage) -> None:
        renewed = self._queue.update_message(
            message.id, message.pop_receipt, visibility_timeout=self._lease_seconds
        )
        message.pop_receipt = renewed.pop_receipt

    async def _settle(self, message: QueueMessage, *, succeeded: bool) -> None:
        if succeeded:
            await self._delete(message)
        elif self._poison_queue is None:
            # Left invisible for the rest of its lease, so that it does not fail again at once, without end.
            return
        elif (message.dequeue_count or 0) >= self._options.max_dequeue_count:
            await self._move_to_poison_queue(message)
        else:
            await self._release(message, int(self._options.visibility_timeout.total_seconds()))

    async def _move_to_poison_queue(self, message: QueueMessage) -> None:
        if self._poison_queue is None:
            return
        logger.warning("The message %s goes to the queue %s", message.id, self._poison_queue.queue_name)
        await asyncio.to_thread(send, self._poison_queue, message.content)
        self._on_sent(self._poison_queue.url)
        await self._delete(message)

    async def _release(self, message: QueueMessage, delay_seconds: int) -> None:
        try:
            await asyncio.to_thread(
                self._queue.update_message, message.id, message.pop_receipt, visibility_timeout=delay_seconds
            )
        except AzureError as error:
            if not is_lost(error):
                raise

    async def _delete(self, message: QueueMessage) -> None:
        try:
            await asyncio.to_thread(self._queue.delete_message, message.id, message.pop_receipt)
        except AzureError as error:
            if not is_lost(error):
                raise
            logger.warning("The message %s was taken over by somebody else", message.id)


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
