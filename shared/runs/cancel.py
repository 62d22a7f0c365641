"""Cancel a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import BlobMissingError, ConflictError
from shared.model.messages import RUNS_QUEUE, RunMessage
from shared.model.reasons import ReasonCode, Reason, RunStatus
from shared.model.runs import Plan, Run
from shared.runs.enqueue import enqueue_chunks
from shared.runs.finish import stop_run
from shared.runs.retry import _run
from shared.storage.layout import RunBlobs

if TYPE_CHECKING:
    from shared.services import Services


def cancel_run(services: Services, export: str, run: str, *, requested_by: str) -> Run:
    """Send nothing more of the run; it ends as cancelled when what is under way has ended.

    Raises NotFoundError, and ConflictError when the run is over.
    """
    if _run(services, export, run).status.is_terminal:
        raise ConflictError(f"The run {run} is over; there is nothing to cancel.")
    reason = Reason(
        code=ReasonCode.CANCELLED, message=f"Cancelled by {requested_by}; what SendGrid had accepted stays on the list."
    )
    stopped = stop_run(services, export, run, RunStatus.CANCELLED, reason)
    blobs = RunBlobs(export=export, run=run)
    try:
        plan = services.store.get(blobs.plan, Plan).document
    except BlobMissingError:
        message = RunMessage(export=export, run=run)
        services.queues.send(RUNS_QUEUE, message.model_dump_json(exclude_none=True))
    else:
        enqueue_chunks(services, blobs, plan)
    return stopped
