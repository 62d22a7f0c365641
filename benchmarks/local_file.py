"""A file of this machine as the planner reads blobs: by ranges."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self, cast
from uuid import UUID

from shared.extracts.extract import Extract, ExtractFile
from shared.model.members import Membership
from shared.model.runs import MembershipChange, ParquetBlob

if TYPE_CHECKING:
    from pathlib import Path

    from shared.storage.interfaces import Blobs


class LocalFile:
    """One file; of the methods of `Blobs` it has the one that the planner calls."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._descriptor = os.open(path, os.O_RDONLY)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def get_range(self, name: str, *, offset: int, length: int, etag: str) -> bytes:
        """At most `length` bytes from `offset`; fewer only at the end."""
        del name, etag  # there is one file, and nobody replaces it
        return os.pread(self._descriptor, length, offset)

    def as_blobs(self) -> Blobs:
        """The file for the planner."""
        return cast("Blobs", self)

    def membership(self) -> Membership:
        """The file as the members of an export."""
        size = os.fstat(self._descriptor).st_size
        return Membership(
            export_uid="reference",
            connection="reference",
            list_id=UUID(int=0),
            run="20260101T000000Z-reference",
            generation=ParquetBlob(blob=self._name, etag="1", size=size),
            change=MembershipChange(),
            mapping_digest="",
            sent_all_at=datetime(2026, 1, 1, tzinfo=UTC),
            noted_at=datetime(2026, 1, 1, tzinfo=UTC),
        )

    def extract(self) -> Extract:
        """The file as a delivery of its own."""
        size = os.fstat(self._descriptor).st_size
        return Extract(
            segment="reference",
            version="1",
            delivered_at=datetime(2026, 1, 1, tzinfo=UTC),
            files=(ExtractFile(name=self._name, size=size, etag="1"),),
            columns=None,
        )
