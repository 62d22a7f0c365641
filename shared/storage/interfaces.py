"""What the domain asks of storage: blobs with ETags, and queues with delays.

`shared.azure_storage` does it with Azure; the tests have one in memory, held to the same contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class BlobItem:
    """A blob as a listing shows it."""

    name: str
    size: int
    """Bytes."""
    etag: str
    modified: datetime
    is_folder: bool = False
    """Stands for a folder of a hierarchical namespace, and holds nothing."""


@dataclass(frozen=True, kw_only=True)
class Level:
    """What lies directly below a prefix."""

    folders: tuple[str, ...]
    """Whole names without the slash at their end, by name."""
    blobs: tuple[BlobItem, ...]
    """By name, without those that stand for folders."""


@dataclass(frozen=True, kw_only=True)
class Blob:
    """A blob's content and version; `repr` hides the content."""

    data: bytes
    etag: str

    def __repr__(self) -> str:
        """Size and version only: blobs hold people's data."""
        return f"Blob({len(self.data)} bytes, etag={self.etag})"


class ReadableBlobs(Protocol):
    """One container, to read only. Every method may raise TransientError."""

    def now(self) -> datetime:
        """The time by the clock that tells when blobs were changed."""

    def list_blobs(self, prefix: str = "") -> Iterator[BlobItem]:
        """Blobs whose name starts with `prefix`, by name."""

    def list_level(self, prefix: str = "") -> Level:
        """Folders and blobs whose names start with `prefix` and have no further slash behind it."""

    def get(self, name: str) -> Blob:
        """The whole blob. Raises BlobMissingError."""

    def get_range(self, name: str, *, offset: int, length: int, etag: str) -> bytes:
        """At most `length` bytes from `offset`; fewer only at the end of the blob.

        Raises BlobChangedError when the blob is no longer version `etag`, also when it is gone.
        """


class Blobs(ReadableBlobs, Protocol):
    """One container. Every method may raise TransientError."""

    def create(self, name: str, data: bytes) -> str:
        """Write a new blob; its ETag. Raises BlobExistsError."""

    def replace(self, name: str, data: bytes, *, etag: str) -> str:
        """Overwrite version `etag`; the new ETag. Raises BlobChangedError, also when the blob is gone."""

    def upsert(self, name: str, data: bytes) -> str:
        """Write the blob whether or not it exists; its ETag."""

    def delete(self, name: str, *, etag: str | None = None) -> None:
        """Remove the blob; nothing happens when it is gone. With `etag` raises BlobChangedError."""


class AppendBlobs(Protocol):
    """One container of blobs that only grow: nothing in it can be changed or removed through this.

    So it works in a container with a retention policy that allows protected append writes. Every method may raise
    TransientError.
    """

    def list_blobs(self, prefix: str = "") -> Iterator[BlobItem]:
        """Blobs whose name starts with `prefix`, by name."""

    def list_level(self, prefix: str = "") -> Level:
        """Folders and blobs whose names start with `prefix` and have no further slash behind it."""

    def create_growing(self, name: str) -> None:
        """Make a new, empty blob. Raises BlobExistsError, and BlobMissingError where there is no container."""

    def append(self, name: str, data: bytes, *, offset: int) -> None:
        """Add `data`, at most 4 MiB, behind the first `offset` bytes; again is as good as once.

        For blobs with one writer: whoever got no answer may ask again, and nothing is there twice. Raises
        BlobChangedError where the blob ends elsewhere and has other bytes there, and BlobMissingError.
        """

    def read_grown(self, name: str, *, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset`, however much was added meanwhile. Raises BlobMissingError."""


class Queues(Protocol):
    """All queues of the app. Every method may raise TransientError."""

    def send(self, queue: str, body: str, *, delay: float = 0) -> None:
        """Put a message on `queue` that becomes visible after `delay` seconds (7 days at most)."""
