"""End runs: from the outcomes of the chunks to the run's status, reason and counts."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pydantic import ValidationError

from shared.errors import BlobExistsError, RunEndError, TransientError
from shared.model.reasons import Reason, RunStatus
from shared.model.runs import ChunkResult, Counts, Plan, Run, Stop, Success
from shared.notifications.run_notices import run_ended
from shared.notifications.tell import tell
from shared.runs.freshness import note_freshness
from shared.runs.list_ready import note_check, send_first_look
from shared.runs.membership import commit_members
from shared.runs.outcomes import add_up, count_differences, judge, with_warnings
from shared.runs.progress import measure_progress
from shared.runs.refused import list_refused
from shared.sendgrid.api import contact_count, get_list_count
from shared.sendgrid.gateway import Account, Endpoint
from shared.storage.layout import RunBlobs, number_of, success_blob
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shared.services import Services


def end_chunk(services: Services, blobs: RunBlobs, chunk: int, result: ChunkResult) -> None:
    """Write a chunk's result, once, and end the run if it was the last."""
    try:
        services.store.create(blobs.result(chunk), result)
    except BlobExistsError:
        pass  # a redelivered message; what was written first counts
    else:
        log_event(
            Event.CHUNK_FINISHED,
            export=blobs.export,
            run=blobs.run,
            chunk=chunk,
            status=result.status,
            contacts=result.contacts,
            not_sent=result.not_sent,
            reason=result.reason.code if result.reason else None,
        )
    finish_if_done(services, blobs.export, blobs.run)


def stop_run(services: Services, export: str, run: str, status: RunStatus, reason: Reason) -> Run:
    """Let the run take nothing more to SendGrid; the first stop counts."""

    def change(document: Run) -> Run:
        if document.stop is not None or document.status.is_terminal:
            return document
        return document.model_copy(update={"stop": Stop(status=status, reason=reason)})

    return services.store.update(RunBlobs(export=export, run=run).document, Run, change)


def end_before_sending(
    services: Services,
    export: str,
    run: str,
    *,
    status: RunStatus,
    reason: Reason,
    counts: Counts | None = None,
) -> None:
    """End a run that has sent nothing. Contacts that were ready count as not sent."""
    counts = counts or Counts()
    not_sent = counts.not_sent + counts.sent + counts.pending
    counts = counts.model_copy(update={"sent": 0, "pending": 0, "not_sent": not_sent})
    _end(services, export, run, {"status": status, "reason": reason, "counts": counts})


def end_adoption(
    services: Services, blobs: RunBlobs, status: RunStatus, reason: Reason, changes: dict[str, object]
) -> None:
    """End a run that has adopted a list, with what it found."""
    done = {"status": status, "reason": reason, "waits_for": None}
    _end(services, blobs.export, blobs.run, {**done, **changes})


def end_forecast(
    services: Services, run: Run, reason: Reason, counts: Counts, changes: Mapping[str, object]
) -> None:
    """End a run that was to send nothing, with what it found."""
    counts = counts.model_copy(update={"sent": 0, "not_sent": counts.sent})
    done = {"status": RunStatus.SUCCEEDED, "reason": reason, "counts": counts}
    _end(services, run.export, run.id, {**done, **changes})


def stop_as_failed(services: Services, export: str, run: str, reason: Reason) -> Plan | None:
    """Stop a run with a plan, and return that; a run without one ends at once."""
    found = services.store.find(RunBlobs(export=export, run=run).plan, Plan)
    if found is None:
        end_before_sending(services, export, run, status=RunStatus.FAILED, reason=reason)
        return None
    stop_run(services, export, run, RunStatus.FAILED, reason)
    return found.document


def fail_run(services: Services, export: str, run: str, reason: Reason) -> None:
    """End a run where it is, when its own documents do not let it go on.

    Contacts of chunks without a readable result count as not sent: nobody can say that they arrived.
    """
    blobs = RunBlobs(export=export, run=run)
    live = services.store.get(blobs.document, Run).document.counts
    planned = live.model_copy(update={"sent": live.sent + live.pending, "pending": 0})
    results = list(_readable_results(services, blobs))
    unknown = planned.sent - sum(result.contacts for result in results if not result.removal)
    counts = add_up(planned, results)
    counts = counts.model_copy(update={"sent": counts.sent - unknown, "not_sent": counts.not_sent + unknown})
    _end(services, export, run, {"status": RunStatus.FAILED, "reason": reason, "counts": counts})


def _readable_results(services: Services, blobs: RunBlobs) -> Iterator[ChunkResult]:
    for item in services.store.blobs.list_blobs(blobs.results):
        try:
            yield services.store.get(item.name, ChunkResult).document
        except ValidationError:
            continue


def finish_if_done(services: Services, export: str, run: str) -> bool:
    """End the run when every chunk has a result; whether it is over.

    The run is marked as over last: a step that is cut off before that does it all again, to the same end.
    """
    blobs = RunBlobs(export=export, run=run)
    document = services.store.get(blobs.document, Run).document
    if document.status.is_terminal:
        return True
    plan = services.store.get(blobs.plan, Plan).document
    by_chunk = _read_results(services, blobs, plan)
    if by_chunk is None:
        return False
    results = list(by_chunk.values())
    members = commit_members(services, blobs, plan, by_chunk)
    judged = judge(results, document.stop)
    status, reason = with_warnings(*judged, plan.warnings)
    changes = _figures(services, document, plan, by_chunk) | {"members": members}
    if judged[0] is RunStatus.SUCCEEDED:
        if plan.confirms is None:
            services.store.upsert(success_blob(export), Success(run=run, fingerprint=plan.fingerprint))
        _delete_chunks(services, blobs, plan)
    changes |= {"status": status, "reason": reason}
    begun = note_check(services, document.model_copy(update=changes), plan, results)
    _end(services, export, run, changes | begun.changes)
    send_first_look(services, begun)
    return True


def _read_results(services: Services, blobs: RunBlobs, plan: Plan) -> dict[int, ChunkResult] | None:
    """The results of all chunks by their numbers; None while one is missing."""
    names = [item.name for item in services.store.blobs.list_blobs(blobs.results)]
    if len(names) < len(plan.chunks):
        return None
    return {number_of(name): services.store.get(name, ChunkResult).document for name in names}


def _figures(services: Services, run: Run, plan: Plan, by_chunk: dict[int, ChunkResult]) -> dict[str, object]:
    """What the run's document tells of its outcome, in figures."""
    blobs = RunBlobs(export=run.export, run=run.id)
    results = list(by_chunk.values())
    told = [warning.message for warning in plan.warnings]
    progress, importing_at = measure_progress(services, blobs, plan)
    counts = add_up(plan.counts, results)
    not_listed = counts.rejected_not_listed + list_refused(services, blobs, plan, by_chunk)
    counts = counts.model_copy(update={"rejected_not_listed": not_listed})
    after = _list_count(services, plan)
    return {
        "counts": counts,
        "chunks": progress,
        "importing_at": importing_at,
        "list_count_after": after,
        "removals_to_confirm": sum(chunk.contacts for chunk in plan.held),
        "warnings": (*told, *count_differences(results, counts, before=plan.list_count, after=after)),
    }


def _list_count(services: Services, plan: Plan) -> int | None:
    """Contacts on the list now; None when SendGrid does not say, which no run waits for."""
    account = Account(connection=plan.connection, secret_name=plan.secret_name, region=plan.region)
    try:
        response = services.sendgrid.fetch(
            account, get_list_count(plan.list_id), endpoint=Endpoint.LISTS, attempt=1
        )
    except (TransientError, RunEndError):
        return None
    return contact_count(response)


def _delete_chunks(services: Services, blobs: RunBlobs, plan: Plan) -> None:
    for chunk in plan.chunks:
        services.store.blobs.delete(blobs.chunk(plan.attempt, chunk.number))
    for item in services.store.blobs.list_blobs(blobs.found_ids_folder(plan.attempt)):
        services.store.blobs.delete(item.name)


def _end(services: Services, export: str, run: str, changes: dict[str, object]) -> None:
    now = services.clock()
    ended_here = False

    def change(document: Run) -> Run:
        nonlocal ended_here
        ended_here = not document.status.is_terminal
        return document.model_copy(update=changes | {"finished_at": now}) if ended_here else document

    blobs = RunBlobs(export=export, run=run)
    ended = change(services.store.get(blobs.document, Run).document)
    if ended_here:  # it is written down before it is so: afterwards nothing would come back to do it
        services.audit.note_end(ended, connection=ended.connection, submitted_by=ended.submitted_by)
        if jump := note_freshness(services, ended):
            changes = changes | {"warnings": (*ended.warnings, jump)}
    document = services.store.update(blobs.document, Run, change)
    tell_end(services, document)
    if ended_here:
        _log_end(document)


def tell_end(services: Services, run: Run) -> None:
    """Have those told who want to know that a run is over, and forget it; what is not told yet the sweep tells.

    The run's marker stays as long: the run is over all the same, for it is the run's document that says so.
    """
    notice = run_ended(run)
    if notice is None or tell(services, notice):
        services.store.blobs.delete(RunBlobs(export=run.export, run=run.id).marker)


def _log_end(run: Run) -> None:
    log_event(
        Event.RUN_FINISHED,
        level=logging.WARNING if run.status is RunStatus.FAILED else logging.INFO,
        export=run.export,
        run=run.id,
        trigger=run.trigger,
        status=run.status,
        reason=run.reason.code if run.reason else None,
        extract_age_s=run.extract_age_s,
        duration_s=round((run.finished_at - run.created_at).total_seconds(), 1) if run.finished_at else None,
        read=run.counts.rows_read,
        sent=run.counts.sent,
        duplicate=run.counts.duplicate,
        rejected=run.counts.rejected,
        not_sent=run.counts.not_sent,
    )
