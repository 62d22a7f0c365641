"""Cancel a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import ConflictError
from shared.model.messages import RunMessage
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import Reason, RunStatus
from shared.model.runs import Plan, Run
from shared.runs.enqueue import enqueue, enqueue_chunks
from shared.runs.finish import stop_run
from shared.runs.views import load_run
from shared.storage.layout import RunBlobs

if TYPE_CHECKING:
    from shared.model.definitions import Actor
    from shared.services import Services


def cancel_run(services: Services, export: str, run: str, *, by: Actor) -> Run:
    """Send nothing more of the run; it ends as cancelled when what is under way has ended.

    Raises NotFoundError, and ConflictError when the run is over.
    """
    if load_run(services, export, run).status.is_terminal:
        raise ConflictError(f"The run {run} is over; there is nothing to cancel.")
    reason = Reason(
        code=ReasonCode.CANCELLED,
        message=f"Cancelled by {by.name}; what SendGrid had accepted stays on the list.",
    )
    stopped = stop_run(services, export, run, RunStatus.CANCELLED, reason)
    blobs = RunBlobs(export=export, run=run)
    plan = services.store.find(blobs.plan, Plan)
    if plan is None:
        enqueue(services, RunMessage(export=export, run=run))
    else:
        enqueue_chunks(services, blobs, plan.document)
    return stopped
