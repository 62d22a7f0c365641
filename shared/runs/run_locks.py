"""The locks of a run: one run of an export at a time, and one run on a list, named by documents.

A run that is over holds no lock, whatever the documents say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from shared.errors import BlobChangedError, BlobExistsError, ExportLockedError, RunEndError
from shared.limits import EXPORT_LOCK_WAIT, EXPORT_LOCK_WAIT_CAP
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import RunStatus
from shared.model.runs import Run, RunLock
from shared.storage.layout import RunBlobs, export_lock_blob, list_lock_blob

if TYPE_CHECKING:
    from uuid import UUID

    from shared.model.definitions import Export
    from shared.services import Services


def acquire_export_lock(services: Services, run: Run, export: Export) -> None:
    """Let `run` be the one run of its export that goes on.

    Raises:
        ExportLockedError: Another run holds the lock, and this one waits for it.
        RunEndError: Another run holds the lock, and the export says to skip instead.
    """
    holder = _acquire(services, export_lock_blob(run.export), run)
    if holder is None:
        return
    if export.overlap == "skip":
        message = f"The run {holder.run} of this export was not over yet."
        raise RunEndError(ReasonCode.OVERLAP, message, status=RunStatus.SKIPPED)
    raise ExportLockedError("another run of the export is not over")


def acquire_list_lock(services: Services, run: Run, list_id: UUID) -> None:
    """Let `run` be the one run that changes who is on the list.

    Else one export could take off whom another brings at the same moment. Raises ExportLockedError when another
    run holds the lock.
    """
    if _acquire(services, list_lock_blob(list_id), run) is not None:
        raise ExportLockedError("a run of another export to the same list is not over")


def lock_wait(services: Services, run: Run) -> float:
    """Seconds until a run that waits for a lock looks again: a fifth of the time since its start, spread.

    So each of many runs looks a few times only, and whoever waits for a short one begins soon after it.
    """
    age = (services.clock() - run.created_at).total_seconds()
    wait = min(max(age / 5, EXPORT_LOCK_WAIT), EXPORT_LOCK_WAIT_CAP)
    return wait * (0.75 + services.jitter() / 2)


def _acquire(services: Services, name: str, run: Run) -> RunLock | None:
    """Take the lock for `run`; who holds it if that is another run."""
    mine = RunLock(export=run.export, run=run.id)
    try:
        services.store.create(name, mine)
    except BlobExistsError:
        held = services.store.get(name, RunLock)
    else:
        return None
    if held.document == mine:
        return None
    if not _is_over(services, held.document):
        return held.document
    try:
        services.store.replace(name, mine, etag=held.etag)
    except BlobChangedError:
        return services.store.get(name, RunLock).document
    return None


def _is_over(services: Services, holder: RunLock) -> bool:
    try:
        found = services.store.find(RunBlobs(export=holder.export, run=holder.run).document, Run)
    except ValidationError:
        return True  # nothing goes on with a document that cannot be read
    return found is None or found.document.status.is_terminal
