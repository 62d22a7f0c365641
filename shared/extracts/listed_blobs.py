"""A container whose folders are listed once each, for whoever asks for all of them again and again."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final, cast

from shared.storage.interfaces import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from shared.storage.interfaces import Blob, BlobItem, ReadableBlobs

NOTHING: Final = Level(folders=(), blobs=())
KEPT_BYTES: Final = 16 << 20
"""Size of the blobs of which is kept what was read in them; in memory that is twenty times as much at most."""
LAST: Final = "\U0010ffff"
"""Sorts behind every other character."""


class ListedBlobs:
    """The same blobs, as they were when their folder was first looked at; contents are always read anew.

    A folder that is not in the listing of the one above it is not asked for.
    """

    def __init__(self, blobs: ReadableBlobs) -> None:
        self._blobs = blobs
        self._levels: dict[str, Level] = {}
        self._kept: dict[str, object] = {}
        self._room = KEPT_BYTES

    def now(self) -> datetime:
        """The time by the clock that tells when blobs were changed; asked for each time."""
        return self._blobs.now()

    def list_blobs(self, prefix: str = "") -> Iterator[BlobItem]:
        """Blobs whose name starts with `prefix`, by name; asked for each time."""
        return self._blobs.list_blobs(prefix)

    def list_level(self, prefix: str = "") -> Level:
        """Folders and blobs whose names start with `prefix` and have no further slash behind it."""
        level = self._level(prefix[: prefix.rfind("/") + 1])
        if prefix.endswith("/") or not prefix:
            return level
        return Level(
            folders=tuple(_beginning(level.folders, prefix, str)),
            blobs=tuple(_beginning(level.blobs, prefix, lambda item: item.name)),
        )

    def get(self, name: str) -> Blob:
        """The whole blob. Raises BlobMissingError."""
        return self._blobs.get(name)

    def get_range(self, name: str, *, offset: int, length: int, etag: str) -> bytes:
        """At most `length` bytes from `offset`. Raises BlobChangedError."""
        return self._blobs.get_range(name, offset=offset, length=length, etag=etag)

    def keep[T](self, item: BlobItem, read: Callable[[], T]) -> T:
        """What `read` gives of a blob; it is read once only, as long as there is room for it."""
        if item.name in self._kept:
            return cast("T", self._kept[item.name])
        found = read()
        if item.size <= self._room:
            self._room -= item.size
            self._kept[item.name] = found
        return found

    def _level(self, folder: str) -> Level:
        """What lies directly in a folder, which is empty or ends with a slash."""
        known = self._levels.get(folder)
        if known is None:
            above = self._levels.get(folder[: folder.rfind("/", 0, -1) + 1]) if folder else None
            is_there = above is None or bool(_beginning(above.folders, folder[:-1], str))
            known = self._levels[folder] = self._blobs.list_level(folder) if is_there else NOTHING
        return known


def _beginning[T](items: Sequence[T], prefix: str, name: Callable[[T], str]) -> Sequence[T]:
    """Those of items in order whose names begin with `prefix`."""
    return items[bisect_left(items, prefix, key=name) : bisect_left(items, prefix + LAST, key=name)]
