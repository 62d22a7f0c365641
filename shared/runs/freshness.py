"""Note what a run that is about to end tells of how fresh its export is."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from pydantic import ValidationError

from shared.errors import BlobExistsError, BlobMissingError
from shared.limits import REJECTED_JUMP, REJECTED_JUMP_FROM, REJECTED_JUMP_ROWS, REJECTED_SHARES_KEPT
from shared.model.overdue import Freshness, RejectedShare
from shared.model.reasons import RunStatus
from shared.model.runs import RunKind
from shared.storage.layout import freshness_blob
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from shared.model.runs import Run
    from shared.services import Services

SUCCESSES = frozenset({RunStatus.SUCCEEDED, RunStatus.COMPLETED_WITH_WARNINGS})
"""Ends of a run that has brought what there was to bring."""


def find_freshness(services: Services, export: str, uid: str) -> Freshness:
    """What is known of an export; nothing, where it was made anew or the document cannot be read."""
    try:
        found = services.store.find(freshness_blob(export), Freshness)
    except ValidationError:
        found = None
    return found.document if found and found.document.export_uid == uid else Freshness(export_uid=uid)


def note_freshness(services: Services, run: Run) -> str | None:
    """Note what the run tells, as it is about to end; a sentence if it has rejected far more than the ones before.

    Noted again, it is the same.
    """
    if run.kind is not RunKind.SEND:
        return None
    jump: str | None = None

    def change(known: Freshness) -> Freshness:
        nonlocal jump
        jump = _jump(known, run)
        return _with_run(known, run)

    name = freshness_blob(run.export)
    for _ in range(2):
        try:
            services.store.update(name, Freshness, lambda known: change(_of_this(known, run)))
            break
        except BlobMissingError:
            try:
                services.store.create(name, change(Freshness(export_uid=run.export_uid)))
                break
            except BlobExistsError:
                continue  # another run of the export has ended at the same moment
        except ValidationError:
            services.store.blobs.delete(name)  # facts only; they are gathered anew
    return jump


def _of_this(known: Freshness, run: Run) -> Freshness:
    return known if known.export_uid == run.export_uid else Freshness(export_uid=run.export_uid)


def _with_run(known: Freshness, run: Run) -> Freshness:
    changes: dict[str, object] = {}
    is_success = run.status in SUCCESSES and run.confirms is None
    if is_success and (known.success_at is None or (run.finished_at and run.finished_at > known.success_at)):
        changes |= {"success_run": run.id, "success_at": run.finished_at}
    if run.extract_looked_at is not None and (known.looked_at is None or run.extract_looked_at >= known.looked_at):
        changes |= {"looked_at": run.extract_looked_at, "extract_delivered_at": run.extract_delivered_at}
    if run.status in SUCCESSES and run.counts.rows_read and run.retry_of is None:
        others = tuple(each for each in known.rejected if each.run != run.id)
        own = RejectedShare(run=run.id, share=_share(run))
        changes["rejected"] = (*others, own)[-REJECTED_SHARES_KEPT:]
    return known.model_copy(update=changes)


def _share(run: Run) -> float:
    return round(run.counts.rejected / run.counts.rows_read, 4)


def _jump(known: Freshness, run: Run) -> str | None:
    """What is said, and logged, of a run that rejects far more of its rows than those before it."""
    earlier = [each.share for each in known.rejected if each.run != run.id]
    if not run.counts.rows_read or len(earlier) < REJECTED_JUMP_FROM or run.counts.rejected < REJECTED_JUMP_ROWS:
        return None
    share, usual = _share(run), median(earlier)
    if share < 2 * usual or share < usual + REJECTED_JUMP:
        return None
    log_event(Event.REJECTED_JUMPED, export=run.export, run=run.id, share=share, usual=usual)
    return f"{share:.1%} of the rows were rejected; in the {len(earlier)} runs before it was {usual:.1%}."
