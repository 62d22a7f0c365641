"""A folder on disk as a container of blobs, to be read only."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.errors import BlobChangedError, BlobMissingError
from shared.storage.interfaces import Blob, BlobItem, Level

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class FolderBlobs:
    """The files below a folder, by their paths from there."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def now(self) -> datetime:
        """The time by the clock that tells when files were changed."""
        return datetime.now(UTC)

    def list_blobs(self, prefix: str = "") -> Iterator[BlobItem]:
        """Files whose name starts with `prefix`, by name."""
        found = sorted(path.relative_to(self._root).as_posix() for path in self._root.rglob("*") if path.is_file())
        return (self._item(name) for name in found if name.startswith(prefix))

    def list_level(self, prefix: str = "") -> Level:
        """Folders and files whose names start with `prefix` and have no further slash behind it."""
        parent, _, begins = prefix.rpartition("/")
        folder = self._root / parent
        if not folder.is_dir():
            return Level(folders=(), blobs=())
        start = f"{parent}/" if parent else ""
        entries = [entry for entry in os.scandir(folder) if entry.name.startswith(begins)]
        entries.sort(key=lambda entry: entry.name)
        return Level(
            folders=tuple(start + entry.name for entry in entries if entry.is_dir()),
            blobs=tuple(self._item(start + entry.name) for entry in entries if entry.is_file()),
        )

    def get(self, name: str) -> Blob:
        """The whole file. Raises BlobMissingError."""
        path = self._root / name
        if not path.is_file():
            raise BlobMissingError(name)
        return Blob(data=path.read_bytes(), etag=self._item(name).etag)

    def get_range(self, name: str, *, offset: int, length: int, etag: str) -> bytes:
        """At most `length` bytes from `offset`. Raises BlobChangedError when the file was changed or is gone."""
        path = self._root / name
        if not path.is_file() or self._item(name).etag != etag:
            raise BlobChangedError(name)
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(length)

    def _item(self, name: str) -> BlobItem:
        about = (self._root / name).stat()
        modified = datetime.fromtimestamp(about.st_mtime, UTC)
        return BlobItem(
            name=name, size=about.st_size, etag=f"{about.st_mtime_ns:x}-{about.st_size:x}", modified=modified
        )
