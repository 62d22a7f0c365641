"""One run of an export at a time: a document names the run that may go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import BlobChangedError, BlobExistsError, BlobMissingError, RunEndError
from shared.model.reasons import ReasonCode, Reason, RunStatus
from shared.model.runs import ExportLock, Run
from shared.storage.layout import RunBlobs, export_lock_blob

if TYPE_CHECKING:
    from shared.model.definitions import Export
    from shared.services import Services


def acquire_export_lock(services: Services, run: Run, export: Export) -> bool:
    """Whether the run may go on; False means it waits. Raises RunEndError when the export says to skip instead."""
    name, mine = export_lock_blob(run.export), ExportLock(run=run.id)
    try:
        services.store.create(name, mine)
    except BlobExistsError:
        held = services.store.get(name, ExportLock)
    else:
        return True
    if held.document.run == run.id:
        return True
    if not _is_over(services, run.export, held.document.run):
        if export.overlap == "skip":
            raise RunEndError(RunStatus.SKIPPED, _overlap(held.document.run))
        return False
    try:
        services.store.replace(name, mine, etag=held.etag)
    except BlobChangedError:
        return False
    return True


def _is_over(services: Services, export: str, run: str) -> bool:
    try:
        return services.store.get(RunBlobs(export=export, run=run).document, Run).document.status.is_terminal
    except BlobMissingError:
        return True


def _overlap(run: str) -> Reason:
    return Reason(code=ReasonCode.OVERLAP, message=f"The run {run} of this export was not over yet.")
