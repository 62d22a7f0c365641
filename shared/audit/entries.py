"""What is written into the audit log of requests and runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from shared.model.audit import (
    AdditionalInfo,
    ApiProperties,
    AuditEntry,
    Category,
    Identity,
    Level,
    ResultType,
    WorkflowProperties,
)
from shared.model.documents import Document
from shared.model.reasons import RunStatus
from shared.model.runs import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from shared.model.audit import AuditedRequest
    from shared.model.runs import Run

CLIENT_ERROR: Final = 400
SERVER_ERROR: Final = 500

ENDS: Final[Mapping[RunStatus, tuple[ResultType, Level]]] = {
    RunStatus.SUCCEEDED: (ResultType.SUCCESSFUL, Level.INFORMATIONAL),
    RunStatus.COMPLETED_WITH_WARNINGS: (ResultType.SUCCESSFUL, Level.WARNING),
    RunStatus.FAILED: (ResultType.FAILURE, Level.ERROR),
    RunStatus.SKIPPED: (ResultType.SKIPPED, Level.INFORMATIONAL),
    RunStatus.CANCELLED: (ResultType.SKIPPED, Level.INFORMATIONAL),
}
"""What the ends of a run are in Customer Insights' words; it has none for cancelled."""


def intent(request: AuditedRequest, now: datetime) -> AuditEntry:
    """The operation is about to be done."""
    return _api_entry(request, now, ResultType.RUNNING, Level.INFORMATIONAL)


def outcome(
    request: AuditedRequest,
    now: datetime,
    *,
    status: int,
    duration_ms: int | None = None,
    before: Document | None = None,
    after: Document | None = None,
    made: str | None = None,
) -> AuditEntry:
    """The operation ended with an HTTP status; it made `before` into `after`, or the export `made` of another."""
    result, level, operation_status = _judged(status)
    changes = {} if before is None and after is None else _changes(before, after)
    entry = _api_entry(request, now, result, level, operation_status=operation_status, made=made, **changes)
    return entry.model_copy(update={"result_signature": str(status), "duration_ms": duration_ms})


def denial(request: AuditedRequest, now: datetime, *, status: int, count: int = 1) -> AuditEntry:
    """The caller was not allowed, `count` times."""
    entry = _api_entry(
        request,
        now,
        ResultType.CLIENT_ERROR,
        Level.WARNING,
        operation_status="ClientError",
        denied=True,
        count=count if count > 1 else None,
    )
    return entry.model_copy(update={"result_signature": str(status)})


def _judged(status: int) -> tuple[ResultType, Level, str]:
    if status < CLIENT_ERROR:
        return ResultType.SUCCESS, Level.INFORMATIONAL, "Success"
    if status < SERVER_ERROR:
        return ResultType.CLIENT_ERROR, Level.WARNING, "ClientError"
    return ResultType.FAILURE, Level.ERROR, "Error"


def _api_entry(
    request: AuditedRequest,
    now: datetime,
    result: ResultType,
    level: Level,
    **properties: Any,  # noqa: ANN401 - checked by the model
) -> AuditEntry:
    caller = request.caller
    roles = {"user_role": ",".join(sorted(caller.roles)), "required_roles": request.required_roles}
    return AuditEntry(
        time=now,
        operation_name=request.operation,
        category=Category.AUDIT,
        result_type=result,
        level=level,
        correlation_id=request.correlation_id,
        identity=Identity.model_validate({"authorization": roles}),
        properties=ApiProperties(
            method=request.method,
            path=request.path,
            caller_object_id=caller.id,
            caller_type=caller.kind,
            connection=request.connection,
            export=request.export,
            run=request.run,
            segment=request.segment,
            notification=request.notification,
            **properties,
        ),
    )


def run_started(run: Run, now: datetime, *, connection: str, submitted_by: str | None) -> AuditEntry:
    """A run begins; `submitted_by` is the id of who asked for it, None for a schedule."""
    return _run_entry(run, now, "Started", ResultType.RUNNING, connection=connection, submitted_by=submitted_by)


def run_ended(run: Run, now: datetime, *, connection: str | None, submitted_by: str | None) -> AuditEntry:
    """A run is over; `run.status` is terminal."""
    result, level = ENDS[run.status]
    entry = _run_entry(run, now, "Completed", result, connection=connection, submitted_by=submitted_by)
    took = (run.finished_at - run.created_at) if run.finished_at else None
    duration = round(took.total_seconds() * 1000) if took is not None else None
    return entry.model_copy(update={"level": level, "duration_ms": duration})


def _run_entry(
    run: Run, now: datetime, phase: str, result: ResultType, *, connection: str | None, submitted_by: str | None
) -> AuditEntry:
    code = str(run.reason.code) if run.reason else None
    return AuditEntry(
        time=now,
        operation_name=f"Export.Workflow{phase}",
        category=Category.OPERATIONAL,
        result_type=result,
        correlation_id=run.id,
        properties=WorkflowProperties(
            workflow_job_id=run.id,
            submitted_by=submitted_by,
            workflow_submission_kind="OnDemand" if run.trigger is Trigger.ON_DEMAND else "Scheduled",
            workflow_status=run.status,
            submitted_timestamp=run.created_at,
            start_timestamp=run.planning_at,
            end_timestamp=run.finished_at,
            identifier=run.export,
            connection=connection,
            additional_info=AdditionalInfo(kind=run.kind, message_code=code),
        ),
    )


def _changes(before: Document | None, after: Document | None) -> dict[str, tuple[str, ...]]:
    gone, come = changed_fields(before, after)
    return {"fields_before": gone, "fields_after": come}


def changed_fields(before: Document | None, after: Document | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the fields that differ: those that were there before, and those that are there afterwards.

    A name in both has another value; one in the first only is gone; one in the second only is new. What people
    name themselves, such as the custom fields of a mapping, is a value: `mapping.custom_fields` has changed.
    """
    old, new = dict(_fields(before)), dict(_fields(after))
    changed = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    return tuple(name for name in changed if name in old), tuple(name for name in changed if name in new)


def _fields(document: Document | None, path: str = "") -> Iterator[tuple[str, object]]:
    """Fields that have a value, by their dotted paths."""
    for name in type(document).model_fields if document is not None else ():
        value = getattr(document, name)
        if isinstance(value, Document):
            yield from _fields(value, f"{path}{name}.")
        elif value is not None:
            yield f"{path}{name}", value
