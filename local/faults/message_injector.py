"""Gets at the app's messages before the app does: doubles, delays and loses them."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

from local.faults.app_under_test import AppUnderTest
from shared.model.messages import QUEUES

MEDDLES: Final = 8
"""Most messages of a queue that he touches; his copies count, so that they do not grow without end."""
LATEST_SECONDS: Final = 3
HOLD_SECONDS: Final = 30
BATCH: Final = 8
PAUSE_SECONDS: Final = 0.03

type Trick = Callable[[random.Random, QueueClient, list[QueueMessage]], int]
"""Does something to messages and says how many there were harmed."""


def deliver_twice(_: random.Random, queue: QueueClient, messages: list[QueueMessage]) -> int:
    """Send each message again, so that two come at the same time."""
    for message in messages:
        for _copy in range(2):
            queue.send_message(message.content)
        queue.delete_message(message)
    return len(messages)


def deliver_late(chooser: random.Random, queue: QueueClient, messages: list[QueueMessage]) -> int:
    """Send each message again after a while, the last one first; now and then twice."""
    for message in reversed(messages):
        for _copy in range(chooser.choice((1, 1, 2))):
            queue.send_message(message.content, visibility_timeout=chooser.randrange(LATEST_SECONDS + 1))
        queue.delete_message(message)
    return len(messages)


def lose_one(_: random.Random, queue: QueueClient, messages: list[QueueMessage]) -> int:
    """Throw the first message away and let the others go their way, and all that come later."""
    first, *others = messages
    queue.delete_message(first)
    for message in others:
        queue.send_message(message.content)
        queue.delete_message(message)
    return MEDDLES


@contextmanager
def message_injector(app: AppUnderTest, chooser: random.Random, trick: Trick) -> Iterator[Counter[str]]:
    """Play the trick on all queues within the block; yields how many messages of each queue were harmed."""
    harmed: Counter[str] = Counter()
    stopping = threading.Event()

    def work() -> None:
        while not stopping.wait(PAUSE_SECONDS):
            for name in QUEUES:
                if harmed[name] < MEDDLES:
                    harmed[name] += _meddle(app.queue(name), chooser, trick)

    thread = threading.Thread(target=work, name="message-injector")
    thread.start()
    try:
        yield harmed
    finally:
        stopping.set()
        thread.join()


def _meddle(queue: QueueClient, chooser: random.Random, trick: Trick) -> int:
    try:
        pages = queue.receive_messages(messages_per_page=BATCH, visibility_timeout=HOLD_SECONDS).by_page()
        messages = list(next(pages, ()))
        return trick(chooser, queue, messages) if messages else 0
    except ResourceNotFoundError:
        return 0
    except AzureError:
        return 0
