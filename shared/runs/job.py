"""The export of a run, as it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.definitions.resolve import resolve_run
from shared.model.runs import Run
from shared.storage.layout import RunBlobs

if TYPE_CHECKING:
    from shared.definitions.resolve import ExportWithConnection
    from shared.services import Services


def load_job(services: Services, run: Run) -> ExportWithConnection:
    """The export and its connection, by which the run is judged from now on. Raises ExportUnavailableError.

    An export may be led to another connection between the start of a run and its plan.
    """
    job = resolve_run(services.store, run)
    if run.connection_uid != job.through.uid:
        moved = {"connection": job.connection_id, "connection_uid": job.through.uid}
        name = RunBlobs(export=run.export, run=run.id).document
        services.store.update(name, Run, lambda stored: stored.model_copy(update=moved))
    return job
