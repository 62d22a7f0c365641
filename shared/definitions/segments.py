"""The segments that are there, each by its newest extract and the columns that a mapping can take from it."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from shared.errors import ExportError
from shared.extracts.discovery import LATE, list_extracts
from shared.limits import LISTING_MEMORY, LISTING_SECONDS
from shared.model.documents import Document
from shared.model.reasons import Reason
from shared.model.runs import ExtractSummary

if TYPE_CHECKING:
    from shared.extracts.discovery import Listed
    from shared.extracts.extract import Extract, ExtractFile
    from shared.planning.engine import Engine
    from shared.storage.interfaces import ReadableBlobs


class Segment(Document):
    """A segment, and what a run would read of it now."""

    segment: str
    extract: ExtractSummary | None
    """The newest complete one; None when that cannot be told."""
    problem: Reason | None
    """Why it cannot."""
    columns: tuple[str, ...] | None
    """As the first file by name that is not empty names them; None when they cannot be told."""
    columns_problem: str | None
    """Why they cannot, without anybody's data."""


def list_segments(blobs: ReadableBlobs, *, prefix: str = "", place: str | None = None) -> list[Segment]:
    """All segments found, by name; of one file of each the beginning is read, of Parquet the end, too.

    After LISTING_SECONDS the segments left are named only, with that as their problem.

    Args:
        blobs: where extracts lie.
        prefix: EXTRACT_PREFIX.
        place: account and container of the blobs, as `account/container`.

    Raises RunEndError when nothing is there but a model.json that cannot be read, or finding the names took too
    long, and TransientError when storage is away.
    """
    end = time.monotonic() + LISTING_SECONDS

    def is_late() -> bool:
        return time.monotonic() > end

    listed = list_extracts(blobs, prefix=prefix, place=place, is_late=is_late)
    with contextlib.closing(_Reader(blobs)) as reader:
        return [_describe(reader, each, is_late=is_late()) for each in listed]


def _describe(reader: _Reader, listed: Listed, *, is_late: bool) -> Segment:
    columns, problem = None, None
    if listed.extract:
        columns, problem = (None, LATE.message) if is_late else _columns(reader, listed.extract)
    return Segment(
        segment=listed.segment,
        extract=listed.extract.summary() if listed.extract else None,
        problem=listed.problem,
        columns=columns or None,
        columns_problem=problem,
    )


def _columns(reader: _Reader, extract: Extract) -> tuple[tuple[str, ...] | None, str | None]:
    """The columns, or why they cannot be told: one bad file must not hide the other segments."""
    for file in extract.files:
        try:
            names = reader.names(file) if file.size else None
        except ExportError as error:
            return None, str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about this file; its text may hold data
            return None, f"The file {file.name} cannot be read ({type(error).__name__})."
        if names is not None:
            return names, None if names else f"The file {file.name} names no columns."
    return extract.columns, None if extract.columns else "All files of the extract are empty."


class _Reader:
    """Reads the names of columns as a plan reads them, with one engine until a file fails, which it remembers."""

    def __init__(self, blobs: ReadableBlobs) -> None:
        self._blobs = blobs
        self._engine: Engine | None = None
        self._open = contextlib.ExitStack()

    def names(self, file: ExtractFile) -> tuple[str, ...] | None:
        """Names of the columns; None for a file without any text.

        Raises RunEndError when the first row may be somebody's, and what reading the file raises.
        """
        from shared.planning.engine import open_engine
        from shared.planning.tables import open_table

        if self._engine is None:
            self._engine = self._open.enter_context(open_engine(memory=LISTING_MEMORY))
        try:
            with self._engine.reading(file):
                table = open_table(self._engine, self._blobs, file)
        except Exception:
            self.close()
            raise
        if table is None:
            return None
        table.require_told_names()
        return tuple(filter(None, table.names))

    def close(self) -> None:
        """Let go of the engine."""
        self._engine = None
        self._open.close()
