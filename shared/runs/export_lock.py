"""The export lock: one run of an export at a time, named by a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import BlobChangedError, BlobExistsError, ExportLockedError, RunEndError
from shared.model.reasons import ReasonCode, RunStatus
from shared.model.runs import ExportLock, Run
from shared.storage.layout import RunBlobs, export_lock_blob

if TYPE_CHECKING:
    from shared.model.definitions import Export
    from shared.services import Services


def acquire_export_lock(services: Services, run: Run, export: Export) -> None:
    """Let `run` be the one run of its export that goes on.

    Raises:
        ExportLockedError: Another run holds the lock, and this one waits for it.
        RunEndError: Another run holds the lock, and the export says to skip instead.
    """
    name, mine = export_lock_blob(run.export), ExportLock(run=run.id)
    try:
        services.store.create(name, mine)
    except BlobExistsError:
        _take_over(services, run, export, mine)


def _take_over(services: Services, run: Run, export: Export, mine: ExportLock) -> None:
    name = export_lock_blob(run.export)
    held = services.store.get(name, ExportLock)
    if held.document.run == run.id:
        return
    if not _is_over(services, run.export, held.document.run):
        if export.overlap == "skip":
            message = f"The run {held.document.run} of this export was not over yet."
            raise RunEndError(ReasonCode.OVERLAP, message, status=RunStatus.SKIPPED)
        raise ExportLockedError("another run of the export is not over")
    try:
        services.store.replace(name, mine, etag=held.etag)
    except BlobChangedError:
        raise ExportLockedError("another run of the export was faster") from None


def _is_over(services: Services, export: str, run: str) -> bool:
    found = services.store.find(RunBlobs(export=export, run=run).document, Run)
    return found is None or found.document.status.is_terminal
