"""Cancel runs, and take up again what an earlier run did not bring to its end."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from shared.errors import ConflictError, RunEndError
from shared.model.reason_codes import ReasonCode
from shared.model.runs import ChunkInfo, ChunkResult, ChunkStatus, Counts, Delivery, Plan, Run
from shared.runs.membership import later_run, other_memberships
from shared.runs.refused import PlanInput
from shared.runs.start import asked_run, start
from shared.runs.start_once import one_at_a_time
from shared.runs.views import load_run
from shared.storage.layout import RunBlobs, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.definitions.resolve import ExportWithConnection
    from shared.model.definitions import Actor
    from shared.sendgrid.preflight import PreflightResult
    from shared.services import Services


def retry_run(services: Services, job: ExportWithConnection, run: str, *, by: Actor, run_id: str) -> Run:
    """Start a run that sends the chunks which the earlier run did not bring to their end.

    Asked again before that is over, it is the same run.

    Raises NotFoundError, ExportUnavailableError, and ConflictError when the run is not over, left nothing, or its
    chunks are gone.
    """
    job.require_runnable()
    export = job.id
    earlier = load_run(services, export, run)
    blobs = RunBlobs(export=export, run=run)
    if not earlier.status.is_terminal:
        raise ConflictError(f"The run {run} is not over; cancel it or wait.")
    if later := later_run(services, earlier):
        raise ConflictError(
            f"The run {later} has sent newer data since; what the run {run} left over could undo that. "
            "Start a new run, or retry the newest one."
        )
    if not any(True for _ in _left_over(services, blobs)):
        raise ConflictError(
            f"The run {run} left no chunk to send again: all arrived, nothing was planned, or they are past their "
            "retention. Start a new run."
        )
    require_same_target(services, job, run)
    again = asked_run(services, job, by=by, run_id=one_at_a_time(services, export, blobs.retry, run_id))
    return start(services, again.model_copy(update={"retry_of": run}))


def require_same_target(services: Services, job: ExportWithConnection, run: str) -> None:
    """Raises ConflictError when the run went through another connection or to another list than the export does.

    What it left over belongs to those who may use that connection, and to that list.
    """
    plan = services.store.get(RunBlobs(export=job.id, run=run).plan, Plan).document
    if not job.has_target_of(plan):
        raise ConflictError(
            f"The export goes elsewhere now than the run {run} did; what that left over is not sent any more, and"
            " the old list is left as it is."
        )


def plan_retry(
    services: Services, blobs: RunBlobs, earlier: str, job: ExportWithConnection, preflight: PreflightResult
) -> Plan:
    """The plan of a retry: copies of the chunks that are left over. Raises RunEndError when they are gone."""
    from shared.planning.members import not_brought

    source = RunBlobs(export=blobs.export, run=earlier)
    left = list(_left_over(services, source))
    is_late = later_run(services, services.store.get(source.document, Run).document) is not None
    if not left or is_late or not job.has_target_of(services.store.get(source.plan, Plan).document):
        message = (
            "A newer run has sent its data, the export goes elsewhere now, or the chunks of the run"
            f" {earlier} are past their retention."
        )
        raise RunEndError(ReasonCode.CHUNKS_GONE, message)
    old = services.store.get(source.plan, Plan).document
    attempt = uuid.uuid4().hex[:12]
    others = other_memberships(services, blobs.export, old.list_id)
    chunks: list[ChunkInfo] = []
    for chunk in left:
        lines = services.store.blobs.get(source.chunk(old.attempt, chunk.number)).data.splitlines(keepends=True)
        refused = _refused(services, source, chunk)
        kept = [line for position, line in enumerate(lines) if position not in refused]
        body = b"".join(kept)
        if chunk.removal:
            body = not_brought([body], others, blobs=services.store.blobs)
        contacts = body.count(b"\n")
        copy = ChunkInfo(number=len(chunks) + 1, contacts=contacts, bytes=len(body), removal=chunk.removal)
        services.store.blobs.upsert(blobs.chunk(attempt, copy.number), body)
        chunks.append(copy)
    made_from = services.store.find(source.plan_input(old.attempt), PlanInput)
    if made_from is not None:
        services.store.upsert(blobs.plan_input(attempt), made_from.document)
    contacts = sum(chunk.contacts for chunk in chunks if not chunk.removal)
    return old.model_copy(
        update={
            "attempt": attempt,
            "chunks": tuple(chunks),
            "counts": Counts(rows_read=contacts, sent=contacts),
            "secret_name": job.connection.secret_name,
            "region": job.connection.region,
            "missing": None,
            "held": (),
            "sends_all": False,
            "list_name": preflight.list_name,
            "list_count": preflight.list_count,
            "committed_at": services.clock(),
        }
    )


def _left_over(services: Services, blobs: RunBlobs) -> Iterator[ChunkInfo]:
    """Chunks that are still there and of which sending again may bring somebody onto the list.

    What SendGrid refused it would refuse again.
    """
    found = services.store.find(blobs.plan, Plan)
    if found is None:
        return
    plan = found.document
    results = {
        number_of(item.name): services.store.get(item.name, ChunkResult).document
        for item in services.store.blobs.list_blobs(blobs.results)
    }
    bodies = {item.name for item in services.store.blobs.list_blobs(f"{blobs.attempts}{plan.attempt}/chunks/")}
    for chunk in plan.chunks:
        result = results.get(chunk.number)
        is_done = result is not None and result.status is not ChunkStatus.UNCONFIRMED and not result.not_sent
        if not is_done and blobs.chunk(plan.attempt, chunk.number) in bodies:
            yield chunk


def _refused(services: Services, blobs: RunBlobs, chunk: ChunkInfo) -> frozenset[int]:
    """Positions of the chunk's contacts that SendGrid refused."""
    found = services.store.find(blobs.delivery(chunk.number), Delivery)
    return frozenset(found.document.refused) if found else frozenset()
