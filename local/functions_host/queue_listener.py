"""Queue triggers: read a queue, run the function, settle the message.

Follows QueueListener, QueueProcessor and UpdateQueueMessageVisibilityCommand of the storage extension
(https://github.com/Azure/azure-sdk-for-net, sdk/storage/Microsoft.Azure.WebJobs.Extensions.Storage.Common).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

from local.functions_host.host_json import QueueOptions
from local.functions_host.outputs import send
from local.functions_host.polling import Backoff
from local.functions_host.queue_messages import decode

LEASE_SECONDS = 600
FASTEST_RENEWAL_SECONDS = 0.5

logger = logging.getLogger(__name__)


def is_lost(error: AzureError) -> bool:
    """Tell whether the message now belongs to somebody else or to nobody."""
    return isinstance(error, ResourceNotFoundError) or getattr(error, "error_code", None) == "PopReceiptMismatch"


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

    async def listen(self) -> None:
        """Read until stopped; returns when the functions that still ran are done, too."""
        while not self._stopping.is_set():
            messages = await self._receive()
            if self._stopping.is_set():
                await self._give_back(messages)
            elif messages:
                self._backoff.reset()
                self._start(messages)
                await self._wait_for_room()
            else:
                await self._wait(self._backoff.next_delay())
        if self._running:
            await asyncio.wait(self._running)

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
            return ()

    def _receive_batch(self) -> Sequence[QueueMessage]:
        pages = self._queue.receive_messages(
            messages_per_page=self._options.batch_size,
            visibility_timeout=self._lease_seconds,
            retry_total=0,  # the listener has its own delays
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

    async def _give_back(self, messages: Sequence[QueueMessage]) -> None:
        for message in messages:
            with suppress(AzureError):  # it comes back when its lease ends
                await self._release(message, 0)

    async def _process(self, message: QueueMessage) -> None:
        try:
            await self._process_leased(message)
        except AzureError as error:
            # The message comes back when its lease ends.
            logger.warning("The message %s cannot be settled: %s", message.id, brief(error))

    async def _process_leased(self, message: QueueMessage) -> None:
        if (message.dequeue_count or 0) > self._options.max_dequeue_count:
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
        usual = delay = self._lease_seconds / 2
        while not await _is_set_within(done, delay):
            try:
                await asyncio.to_thread(self._renew, message)
                delay = usual
            except AzureError as error:
                logger.warning("The lease of message %s was not renewed: %s", message.id, brief(error))
                if is_lost(error):
                    return
                delay = max(delay / 2, FASTEST_RENEWAL_SECONDS)

    def _renew(self, message: QueueMessage) -> None:
        renewed = self._queue.update_message(
            message.id, message.pop_receipt, visibility_timeout=self._lease_seconds, retry_total=0
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
