"""One segment: what a run would read of it now, and what the first rows say of each column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import ConflictError, ExtractChangedError, NotFoundError, RunEndError, TransientError
from shared.extracts.discovery import find_extract
from shared.limits import LISTING_MEMORY, SEGMENT_BYTES, SEGMENT_ROWS, SEGMENT_SECONDS
from shared.model.documents import Document
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import Reason
from shared.model.runs import ExtractSummary
from shared.storage.bounded import BoundedBlobs

if TYPE_CHECKING:
    from shared.extracts.extract import Extract
    from shared.model.definitions import SourceOptions
    from shared.planning.first_rows import ColumnLook, FirstRowsLook
    from shared.services import Services
    from shared.storage.interfaces import ReadableBlobs


class SegmentColumn(Document):
    """A column that a mapping may take, and what the first rows have in it."""

    name: str
    type: str | None
    """What all values that were looked at are: email, phone, date, number, or text; null without any value."""
    samples: tuple[str, ...]
    """Some values, masked; no two columns have them in the order of rows."""


class SegmentDetails(Document):
    """A segment, what a run would read of it now, and the columns of that."""

    segment: str
    extract: ExtractSummary | None
    """The newest complete one; null when that cannot be told."""
    age_s: int | None
    """Seconds since its last file was written."""
    problem: Reason | None
    """Why there is none."""
    rows: int
    """How many rows of the first file that is not empty were looked at."""
    columns: tuple[SegmentColumn, ...] | None
    """As that file names them; null when they cannot be told."""
    columns_problem: str | None
    """Why they cannot, without anybody's data."""


def describe_segment(services: Services, segment: str, source: SourceOptions) -> SegmentDetails:
    """The segment as an export with these options would find it; of one file the beginning is read.

    Raises NotFoundError when nothing is there of that name, and TransientError when storage is away.
    """
    blobs = BoundedBlobs(services.extracts, size=SEGMENT_BYTES, seconds=SEGMENT_SECONDS, advice="")
    try:
        extract = find_extract(
            blobs,
            segment,
            prefix=services.settings.extract_prefix,
            source=source,
            place=services.settings.extract_place,
        )
    except RunEndError as end:
        if end.reason.code is ReasonCode.EXTRACT_MISSING and source.layout is None:
            raise no_segment(segment) from None
        return _details(segment, problem=end.reason)
    details = _details(segment, extract=extract.summary()).model_copy(
        update={"age_s": max(round((services.clock() - extract.delivered_at).total_seconds()), 0)}
    )
    return details.model_copy(update=_columns(blobs, extract))


def no_segment(segment: str) -> NotFoundError:
    """What is said where there is none, and where the caller may not know that there is one."""
    return NotFoundError(f"There is no segment {segment}.")


def _details(
    segment: str, *, extract: ExtractSummary | None = None, problem: Reason | None = None
) -> SegmentDetails:
    return SegmentDetails(
        segment=segment,
        extract=extract,
        age_s=None,
        problem=problem,
        rows=0,
        columns=None,
        columns_problem=None,
    )


def _columns(blobs: ReadableBlobs, extract: Extract) -> dict[str, object]:
    """What is told of the columns: the extract is there, whatever is wrong with its first file."""
    try:
        look = _look(blobs, extract)
    except ExtractChangedError:
        raise TransientError("The extract was replaced while it was read") from None
    except RunEndError as end:
        return {"columns_problem": end.reason.message}
    except ConflictError as error:
        return {"columns_problem": str(error).strip()}
    if look is None:
        columns = tuple(SegmentColumn(name=name, type=None, samples=()) for name in extract.columns or ())
        return {"columns": columns} if columns else {"columns_problem": "All files of the extract are empty."}
    if not look.columns:
        return {"columns_problem": "The first file of the extract names no columns."}
    return {"rows": look.rows, "columns": tuple(map(_column, look.columns))}


def _column(found: ColumnLook) -> SegmentColumn:
    return SegmentColumn(name=found.name, type=found.kind, samples=found.samples)


def _look(blobs: ReadableBlobs, extract: Extract) -> FirstRowsLook | None:
    """The first rows of the first file that has any; None if none has."""
    from shared.planning.engine import open_engine
    from shared.planning.first_rows import look_at_first_rows
    from shared.planning.tables import open_table

    with open_engine(memory=LISTING_MEMORY) as engine:
        for file in extract.files:
            with engine.reading(file):
                table = open_table(engine, blobs, file) if file.size else None
                if table is not None:
                    table.require_told_names()
                    return look_at_first_rows(engine, blobs, table, rows=SEGMENT_ROWS)
    return None
