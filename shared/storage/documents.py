"""Documents with ETags in the state container; layout.py has their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import BlobChangedError, BlobExistsError, BlobMissingError, StorageUnavailableError
from shared.model.documents import Document

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.storage.interfaces import Blobs

REPLACE_TRIES = 8


@dataclass(frozen=True, kw_only=True)
class Versioned[D: Document]:
    """A document and the version it was read at."""

    document: D
    etag: str


class Store:
    """Documents in the state container."""

    def __init__(self, blobs: Blobs) -> None:
        self.blobs = blobs

    def get[D: Document](self, name: str, kind: type[D]) -> Versioned[D]:
        """Read a document. Raises BlobMissingError."""
        blob = self.blobs.get(name)
        return Versioned(document=kind.model_validate_json(blob.data), etag=blob.etag)

    def find[D: Document](self, name: str, kind: type[D]) -> Versioned[D] | None:
        """Read a document; None where there is none."""
        try:
            return self.get(name, kind)
        except BlobMissingError:
            return None

    def create(self, name: str, document: Document) -> str:
        """Write a new document; its ETag. Raises BlobExistsError."""
        return self.blobs.create(name, serialize(document))

    def create_or_get[D: Document](self, name: str, document: D) -> D:
        """Write a document unless somebody was faster; the one that counts."""
        try:
            self.create(name, document)
        except BlobExistsError:
            return self.get(name, type(document)).document
        return document

    def replace(self, name: str, document: Document, *, etag: str) -> str:
        """Overwrite version `etag`; the new ETag. Raises BlobChangedError."""
        return self.blobs.replace(name, serialize(document), etag=etag)

    def upsert(self, name: str, document: Document) -> str:
        """Write a document whether or not it exists; its ETag."""
        return self.blobs.upsert(name, serialize(document))

    def update[D: Document](self, name: str, kind: type[D], change: Callable[[D], D]) -> D:
        """Replace a document by what `change` makes of it, again when somebody else was faster.

        `change` may be called several times. Raises BlobMissingError, and StorageUnavailableError when the
        document never stands still.
        """
        for _ in range(REPLACE_TRIES):
            found = self.get(name, kind)
            changed = change(found.document)
            if changed == found.document:
                return changed
            try:
                self.replace(name, changed, etag=found.etag)
            except BlobChangedError:
                continue
            return changed
        raise StorageUnavailableError(f"{name} changes all the time")


def serialize(document: Document) -> bytes:
    """The JSON that rests in the store."""
    return document.model_dump_json(exclude_none=True).encode()
