"""What the outside may know of runs: their story so far, and the rows that were not sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.errors import BlobMissingError, MissingError
from shared.progress import measure_progress
from shared.records import Plan, Run, RunStatus
from shared.store import RunBlobs

if TYPE_CHECKING:
    from shared.services import Services


REJECTED_HEADER: Final = b"segment,file,row,customer_id,column,reason\n"


def get_run(services: Services, export: str, run: str) -> Run:
    """A run and how far it is. Raises MissingError."""
    blobs = RunBlobs(export=export, run=run)
    try:
        document = services.store.get(blobs.document, Run).document
    except BlobMissingError:
        raise MissingError(f"The export {export} has no run {run}.") from None
    return document if document.status.is_terminal else _with_progress(services, blobs, document)


def list_runs(
    services: Services, export: str, *, limit: int, before: str | None = None
) -> tuple[list[Run], str | None]:
    """Runs of an export, newest first, and the run before which the next page begins."""
    ids = sorted(services.store.blobs.list_folders(f"runs/{export}/"), reverse=True)
    if before is not None:
        ids = [run for run in ids if run < before]
    page = ids[:limit]
    return [get_run(services, export, run) for run in page], page[-1] if len(ids) > limit else None


def get_rejected(services: Services, export: str, run: str, part: int) -> tuple[bytes, bool]:
    """A part, from 1, of the CSV of rejected rows, and whether another part follows. Raises MissingError."""
    blobs = RunBlobs(export=export, run=run)
    get_run(services, export, run)
    try:
        plan = services.store.get(blobs.plan, Plan).document
        if part == 1 and plan.counts.rejected == 0:
            return REJECTED_HEADER, False
        data = services.store.blobs.get(blobs.rejected(plan.attempt, part)).data
    except BlobMissingError:
        raise MissingError(
            f"The run {run} has no list of rejected rows: it is not planned yet, or its retention is over."
        ) from None
    return data, any(services.store.blobs.list_blobs(blobs.rejected(plan.attempt, part + 1)))


def _with_progress(services: Services, blobs: RunBlobs, run: Run) -> Run:
    try:
        plan = services.store.get(blobs.plan, Plan).document
    except BlobMissingError:
        return run
    progress, accepted_at = measure_progress(services, blobs, plan)
    if run.status is not RunStatus.UPLOADING or progress.accepted < progress.planned:
        return run.model_copy(update={"chunks": progress})
    return run.model_copy(update={"chunks": progress, "status": RunStatus.IMPORTING, "importing_at": accepted_at})
