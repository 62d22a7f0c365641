from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.errors import ConflictError
from shared.storage.bounded import BoundedBlobs
from tests.support.in_memory_app import Clock
from tests.support.memory_storage import MemoryBlobs

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS: dict[str, Callable[[BoundedBlobs], object]] = {
    "get": lambda blobs: blobs.get("a"),
    "get_range": lambda blobs: blobs.get_range("a", offset=0, length=10, etag=blobs.list_level().blobs[0].etag),
    "list_blobs": lambda blobs: blobs.list_blobs(),
    "list_level": lambda blobs: blobs.list_level(),
}


def bounded(*, size: int = 100, seconds: float = 60) -> BoundedBlobs:
    blobs = MemoryBlobs(Clock())
    blobs.create("a", b"0123456789")
    return BoundedBlobs(blobs, size=size, seconds=seconds, advice="Ask for less.")


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_nothing_is_read_when_the_time_is_over(call: Callable[[BoundedBlobs], object]) -> None:
    with pytest.raises(ConflictError, match=r"too long .* Ask for less"):
        call(bounded(seconds=-1))


@pytest.mark.parametrize("call", [CALLS["get"], CALLS["get_range"]], ids=["get", "get_range"])
def test_no_more_is_read_than_the_bound(call: Callable[[BoundedBlobs], object]) -> None:
    blobs = bounded(size=25)
    call(blobs)
    call(blobs)
    with pytest.raises(ConflictError, match=r"more to read .* Ask for less"):
        call(blobs)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_within_its_bounds_it_is_the_storage(call: Callable[[BoundedBlobs], object]) -> None:
    call(bounded())
