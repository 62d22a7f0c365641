"""The extracts that a run of an export reads."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.errors import ExtractPendingError
from shared.extracts.discovery import find_extract
from shared.extracts.extract import ExtractIncompleteError

if TYPE_CHECKING:
    from shared.definitions.resolve import ExportWithConnection
    from shared.extracts.extract import Extract
    from shared.model.runs import Run
    from shared.services import Services


def find_extracts(services: Services, job: ExportWithConnection) -> list[Extract]:
    """The newest extract of every segment, in the export's order. Raises RunEndError when one is missing."""
    settings = services.settings
    return [
        find_extract(
            services.extracts,
            segment,
            prefix=settings.extract_prefix,
            source=job.export.source,
            place=settings.extract_place,
        )
        for segment in job.export.segments
    ]


def complete_extracts(services: Services, job: ExportWithConnection, run: Run) -> list[Extract]:
    """The newest extracts; when the run has waited long enough for one that is not complete, those before.

    Raises RunEndError, and ExtractPendingError while the run is to wait.
    """
    may_wait = services.clock() < run.created_at + timedelta(minutes=job.export.source.wait_minutes)
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
