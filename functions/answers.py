"""What the API answers: one model for each, from which its description is made, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import azure.functions as func
from pydantic import AwareDatetime

from shared.definitions.segments import Segment
from shared.model.audit import AuditEntry
from shared.model.definitions import Actor, Connection, Export
from shared.model.documents import Document
from shared.model.notifications import NotificationOutcome, NotificationTarget
from shared.model.overdue import Overdue
from shared.model.reasons import Reason, RunStatus
from shared.model.warning_codes import ExportWarning
from shared.runs.views import RunView
from shared.sendgrid.choices import ContactList

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from shared.model.definitions import Saved
    from shared.model.notifications import TargetState
    from shared.model.runs import Run

TYPE: Final = "SendGrid"
"""What connections of this app lead to."""


class ConnectionSummary(Document):
    """What those see of a connection who do not administer it."""

    id: str
    display_name: str
    type: Literal["SendGrid"] = TYPE


class ConnectionView(Connection):
    """A connection, as administrators see it."""

    id: str
    type: Literal["SendGrid"] = TYPE
    uid: str
    created_at: AwareDatetime
    created_by: Actor
    updated_at: AwareDatetime
    updated_by: Actor
    key_command: str | None
    """The command that stores its API key; null where `PUT /api/connections/{id}/key` does."""


class ExportView(Export):
    """An export."""

    id: str
    uid: str
    """Never given twice: an export made anew under an old id is another one."""
    created_at: AwareDatetime
    created_by: Actor
    updated_at: AwareDatetime
    updated_by: Actor
    next_run_at: AwareDatetime | None
    """When it is due next; null where no clock starts it, or it is disabled or detached."""
    warnings: tuple[ExportWarning, ...]
    """What will hinder it."""


class LastRun(Document):
    """How an export went last."""

    id: str
    status: RunStatus
    reason: Reason | None
    created_at: AwareDatetime
    finished_at: AwareDatetime | None


class ExportDetails(ExportView):
    """An export, and how it went last."""

    last_run: LastRun | None
    """The newest run, dry runs and adoptions apart, of those that the caller may see."""
    overdue: Overdue | None
    """Since when it does not do what its `expect_every` says, and why, as the timer has seen it last."""
    waits_for: str | None
    """What starts it next, as a sentence, where that is its extract; null where it is not."""


class ConnectionList(Document):
    """The connections that the caller may use."""

    connections: tuple[ConnectionView | ConnectionSummary, ...]


class ExportList(Document):
    """The exports through connections that the caller may use."""

    exports: tuple[ExportDetails, ...]
    next: str | None
    """Address of the next page."""


class SegmentList(Document):
    """The segments that the caller may export."""

    segments: tuple[Segment, ...]


class NotificationView(NotificationTarget):
    """A notification target, and how telling it went last."""

    id: str
    uid: str
    created_at: AwareDatetime
    created_by: Actor
    updated_at: AwareDatetime
    updated_by: Actor
    last_delivery: NotificationOutcome | None
    """The newest notification that it took."""
    last_error: NotificationOutcome | None
    """The newest try that failed."""
    last_lost: NotificationOutcome | None
    """The newest notification that was given up, after a day or since the address is gone."""
    gone: bool
    """Whether it answered 410 and is told no more, until it is saved again."""
    warnings: tuple[ExportWarning, ...]
    """What will keep it from being told; looked at as it is saved, and at no other time."""


class NotificationList(Document):
    """Notification targets."""

    notifications: tuple[NotificationView, ...]


class RunPage(Document):
    """Runs, newest first."""

    runs: tuple[RunView, ...]
    next: str | None
    """Address of the next page."""


class StartedRuns(Document):
    """Runs that were started together, by export."""

    runs: tuple[RunView, ...]


class Lists(Document):
    """The lists of an account, by name."""

    lists: tuple[ContactList, ...]


class Health(Document):
    """Whether everything runs that has to."""

    status: Literal["ok", "degraded"]
    version: str
    """Of the app."""
    problems: tuple[str, ...] | None = None
    """What does not."""


class AuditPage(Document):
    """Entries of the audit log, newest first."""

    entries: tuple[AuditEntry, ...]
    unreadable: int
    """Lines that are no entries."""
    cursor: str | None = None
    """Where to go on; left out at the end of the log."""


def connection_view(saved: Saved[Connection], *, key_command: str | None) -> ConnectionView:
    """A saved connection as administrators see it."""
    return ConnectionView.model_validate({**_flat(saved), "key_command": key_command})


def export_view(
    saved: Saved[Export], *, next_run_at: datetime | None, warnings: Iterable[ExportWarning]
) -> ExportView:
    """A saved export."""
    return ExportView.model_validate({**_flat(saved), "next_run_at": next_run_at, "warnings": tuple(warnings)})


def notification_view(
    saved: Saved[NotificationTarget], state: TargetState, warnings: Iterable[ExportWarning]
) -> NotificationView:
    """A saved notification target."""
    went = {name: getattr(state, name) for name in ("last_delivery", "last_error", "last_lost")}
    gone = state.gone == saved.updated_at
    return NotificationView.model_validate({**_flat(saved), **went, "gone": gone, "warnings": tuple(warnings)})


def export_details(
    view: ExportView, run: Run | None, *, overdue: Overdue | None, waits_for: str | None
) -> ExportDetails:
    """A saved export, its last run, whether it is overdue, and what starts it next."""
    last = LastRun.model_validate({name: getattr(run, name) for name in LastRun.model_fields}) if run else None
    return ExportDetails.model_validate(
        {**dict(view), "last_run": last, "overdue": overdue, "waits_for": waits_for}
    )


def _flat(saved: Saved[Any]) -> dict[str, Any]:
    """A saved definition with its members beside id and times."""
    own = {name: value for name, value in saved if name != "definition"}
    return {**dict(saved.definition), **own}


def answer(
    document: Document, *, status: int = 200, etag: str | None = None, exclude_none: bool = False, **headers: str
) -> func.HttpResponse:
    """A JSON answer; header names are given with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if etag is not None:
        named["ETag"] = f'"{etag}"'
    body = document.model_dump_json(exclude_none=exclude_none)
    return func.HttpResponse(body, status_code=status, headers=named, mimetype="application/json", charset="utf-8")
