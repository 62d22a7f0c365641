"""Tell which exports are overdue: those that say how often they are to succeed, and do not.

The timer looks at all exports every few minutes, some at a tick. An export is overdue when no run of it has
succeeded for longer than its `expect_every`, or when a run has looked and found no extract younger than that. So
`unchanged`, again and again, is no success. Whoever wants to know is told when it becomes so and when it ends; the
document of the export keeps the state, and is written only once that is sure to be told.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from shared.definitions.manage import list_export_ids, read_listed_export
from shared.errors import BlobChangedError, BlobExistsError
from shared.limits import OVERDUE_EVERY, OVERDUE_EXPORTS_A_TICK
from shared.model.durations import written
from shared.model.overdue import ExportWatch, Overdue, WatchState
from shared.model.warning_codes import ExportWarning, WarningCode
from shared.notifications.run_notices import export_overdue, export_recovered
from shared.notifications.tell import tell
from shared.runs.freshness import find_freshness
from shared.storage.layout import EXPORT_WATCHES, WATCH_STATE_BLOB, export_watch_blob
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from datetime import datetime

    from shared.model.definitions import Export, Saved
    from shared.model.overdue import Freshness
    from shared.services import Services
    from shared.storage.documents import Versioned

WORDS: Final[dict[str, str]] = {
    WarningCode.NO_SUCCESS: (
        "No run has succeeded in time: it is overdue since {since}, and expected every {every}."
    ),
    WarningCode.NO_NEW_EXTRACT: (
        "The source has delivered no new extract in time: it is overdue since {since}, and expected every {every}."
    ),
}


def watch_exports(services: Services) -> None:
    """Look at the next exports, if it is time to."""
    now = services.clock()
    found = services.store.find(WATCH_STATE_BLOB, WatchState)
    state = found.document if found else None
    if state is None or not state.after:
        if state is not None and now - state.begun_at < timedelta(seconds=OVERDUE_EVERY):
            return
        state = WatchState(begun_at=now)
    ids = list(islice(list_export_ids(services, after=state.after or None), OVERDUE_EXPORTS_A_TICK))
    watched = {item.name for item in services.store.blobs.list_blobs(EXPORT_WATCHES)}
    for export in ids:
        _look(services, export, now, is_known=export_watch_blob(export) in watched)
    after = ids[-1] if len(ids) == OVERDUE_EXPORTS_A_TICK else ""
    services.store.upsert(WATCH_STATE_BLOB, state.model_copy(update={"after": after}))


def _look(services: Services, export: str, now: datetime, *, is_known: bool) -> None:
    saved = read_listed_export(services, export)
    if saved is None:
        return
    name = export_watch_blob(export)
    found = _find_watch(services, saved) if is_known else None
    if saved.definition.expect_every is None or not saved.definition.enabled:
        if is_known:
            services.store.blobs.delete(name)  # nobody says that it has recovered: it is not watched any more
        return
    watch = found.document if found else ExportWatch(export_uid=saved.uid, watched_since=now)
    overdue = judge(saved.definition, find_freshness(services, saved.id, saved.uid), watch.watched_since, now)
    if overdue is not None and watch.overdue is not None:
        overdue = overdue.model_copy(update={"since": watch.overdue.since})
    if not _told(services, saved, watch.overdue, overdue, now):
        return  # it is told at the next look
    changed = watch.model_copy(update={"overdue": overdue})
    try:
        if found is None:
            services.store.create(name, changed)
        elif changed != watch:
            services.store.replace(name, changed, etag=found.etag)
    except (BlobExistsError, BlobChangedError):
        return  # another tick looks at the same moment
    if overdue is not None:
        late = (now - overdue.since).total_seconds()
        log_event(
            Event.EXPORT_OVERDUE, level=logging.WARNING, export=export, code=overdue.code, late_s=round(late)
        )


def _find_watch(services: Services, saved: Saved[Export]) -> Versioned[ExportWatch] | None:
    """How the export was doing; what is left of an earlier one of that id, or cannot be read, goes."""
    name = export_watch_blob(saved.id)
    try:
        found = services.store.find(name, ExportWatch)
    except ValidationError:
        services.store.blobs.delete(name)
        return None
    if found is not None and found.document.export_uid != saved.uid:
        services.store.blobs.delete(name)
        return None
    return found


def _told(
    services: Services, saved: Saved[Export], before: Overdue | None, after: Overdue | None, now: datetime
) -> bool:
    """Whether a change is told to whoever wants to know; no change is."""
    if before is None and after is not None:
        return tell(services, export_overdue(saved, after))
    if before is not None and after is None:
        log_event(Event.EXPORT_RECOVERED, export=saved.id)
        return tell(services, export_recovered(saved, before, now))
    return True


def judge(export: Export, known: Freshness, watched_since: datetime, now: datetime) -> Overdue | None:
    """Whether the export is overdue, since when, and for want of what. Pure.

    Only a run that has looked since tells that there is no new extract.
    """
    every = export.expect_every
    if every is None:
        return None
    if known.extract_delivered_at is not None and known.looked_at is not None:
        stale_at = max(known.extract_delivered_at, watched_since) + every
        if stale_at <= known.looked_at and stale_at <= now:
            return Overdue(since=stale_at, code=WarningCode.NO_NEW_EXTRACT)
    late_at = max(known.success_at or watched_since, watched_since) + every
    return Overdue(since=late_at, code=WarningCode.NO_SUCCESS) if late_at <= now else None


def find_overdue(services: Services, saved: Saved[Export]) -> Overdue | None:
    """Whether an export was overdue when the timer last looked; None where it is not watched."""
    if saved.definition.expect_every is None or not saved.definition.enabled:
        return None
    try:
        found = services.store.find(export_watch_blob(saved.id), ExportWatch)
    except ValidationError:
        return None
    return found.document.overdue if found and found.document.export_uid == saved.uid else None


def as_warning(export: Export, overdue: Overdue) -> ExportWarning:
    """The same in words."""
    words = WORDS.get(overdue.code, "")
    since = f"{overdue.since:%Y-%m-%d %H:%M UTC}"
    every = written(export.expect_every) if export.expect_every else ""
    return ExportWarning(code=overdue.code, message=words.format(since=since, every=every))
