"""Take leavers off the list whom an earlier run was not allowed to remove, since somebody says so."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from shared.errors import BlobExistsError, BlobMissingError, ConflictError, RunEndError
from shared.limits import REMOVALS_PER_REQUEST
from shared.model.reason_codes import ReasonCode
from shared.model.runs import ChunkInfo, Counts, Plan, Run, StartedRequest
from shared.planning.chunks import Chunker
from shared.runs.membership import later_run, other_memberships
from shared.runs.retry import require_same_target
from shared.runs.start import asked_run, start
from shared.runs.views import load_run
from shared.storage.layout import RunBlobs

if TYPE_CHECKING:
    from shared.definitions.resolve import ExportWithConnection
    from shared.model.definitions import Actor
    from shared.sendgrid.preflight import PreflightResult
    from shared.services import Services

KEPT: Final = "The leavers are past their retention or a later run has looked anew; start a new run."


def confirm_removals(services: Services, job: ExportWithConnection, run: str, *, by: Actor, run_id: str) -> Run:
    """Start the run that does the removals which `run` holds; asked again, it is the same run.

    Raises NotFoundError, ExportUnavailableError, and ConflictError when there is nothing to confirm, or no longer.
    """
    job.require_runnable()
    earlier = load_run(services, job.id, run)
    if not earlier.removals_to_confirm:
        raise ConflictError(f"The run {run} holds no removals; there is nothing to confirm.")
    blobs = RunBlobs(export=job.id, run=run)
    mine = StartedRequest(run=run_id)
    confirmed = services.store.find(blobs.confirmation, StartedRequest)
    if confirmed is None:
        _require_current(services, job, earlier)
        try:
            services.store.create(blobs.confirmation, mine)
        except BlobExistsError:
            confirmed = services.store.get(blobs.confirmation, StartedRequest)
    confirming = asked_run(services, job, by=by, run_id=(confirmed.document if confirmed else mine).run)
    return start(services, confirming.model_copy(update={"confirms": run}))


def _require_current(services: Services, job: ExportWithConnection, earlier: Run) -> None:
    """Raises ConflictError when what was found then need not be so now."""
    if later := later_run(services, earlier):
        raise ConflictError(
            f"The run {later} has looked anew since the run {earlier.id}; confirm that one's removals."
        )
    require_same_target(services, job, earlier.id)
    if job.export.leavers != "remove":
        raise ConflictError("The export keeps leavers now; set leavers to remove first.")


def plan_confirmation(
    services: Services, blobs: RunBlobs, confirms: str, job: ExportWithConnection, preflight: PreflightResult
) -> Plan:
    """The plan of the removals that the run `confirms` holds, but for those whom another export brings now.

    Raises RunEndError when they are gone, or no longer to be trusted.
    """
    from shared.planning.members import not_brought

    source = RunBlobs(export=blobs.export, run=confirms)
    earlier = services.store.get(source.document, Run).document
    old = services.store.get(source.plan, Plan).document
    if later_run(services, earlier) is not None or not job.has_target_of(old):
        raise RunEndError(ReasonCode.CHUNKS_GONE, KEPT)
    try:
        held = [services.store.blobs.get(source.chunk(old.attempt, chunk.number)).data for chunk in old.held]
    except BlobMissingError:
        raise RunEndError(ReasonCode.CHUNKS_GONE, KEPT) from None
    attempt = uuid.uuid4().hex[:12]

    def write(info: ChunkInfo, lines: bytes) -> None:
        services.store.blobs.upsert(blobs.chunk(attempt, info.number), lines)

    chunker = Chunker(write, contacts=REMOVALS_PER_REQUEST, removal=True)
    others = other_memberships(services, blobs.export, old.list_id)
    chunker.take(not_brought(held, others, blobs=services.store.blobs))
    chunker.close()
    return old.model_copy(
        update={
            "attempt": attempt,
            "secret_name": job.connection.secret_name,
            "region": job.connection.region,
            "chunks": tuple(chunker.chunks),
            "counts": Counts(),
            "missing": None,
            "held": (),
            "confirms": confirms,
            "warnings": (),
            "sends_all": False,
            "list_name": preflight.list_name,
            "list_count": preflight.list_count,
            "committed_at": services.clock(),
        }
    )
