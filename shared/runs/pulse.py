"""The pulse of the timers: each tick leaves its time, and three that are missed tell that something is wrong.

A host whose timers do not run answers as if all were well: a setting that a timer needs may be missing, or its
listener may not have started.
"""

from __future__ import annotations

from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Final

from pydantic import AwareDatetime

from shared.errors import BlobExistsError, BlobMissingError
from shared.limits import FIRST_TICK_WITHIN, TICKS_MISSED
from shared.model.documents import Document
from shared.storage.layout import pulse_blob

if TYPE_CHECKING:
    from datetime import datetime

    from shared.storage.documents import Store

TIMERS: Final = ("refresh_exports", "sweep")
TICKS_KEPT: Final = 6


class Pulse(Document):
    """When a timer last ticked, newest last."""

    ticks: tuple[AwareDatetime, ...]

    @property
    def interval(self) -> timedelta:
        """The usual time between two ticks; zero while it is not known."""
        between = [after - before for before, after in zip(self.ticks, self.ticks[1:], strict=False)]
        return timedelta(seconds=median(gap.total_seconds() for gap in between)) if between else timedelta()


def note_tick(store: Store, timer: str, now: datetime) -> None:
    """Leave the time of a tick."""
    name = pulse_blob(timer)
    try:
        store.update(name, Pulse, lambda pulse: Pulse(ticks=(*pulse.ticks[1 - TICKS_KEPT :], now)))
    except BlobMissingError:
        try:
            store.create(name, Pulse(ticks=(now,)))
        except BlobExistsError:
            return  # the same tick on another instance


def missed(store: Store, timer: str, *, now: datetime, up_since: datetime) -> str | None:
    """What is wrong with a timer, as a sentence; None if it ticks, or has not had the time to."""
    found = store.find(pulse_blob(timer), Pulse)
    if found is None:
        waited = now - up_since
        if waited < timedelta(seconds=FIRST_TICK_WITHIN):
            return None
        return f"The timer {timer} has never ticked, {_words(waited)} after the app's start."
    pulse = found.document
    silence = now - pulse.ticks[-1]
    allowed = max(pulse.interval * TICKS_MISSED, timedelta(seconds=FIRST_TICK_WITHIN / TICKS_MISSED))
    if silence <= allowed:
        return None
    usual = f", and usually does every {_words(pulse.interval)}" if pulse.interval else ""
    return f"The timer {timer} ticked last {_words(silence)} ago{usual}."


def _words(span: timedelta) -> str:
    seconds = span.total_seconds()
    if seconds < 120:  # noqa: PLR2004 - two minutes
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"  # noqa: PLR2004 - two hours
