"""Who looks for arrivals, and when: one look at a time serves all events that came before it began.

Whoever wants a look reads one document, and mostly that is all. The document names the message that looks next by
its token; a message with another token has nothing to do. A message that is lost is late by the document, and the
timer asks for another one.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.definitions.manage import list_exports
from shared.errors import BlobExistsError, BlobMissingError
from shared.limits import ARRIVAL_LOOK, EVENTS_GATHERED, LOOK_LOST, QUEUE_DELAY_MAX, SWEEP_AFTER
from shared.model.arrival import LookMessage, LookOut
from shared.storage.layout import LOOK_OUT_BLOB

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from shared.services import Services
    from shared.storage.documents import Store

LOOKS_MISSED = 3
"""So many of the timer's looks may be late before something is wrong."""


def ask_for_look(services: Services, *, within: float) -> None:
    """Have a look taken within so many seconds: the one that is on its way if it comes by then, else another."""
    now, token = services.clock(), _new_token()
    mine = LookOut(token=token, at=now + timedelta(seconds=within), looked_at=now)

    def change(known: LookOut) -> LookOut:
        if _is_under_way(known, now):
            return known.model_copy(update={"again": True})
        comes = known.token is not None and known.begun_at is None and not _is_late(known, now)
        return known if comes and known.at <= mine.at else mine.model_copy(update={"looked_at": known.looked_at})

    if _changed(services, change, mine).token == token:
        send_look(services, LookMessage(look=token), delay=within)


def begin_look(services: Services, token: str) -> bool:
    """Whether the message with this token is to look now; a look that was cut off begins again."""
    now = services.clock()

    def change(known: LookOut) -> LookOut:
        return known.model_copy(update={"begun_at": now}) if known.token == token else known

    try:
        return services.store.update(LOOK_OUT_BLOB, LookOut, change).token == token
    except BlobMissingError:
        return False


def end_look(services: Services, token: str, *, next_at: datetime | None) -> None:
    """Note that the look is over, and have the next one taken at `next_at`, or soon if somebody has asked."""
    now, following = services.clock(), _new_token()
    nobody = LookOut(at=now, looked_at=now)

    def change(known: LookOut) -> LookOut:
        if known.token != token:
            return known  # it took so long that another one was sent
        wanted = [next_at] if next_at else []
        if known.again:
            wanted.append(now + timedelta(seconds=EVENTS_GATHERED))
        return LookOut(token=following, at=max(min(wanted), now), looked_at=now) if wanted else nobody

    changed = services.store.update(LOOK_OUT_BLOB, LookOut, change)
    if changed.token == following:
        send_look(services, LookMessage(look=following), delay=(changed.at - now).total_seconds())


def keep_looking(services: Services) -> None:
    """Ask for a look if one is late, or the last one long ago: an event may have been lost. For the timer.

    Where no export waits for its extract, that is all there was to see.
    """
    now = services.clock()
    found = services.store.find(LOOK_OUT_BLOB, LookOut)
    if found is not None:
        known = found.document
        is_recent = now - known.looked_at < timedelta(seconds=ARRIVAL_LOOK)
        if _is_under_way(known, now) or (is_recent and not _is_late(known, now)):
            return
    if any(saved.definition.is_awaiting for saved in list_exports(services)):
        ask_for_look(services, within=0)
        return
    seen = LookOut(at=now, looked_at=now)
    _changed(services, lambda known: seen if known.token is None or _is_late(known, now) else known, seen)


def late_look(store: Store, now: datetime) -> str | None:
    """What is wrong with looks for arrivals, as a sentence; None if they are taken, or nobody wants one."""
    found = store.find(LOOK_OUT_BLOB, LookOut)
    if found is None or found.document.token is None:
        return None
    silence = now - found.document.looked_at
    due = max(found.document.at - found.document.looked_at, timedelta(0))
    if silence <= due + timedelta(seconds=ARRIVAL_LOOK * LOOKS_MISSED):
        return None
    minutes = silence.total_seconds() / 60
    return (
        f"Arrivals of extracts were looked for {minutes:.0f} min ago, and not since: the function extract_arrived "
        "does not run, or cannot end."
    )


def send_look(services: Services, message: LookMessage, *, delay: float) -> None:
    """Put a message on the queue of events, visible after `delay` seconds."""
    services.queues.send(message.queue, message.model_dump_json(), delay=min(delay, QUEUE_DELAY_MAX))


def _is_under_way(known: LookOut, now: datetime) -> bool:
    return known.begun_at is not None and now - known.begun_at < timedelta(seconds=LOOK_LOST)


def _is_late(known: LookOut, now: datetime) -> bool:
    """Whether a look was to come, or to end, so long ago that its message is lost."""
    if known.token is None:
        return False
    if known.begun_at is not None:
        return not _is_under_way(known, now)
    return known.at < now - timedelta(seconds=SWEEP_AFTER)


def _changed(services: Services, change: Callable[[LookOut], LookOut], first: LookOut) -> LookOut:
    try:
        return services.store.update(LOOK_OUT_BLOB, LookOut, change)
    except BlobMissingError:
        try:
            services.store.create(LOOK_OUT_BLOB, first)
        except BlobExistsError:  # somebody else was the first
            return services.store.update(LOOK_OUT_BLOB, LookOut, change)
    return first


def _new_token() -> str:
    return uuid.uuid4().hex[:12]
