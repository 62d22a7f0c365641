"""What there is to tell of a run or an export. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.model.notifications import Notice, NoticeType, notice_id
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import RunStatus
from shared.model.runs import RunKind

if TYPE_CHECKING:
    from datetime import datetime

    from shared.model.definitions import Export, Saved
    from shared.model.overdue import Overdue
    from shared.model.runs import Run

COUNTS: Final = ("rows_read", "sent", "unchanged", "duplicate", "rejected", "not_sent", "removed", "not_removed")


def run_ended(run: Run) -> Notice | None:
    """That a run is over; None of one that was to send nothing: whoever started it looks at it."""
    if run.kind is not RunKind.SEND or run.finished_at is None:
        return None
    return Notice(
        id=notice_id("run.ended", run.export_uid or "", run.export, run.id),
        types=_types(run),
        at=run.finished_at,
        export=run.export,
        connection=run.connection,
        run=run.id,
        trigger=run.trigger,
        status=run.status,
        reason=str(run.reason.code) if run.reason else None,
        counts={name: getattr(run.counts, name) for name in COUNTS}
        | {"removals_to_confirm": run.removals_to_confirm},
    )


def _types(run: Run) -> tuple[NoticeType, ...]:
    waiting = (NoticeType.REMOVALS_WAITING,) if run.removals_to_confirm else ()
    warned = (NoticeType.RUN_WARNED,) if needs_a_look(run) else ()
    return (*waiting, *warned, NoticeType.RUN_ENDED)


def needs_a_look(run: Run) -> bool:
    """Whether somebody should look at how a run ended."""
    match run.status:
        case RunStatus.FAILED | RunStatus.COMPLETED_WITH_WARNINGS:
            return True
        case RunStatus.SKIPPED:
            return run.reason is None or run.reason.code is not ReasonCode.UNCHANGED
        case _:
            return False


def list_ready(run: Run) -> Notice | None:
    """That a run's list is ready; None where that is not known."""
    if run.list_ready_at is None:
        return None
    counts = {} if run.list_count_settled is None else {"on_list": run.list_count_settled}
    return Notice(
        id=notice_id("list.ready", run.export_uid, run.export, run.id),
        types=(NoticeType.LIST_READY,),
        at=run.list_ready_at,
        export=run.export,
        connection=run.connection,
        run=run.id,
        trigger=run.trigger,
        status=run.status,
        counts=counts,
    )


def export_overdue(saved: Saved[Export], overdue: Overdue) -> Notice:
    """That an export is overdue."""
    return Notice(
        id=notice_id("export.overdue", saved.uid, saved.id, overdue.since.isoformat()),
        types=(NoticeType.EXPORT_OVERDUE,),
        at=overdue.since,
        export=saved.id,
        connection=saved.definition.connection,
        reason=overdue.code,
        since=overdue.since,
    )


def export_recovered(saved: Saved[Export], overdue: Overdue, now: datetime) -> Notice:
    """That it is overdue no more."""
    return Notice(
        id=notice_id("export.recovered", saved.uid, saved.id, overdue.since.isoformat()),
        types=(NoticeType.EXPORT_RECOVERED,),
        at=now,
        export=saved.id,
        connection=saved.definition.connection,
        reason=overdue.code,
        since=overdue.since,
    )
