"""Plan a run: check that it can succeed, decide what it sends, commit the plan, hand out the chunks.

Nothing is sent before the plan is committed. A redelivered message finds the committed plan and only hands
out what has no outcome yet; an attempt that was cut off before the commit leaves garbage for the sweeper.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from shared.definitions.resolve import fingerprint
from shared.errors import (
    ExportLockedError,
    ExtractChangedError,
    ExtractPendingError,
    ListExportPendingError,
    PlannerBusyError,
    RunEndError,
    SettingsError,
    StorageUnavailableError,
    TransientError,
)
from shared.limits import PLANNER_LOOK, PREPARATION_DEADLINE
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import Reason, RunStatus
from shared.model.runs import ChunkProgress, ParquetBlob, Plan, Run, RunKind, Success
from shared.runs.adopt import adopt_list
from shared.runs.comparison import Comparison, digest_of
from shared.runs.confirm_removals import plan_confirmation
from shared.runs.dry_run import forecast_run
from shared.runs.enqueue import enqueue_chunks, postpone
from shared.runs.finish import end_before_sending, finish_if_done
from shared.runs.found_extracts import complete_extracts
from shared.runs.job import load_job
from shared.runs.membership import current_membership, other_memberships
from shared.runs.plan_warnings import no_valid_contact, plan_warnings
from shared.runs.planner_lock import one_planner, require_idle_planner
from shared.runs.refused import PlanInput
from shared.runs.retry import plan_retry
from shared.runs.run_locks import acquire_export_lock, acquire_list_lock, lock_wait
from shared.sendgrid.decisions import backoff
from shared.sendgrid.preflight import check_sendgrid
from shared.storage.layout import RunBlobs, success_blob
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.definitions.resolve import ExportWithConnection
    from shared.extracts.extract import Extract
    from shared.model.messages import RunMessage
    from shared.model.runs import ChunkInfo
    from shared.planning.plan import PlanOutcome
    from shared.sendgrid.preflight import PreflightResult
    from shared.services import Services
    from shared.storage.interfaces import Blobs

EXTRACT_EMPTY: Final = Reason(code=ReasonCode.EXTRACT_EMPTY, message="The extract has no rows; nothing was sent.")


def plan_run(services: Services, message: RunMessage) -> None:
    """Plan the run, or end it with the reason why it cannot be, or postpone it while something is away."""
    blobs = RunBlobs(export=message.export, run=message.run)
    run = _run_to_plan(services, blobs, message)
    if run is None:
        return
    try:
        plan = _planned(services, blobs, run, message.attempt)
    except RunEndError as end:
        end_before_sending(services, run.export, run.id, status=end.status, reason=end.reason, counts=end.counts)
    except SettingsError as error:
        reason = Reason(code=ReasonCode.STORAGE_FORBIDDEN, message=str(error))
        end_before_sending(services, run.export, run.id, status=RunStatus.FAILED, reason=reason)
    except (ExportLockedError, PlannerBusyError) as busy:
        wait = lock_wait(services, run) if isinstance(busy, ExportLockedError) else PLANNER_LOOK
        _wait(services, blobs, message, wait, why=str(busy))
    except ExtractPendingError as pending:
        _wait_for_extract(services, blobs, message, pending)
    except ListExportPendingError as pending:
        _wait(services, blobs, message, pending.wait, why=str(pending), waits_for=str(pending))
    except StorageUnavailableError:
        raise  # that is nobody's fault and has waits of its own
    except (TransientError, ExtractChangedError) as error:
        _put_off(services, run, message, error)
    else:
        _hand_out(services, blobs, plan)  # what fails here is no reason to end a run that has a plan


def _planned(services: Services, blobs: RunBlobs, run: Run, attempt: int) -> Plan | None:
    """The committed plan; None of a run that was to send nothing, and is over. Raises what `plan_run` catches."""
    if run.kind is RunKind.DRY_RUN:
        _enter(services, blobs, RunStatus.PLANNING)
        forecast_run(services, blobs, run, attempt)
        return None
    if run.kind is RunKind.ADOPTION:
        _enter(services, blobs, RunStatus.PLANNING)
        adopt_list(services, blobs, run, attempt)
        return None
    committed = services.store.find(blobs.plan, Plan)
    plan = committed.document if committed else _make_plan(services, blobs, run, attempt)
    if not run.chunks.planned:
        _note_plan(services, blobs, plan)
    return plan


def _run_to_plan(services: Services, blobs: RunBlobs, message: RunMessage) -> Run | None:
    """The run that the message is to plan; without a document, its start was cut off before a promise."""
    found = services.store.find(blobs.document, Run)
    if found is None or found.document.status.is_terminal:
        return None
    run = found.document
    is_replaced = run.message_token is not None and message.token != run.message_token
    return None if is_replaced else run


def _make_plan(services: Services, blobs: RunBlobs, run: Run, attempt: int) -> Plan:
    """The committed plan. Raises what `plan_run` catches."""
    if run.stop is not None:
        raise RunEndError(run.stop.reason.code, run.stop.reason.message, status=run.stop.status)
    job = load_job(services, run)
    job.require_runnable()
    acquire_export_lock(services, run, job.export)
    if run.retry_of is not None or run.confirms is not None:
        acquire_list_lock(services, run, job.export.list_id)
        _enter(services, blobs, RunStatus.PLANNING)
        return services.store.create_or_get(blobs.plan, _draft_again(services, blobs, run, job, attempt))
    require_idle_planner()
    _enter(services, blobs, RunStatus.PLANNING)
    return services.store.create_or_get(blobs.plan, _draft_plan(services, blobs, run, job, attempt))


def _draft_again(services: Services, blobs: RunBlobs, run: Run, job: ExportWithConnection, attempt: int) -> Plan:
    """The plan of what an earlier run left over, or of the removals that it holds."""
    preflight = check_sendgrid(services.sendgrid, job.account, job.export, attempt=attempt)
    if run.confirms is not None:
        return plan_confirmation(services, blobs, run.confirms, job, preflight)
    return plan_retry(services, blobs, str(run.retry_of), job, preflight)


def _draft_plan(services: Services, blobs: RunBlobs, run: Run, job: ExportWithConnection, attempt: int) -> Plan:
    """The plan of the newest extracts."""
    extracts = complete_extracts(services, job, run)
    _note_extracts(services, blobs, extracts)
    identity = fingerprint(job, extracts)
    if not run.force:
        _skip_if_unchanged(services, run, identity, extracts)
    acquire_list_lock(services, run, job.export.list_id)
    preflight = check_sendgrid(services.sendgrid, job.account, job.export, attempt=attempt)
    prepared = Prepared(job=job, extracts=extracts, preflight=preflight, fingerprint=identity, force=run.force)
    return _run_planner(services, blobs, prepared)


def _note_extracts(services: Services, blobs: RunBlobs, extracts: Sequence[Extract]) -> None:
    """Tell in the run's document how old the newest extracts are, however the run ends."""
    changes = {
        "extracts": tuple(extract.summary() for extract in extracts),
        "extract_delivered_at": min(extract.delivered_at for extract in extracts),
        "extract_looked_at": services.clock(),
    }
    services.store.update(blobs.document, Run, lambda run: run.model_copy(update=changes))


def _skip_if_unchanged(services: Services, run: Run, identity: str, extracts: Sequence[Extract]) -> None:
    last = services.store.find(success_blob(run.export), Success)
    if last is not None and last.document.fingerprint == identity:
        if missing := next((extract.incomplete for extract in extracts if extract.incomplete), None):
            raise RunEndError(ReasonCode.EXTRACT_INCOMPLETE, f"{missing} The delivery before it was sent already.")
        message = (
            f"Extract, export and connection are the same as in the run {last.document.run}, which succeeded"
            f" {_days_ago(services, last.document.run)}; "
            "start a run with force to send them again."
        )
        raise RunEndError(ReasonCode.UNCHANGED, message, status=RunStatus.SKIPPED)


def _days_ago(services: Services, run: str) -> str:
    """When a run was started, in words."""
    days = (services.clock().date() - datetime.strptime(run[:8], "%Y%m%d").replace(tzinfo=UTC).date()).days
    return {0: "today", 1: "yesterday"}.get(days, f"{days} days ago")


# --- what to send -------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Everything a plan is made from."""

    job: ExportWithConnection
    extracts: Sequence[Extract]
    preflight: PreflightResult
    fingerprint: str
    force: bool


class BlobSink:
    """Writes a plan's chunks and rejections into an attempt's folder, piece by piece."""

    def __init__(self, blobs: Blobs, run: RunBlobs, attempt: str) -> None:
        self._blobs = blobs
        self._run = run
        self._attempt = attempt
        self._parts = 0

    def write_chunk(self, info: ChunkInfo, lines: bytes) -> None:
        """Write one chunk."""
        self._blobs.upsert(self._run.chunk(self._attempt, info.number), lines)

    def write_rejected(self, csv_part: bytes) -> None:
        """Write one part of the list of rejected rows."""
        self._parts += 1
        self._blobs.upsert(self._run.rejected(self._attempt, self._parts), csv_part)


def _run_planner(services: Services, blobs: RunBlobs, prepared: Prepared) -> Plan:
    attempt = uuid.uuid4().hex[:12]
    job = prepared.job
    comparison = Comparison(
        services=services,
        job=job,
        extracts=prepared.extracts,
        own=current_membership(services, job),
        others=other_memberships(services, job.id, job.export.list_id),
        mapping_digest=digest_of(job.export.mapping, prepared.preflight.fields),
        force=prepared.force,
        list_count=prepared.preflight.list_count,
    )
    sends_all = comparison.sends_all
    outcome = _plan_extracts(services, blobs, prepared, attempt, comparison)
    withheld = (comparison.withheld,) if comparison.withheld else ()
    return Plan(
        attempt=attempt,
        fingerprint=prepared.fingerprint,
        export_uid=job.uid,
        connection=job.connection_id,
        connection_uid=job.through.uid,
        list_id=job.export.list_id,
        secret_name=job.connection.secret_name,
        region=job.connection.region,
        chunks=outcome.chunks,
        counts=outcome.counts,
        missing=_write_missing(services, blobs.missing(attempt), outcome.missing)
        if comparison.tells_missing
        else None,
        held=outcome.held,
        warnings=(
            *plan_warnings(
                outcome.counts, prepared.extracts, max_rejected_share=job.export.source.max_rejected_share
            ),
            *withheld,
        ),
        mapping_digest=comparison.mapping_digest,
        sends_all=sends_all,
        list_name=prepared.preflight.list_name,
        list_count=prepared.preflight.list_count,
        committed_at=services.clock(),
    )


def _plan_extracts(
    services: Services, blobs: RunBlobs, prepared: Prepared, attempt: str, comparison: Comparison
) -> PlanOutcome:
    from shared.planning.plan import plan

    export = prepared.job.export
    made_from = PlanInput(
        extracts=tuple(prepared.extracts), mapping=export.mapping, custom_fields=dict(prepared.preflight.fields)
    )
    services.store.upsert(blobs.plan_input(attempt), made_from)
    with one_planner(wait=False):
        return plan(
            prepared.extracts,
            export.mapping,
            blobs=services.extracts,
            sink=BlobSink(services.store.blobs, blobs, attempt),
            custom_fields=prepared.preflight.fields,
            max_contacts=export.max_contacts,
            members=comparison.members,
            judge_leavers=comparison.judge_leavers,
        )


def _write_missing(services: Services, name: str, data: bytes | None) -> ParquetBlob | None:
    if data is None:
        return None
    return ParquetBlob(blob=name, etag=services.store.blobs.upsert(name, data), size=len(data))


def _note_plan(services: Services, blobs: RunBlobs, plan: Plan) -> None:
    """Tell in the run's document what the plan is, also if whoever made it was cut off before."""
    made_from = services.store.find(blobs.plan_input(plan.attempt), PlanInput)
    changes = {
        "extracts": tuple(extract.summary() for extract in made_from.document.extracts) if made_from else (),
        "counts": plan.counts.model_copy(update={"sent": 0, "pending": plan.counts.sent}),
        "chunks": ChunkProgress(planned=len(plan.chunks), contacts_planned=plan.counts.sent),
        "list_name": plan.list_name,
        "list_count_before": plan.list_count,
    }
    services.store.update(blobs.document, Run, lambda run: run.model_copy(update=changes))
    log_event(
        Event.RUN_PLANNED,
        export=blobs.export,
        run=blobs.run,
        read=plan.counts.rows_read,
        planned=plan.counts.sent,
        duplicate=plan.counts.duplicate,
        rejected=plan.counts.rejected,
        chunks=len(plan.chunks),
    )


# --- hand out, or put off -----------------------------------------------------------------------------------


def _hand_out(services: Services, blobs: RunBlobs, plan: Plan | None) -> None:
    """Enqueue every chunk that has no result yet; end the run here when there is nothing to send."""
    if plan is None:
        return
    if plan.chunks:
        _enter(services, blobs, RunStatus.UPLOADING)
        enqueue_chunks(services, blobs, plan)
        return
    if plan.counts.unchanged or plan.confirms is not None:
        _enter(services, blobs, RunStatus.UPLOADING)
        finish_if_done(services, blobs.export, blobs.run)
        return
    is_empty = plan.counts.rows_read == 0
    reason = EXTRACT_EMPTY if is_empty else no_valid_contact(plan.counts)
    status = RunStatus.SKIPPED if is_empty else RunStatus.FAILED
    end_before_sending(services, blobs.export, blobs.run, status=status, reason=reason, counts=plan.counts)


def _enter(services: Services, blobs: RunBlobs, status: RunStatus) -> None:
    """Move the run on to `status`, once; while it is planned, say who does."""
    field = f"{status}_at"
    planner = services.heartbeat.process if status is RunStatus.PLANNING else None

    def change(run: Run) -> Run:
        if run.status.is_terminal:
            return run
        run = run.model_copy(update={"planner": planner, "waits_until": None})
        waits = run.status is RunStatus.WAITING_FOR_EXTRACT
        if getattr(run, field) is not None and not waits:
            return run
        return run.model_copy(update={"status": status, field: services.clock(), "waits_for": None})

    services.store.update(blobs.document, Run, change)


def _wait_for_extract(
    services: Services, blobs: RunBlobs, message: RunMessage, pending: ExtractPendingError
) -> None:
    """Say in the run's document what it waits for, and look again later."""
    changes = {
        "status": RunStatus.WAITING_FOR_EXTRACT,
        "waits_for": str(pending),
        "looked_at": services.clock(),
    }
    services.store.update(
        blobs.document, Run, lambda run: run if run.status.is_terminal else run.model_copy(update=changes)
    )
    _wait(services, blobs, message, pending.wait, why=type(pending).__name__)


def _wait(
    services: Services, blobs: RunBlobs, message: RunMessage, wait: float, *, why: str, **changes: object
) -> None:
    """Put the message off, and tell in the run's document until when."""
    changes |= {"planner": None, "waits_until": services.clock() + timedelta(seconds=wait)}
    services.store.update(
        blobs.document, Run, lambda run: run if run.status.is_terminal else run.model_copy(update=changes)
    )
    postpone(services, message, wait=wait, why=why)


def _put_off(
    services: Services, run: Run, message: RunMessage, error: TransientError | ExtractChangedError
) -> None:
    asked = error.retry_after if isinstance(error, TransientError) else None
    wait = max(asked or 0.0, backoff(message.attempt, services.jitter()))
    if services.clock() + timedelta(seconds=wait) > run.created_at + timedelta(seconds=PREPARATION_DEADLINE):
        hours = PREPARATION_DEADLINE / 3600
        reason = Reason(code=ReasonCode.UNAVAILABLE, message=f"Gave up after {hours:.0f} hours: {error}.")
        end_before_sending(services, run.export, run.id, status=RunStatus.FAILED, reason=reason)
        return
    blobs = RunBlobs(export=message.export, run=message.run)
    _wait(services, blobs, message.next_attempt(), wait, why=type(error).__name__)
