"""The segments that are there, each by its newest extract and the columns that a mapping can take from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import ExportError
from shared.extracts.discovery import list_extracts
from shared.extracts.streams import unreadable
from shared.model.documents import Document
from shared.model.reasons import Reason
from shared.model.runs import ExtractSummary

if TYPE_CHECKING:
    from shared.extracts.discovery import Listed
    from shared.extracts.extract import Extract, ExtractFile
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


def list_segments(blobs: ReadableBlobs, *, prefix: str = "") -> list[Segment]:
    """All segments found, by name; of one file of each the beginning is read, of Parquet the end, too.

    Raises RunEndError when a model.json beside the segments cannot be read, for then none can be told, and
    TransientError when storage is away.
    """
    return [_describe(blobs, listed) for listed in list_extracts(blobs, prefix=prefix)]


def _describe(blobs: ReadableBlobs, listed: Listed) -> Segment:
    columns, problem = _columns(blobs, listed.extract) if listed.extract else (None, None)
    return Segment(
        segment=listed.segment,
        extract=listed.extract.summary() if listed.extract else None,
        problem=listed.problem,
        columns=columns or None,
        columns_problem=problem,
    )


def _columns(blobs: ReadableBlobs, extract: Extract) -> tuple[tuple[str, ...] | None, str | None]:
    """The columns, or why they cannot be told: one bad file must not hide the other segments."""
    for file in extract.files:
        try:
            names = _read_names(blobs, file) if file.size else None
        except ExportError as error:
            return None, str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about this file; its text may hold data
            return None, f"The file {file.name} cannot be read ({type(error).__name__})."
        if names is not None:
            return names, None if names else f"The file {file.name} names no columns."
    return extract.columns, None if extract.columns else "All files of the extract are empty."


def _read_names(blobs: ReadableBlobs, file: ExtractFile) -> tuple[str, ...] | None:
    """Names of the columns, read as a plan reads them; an engine of its own each, for it remembers failures.

    Raises RunEndError when the first row may be somebody's.
    """
    from shared.planning.engine import open_engine
    from shared.planning.tables import open_table

    with open_engine() as engine, engine.reading(file):
        table = open_table(engine, blobs, file)
    if table is not None and not table.names_are_told:
        raise unreadable(
            file, "may have somebody's data as its first row, so it is not shown; declare source.header"
        )
    return None if table is None else tuple(filter(None, table.names))
