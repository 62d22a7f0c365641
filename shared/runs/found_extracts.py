"""The extracts that a run of an export reads."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.errors import ExtractPendingError, RunEndError
from shared.extracts.discovery import find_extract
from shared.extracts.extract import ExtractIncompleteError
from shared.limits import EXTRACT_LOOK
from shared.model.reason_codes import ReasonCode
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


def settled_extracts(services: Services, job: ExportWithConnection, run: Run) -> list[Extract]:
    """The newest extracts, once nobody is taken to be writing them any more: by storage's clock, not by ours.

    Raises RunEndError, and ExtractPendingError while the run is to wait.
    """
    source = job.export.source
    if not source.settle:
        return find_extracts(services, job)
    now = services.extracts.now()  # asked for first: what is written from here on has not settled
    extracts = find_extracts(services, job)
    last = max(extracts, key=lambda extract: extract.settled_at(source))
    left = (last.settled_at(source) - now).total_seconds()
    if left <= 0:
        return extracts
    why = f"{last.segment} may still be being written: {_signs_of_writing(last, source)}."
    if services.clock() < run.created_at + max(source.settle, timedelta(minutes=source.wait_minutes)):
        until = f"It is read at {last.settled_at(source):%Y-%m-%dT%H:%M:%SZ} if nothing changes until then."
        raise ExtractPendingError(f"{why} {until}", wait=min(left, EXTRACT_LOOK))
    raise RunEndError(
        ReasonCode.EXTRACT_INCOMPLETE,
        f"{why} Start the export when its writer is done; source.settle says for how long nothing may change.",
    )


def _signs_of_writing(extract: Extract, source: SourceOptions) -> str:
    if extract.settled_at(source) > extract.delivered_at + source.settle:
        return f"a file of {extract.empty_since:%Y-%m-%dT%H:%M:%SZ} holds nothing yet"
    return f"its last file was changed at {extract.delivered_at:%Y-%m-%dT%H:%M:%SZ}"


def complete_extracts(services: Services, job: ExportWithConnection, run: Run) -> list[Extract]:
    """The newest extracts; when the run has waited long enough for one that is not complete, those before.

    For a run that an arrival has started, the wait began when its extract, or what is wrong with it, was there.

    Raises RunEndError, and ExtractPendingError while the run is to wait.
    """
    waits_since = run.due_at if run.trigger is Trigger.ARRIVAL and run.due_at else run.created_at
    may_wait = services.clock() < waits_since + timedelta(minutes=job.export.source.wait_minutes)
    try:
        extracts = settled_extracts(services, job, run)
    except ExtractIncompleteError as incomplete:
        if may_wait:
            raise ExtractPendingError(incomplete.reason.message, wait=EXTRACT_LOOK) from None
        raise
    missing = next((extract.incomplete for extract in extracts if extract.incomplete), None)
    if missing and may_wait:
        raise ExtractPendingError(missing, wait=EXTRACT_LOOK)
    return extracts
