"""A container that gives so many bytes in so many seconds and no more, for those who wait on a thread."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from shared.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from shared.storage.interfaces import Blob, BlobItem, Level, ReadableBlobs


class BoundedBlobs:
    """The same blobs. Everything that reads raises ConflictError once a bound is reached.

    Args:
        blobs: What is read.
        size: Most bytes of contents.
        seconds: How long, from now.
        advice: What to ask for instead, as a sentence.
    """

    def __init__(self, blobs: ReadableBlobs, *, size: int, seconds: float, advice: str) -> None:
        self._blobs = blobs
        self._left = size
        self._end = time.monotonic() + seconds
        self._advice = advice
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The time by the clock that tells when blobs were changed."""
        self._require_time()
        return self._blobs.now()

    def list_blobs(self, prefix: str = "") -> Iterator[BlobItem]:
        """Blobs whose name starts with `prefix`, by name."""
        self._require_time()
        return self._blobs.list_blobs(prefix)

    def list_level(self, prefix: str = "") -> Level:
        """Folders and blobs whose names start with `prefix` and have no further slash behind it."""
        self._require_time()
        return self._blobs.list_level(prefix)

    def get(self, name: str) -> Blob:
        """The whole blob. Raises BlobMissingError."""
        self._require_time()
        blob = self._blobs.get(name)
        self._count(len(blob.data))
        return blob

    def get_range(self, name: str, *, offset: int, length: int, etag: str) -> bytes:
        """At most `length` bytes from `offset`. Raises BlobChangedError."""
        self._require_time()
        data = self._blobs.get_range(name, offset=offset, length=length, etag=etag)
        self._count(len(data))
        return data

    def _require_time(self) -> None:
        if time.monotonic() > self._end:
            raise ConflictError(f"Reading takes too long for an answer. {self._advice}")

    def _count(self, size: int) -> None:
        with self._lock:
            self._left -= size
        if self._left < 0:
            raise ConflictError(f"There is more to read than an answer may take. {self._advice}")
