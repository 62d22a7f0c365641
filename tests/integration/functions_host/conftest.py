import itertools
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.integration.functions_host.support import (
    APPS,
    Azurite,
    Queue,
    RunningHost,
    running_azurite,
    running_host,
)


class StartHost(Protocol):
    def __call__(self, app: str, *arguments: str, **settings: str) -> RunningHost: ...


class NewQueue(Protocol):
    def __call__(self, suffix: str = "") -> Queue: ...


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Return a running Azurite, one for all tests; each has queues of its own."""
    with running_azurite() as running:
        yield running


@pytest.fixture
def start_host(azurite: Azurite, tmp_path: Path) -> Iterator[StartHost]:
    """Return a function that runs one of the sample apps until the test is done."""
    numbers = itertools.count()
    with ExitStack() as stack:

        def start(app: str, *arguments: str, **settings: str) -> RunningHost:
            log_file = tmp_path / f"{next(numbers)}.log"
            host = running_host(APPS / app, log_file, *arguments, **(azurite.settings | settings))
            return stack.enter_context(host)

        yield start


@pytest.fixture
def new_queue(azurite: Azurite) -> NewQueue:
    """Return a function that names a queue nobody else has; it does not exist yet."""

    def name(suffix: str = "") -> Queue:
        return Queue.named(f"q{uuid.uuid4().hex[:12]}{suffix}", azurite.connection_string)

    return name


@pytest.fixture
def queue(new_queue: NewQueue) -> Queue:
    """Return an empty queue."""
    return new_queue().create()
