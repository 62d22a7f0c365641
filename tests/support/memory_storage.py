"""Storage in memory, held to the same contract as Azure's by tests/integration/storage."""

from __future__ import annotations

import heapq
import itertools
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from shared.errors import BlobChangedError, BlobExistsError, BlobMissingError
from shared.storage.interfaces import Blob, BlobItem, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class _Stored:
    data: bytes
    etag: str
    modified: datetime
    is_folder: bool = False


class MemoryBlobs:
    """One container."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._stored: dict[str, _Stored] = {}
        self._etags = itertools.count(1)
        self._lock = threading.RLock()

    def now(self) -> datetime:
        return self._clock().replace(microsecond=0)  # as storage tells it

    def list_blobs(self, prefix: str = "") -> Iterator[BlobItem]:
        with self._lock:
            found = sorted(item for item in self._stored.items() if item[0].startswith(prefix))
        for name, stored in found:
            yield BlobItem(
                name=name,
                size=len(stored.data),
                etag=stored.etag,
                modified=stored.modified,
                is_folder=stored.is_folder,
            )

    def list_level(self, prefix: str = "") -> Level:
        items = list(self.list_blobs(prefix))
        below = {item.name: item.name[len(prefix) :].partition("/") for item in items}
        folders = {prefix + first for first, slash, _ in below.values() if slash}
        direct = [item for item in items if not below[item.name][1]]
        folders |= {item.name for item in direct if item.is_folder}
        return Level(folders=tuple(sorted(folders)), blobs=tuple(item for item in direct if not item.is_folder))

    def add_folder(self, name: str) -> None:
        """What a hierarchical namespace lists for a folder."""
        with self._lock:
            self.upsert(name, b"")
            self._stored[name] = replace(self._stored[name], is_folder=True)

    def get(self, name: str) -> Blob:
        stored = self._find(name)
        return Blob(data=stored.data, etag=stored.etag)

    def get_range(self, name: str, *, offset: int, length: int, etag: str) -> bytes:
        stored = self._stored.get(name)
        if stored is None or stored.etag != etag:
            raise BlobChangedError(name)
        return stored.data[offset : offset + length]

    def create(self, name: str, data: bytes) -> str:
        with self._lock:
            if name in self._stored:
                raise BlobExistsError(name)
            return self.upsert(name, data)

    def replace(self, name: str, data: bytes, *, etag: str) -> str:
        with self._lock:
            if name not in self._stored or self._stored[name].etag != etag:
                raise BlobChangedError(name)
            return self.upsert(name, data)

    def upsert(self, name: str, data: bytes) -> str:
        with self._lock:
            etag = f"0x{next(self._etags):X}"
            modified = self._clock().replace(microsecond=0)  # as storage tells it
            self._stored[name] = _Stored(data=data, etag=etag, modified=modified)
            return etag

    def delete(self, name: str, *, etag: str | None = None) -> None:
        with self._lock:
            if name not in self._stored:
                return
            if etag is not None and self._stored[name].etag != etag:
                raise BlobChangedError(name)
            del self._stored[name]

    def create_growing(self, name: str) -> None:
        self.create(name, b"")

    def append(self, name: str, data: bytes, *, offset: int) -> None:
        with self._lock:
            found = self._find(name).data
            if len(found) == offset:
                self.upsert(name, found + data)
            elif found[offset : offset + len(data)] != data:
                raise BlobChangedError(name)

    def read_grown(self, name: str, *, offset: int, length: int) -> bytes:
        return self._find(name).data[offset : offset + length]

    def _find(self, name: str) -> _Stored:
        try:
            return self._stored[name]
        except KeyError:
            raise BlobMissingError(name) from None


@dataclass(order=True, frozen=True)
class SentMessage:
    """A message on its way."""

    due: datetime
    number: int
    queue: str = field(compare=False)
    body: str = field(compare=False)


class MemoryQueues:
    """All queues; `next` takes the message that becomes visible first."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self.waiting: list[SentMessage] = []

    def send(self, queue: str, body: str, *, delay: float = 0) -> None:
        from datetime import timedelta

        due = self._clock() + timedelta(seconds=delay)
        heapq.heappush(self.waiting, SentMessage(due, next(self._numbers), queue, body))

    def take(self) -> SentMessage | None:
        return heapq.heappop(self.waiting) if self.waiting else None
