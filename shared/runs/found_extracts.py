"""The extracts that a run of an export reads."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.errors import ExtractPendingError
from shared.extracts.discovery import find_extract
from shared.extracts.extract import ExtractIncompleteError
from shared.model.runs import Trigger

if TYPE_CHECKING:
    from shared.definitions.resolve import ExportWithConnection
    from shared.extracts.extract import Extract
    from shared.model.definitions import SourceOptions
    from shared.model.runs import Run
    from shared.services import Services
    from shared.storage.interfaces import ReadableBlobs


def find_extracts(services: Services, job: ExportWithConnection) -> list[Extract]:
    """The newest extract of every segment, in the export's order. Raises RunEndError when one is missing."""
    return [
        find_newest(services, services.extracts, segment, job.export.source) for segment in job.export.segments
    ]


def find_newest(services: Services, blobs: ReadableBlobs, segment: str, source: SourceOptions) -> Extract:
    """The newest extract of a segment. Raises RunEndError when there is none, or it is not certain which."""
    settings = services.settings
    return find_extract(
        blobs, segment, prefix=settings.extract_prefix, source=source, place=settings.extract_place
    )


def complete_extracts(services: Services, job: ExportWithConnection, run: Run) -> list[Extract]:
    """The newest extracts; when the run has waited long enough for one that is not complete, those before.

    For a run that an arrival has started, the wait began when its extract, or what is wrong with it, was there.

    Raises RunEndError, and ExtractPendingError while the run is to wait.
    """
    waits_since = run.due_at if run.trigger is Trigger.ARRIVAL and run.due_at else run.created_at
    may_wait = services.clock() < waits_since + timedelta(minutes=job.export.source.wait_minutes)
    try:
        extracts = find_extracts(services, job)
    except ExtractIncompleteError as incomplete:
        if may_wait:
            raise ExtractPendingError(incomplete.reason.message) from None
        raise
    missing = next((extract.incomplete for extract in extracts if extract.incomplete), None)
    if missing and may_wait:
        raise ExtractPendingError(missing)
    return extracts
