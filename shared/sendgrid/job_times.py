"""How long SendGrid's import jobs take, learned from the newest ones. Pure.

SendGrid publishes no times. A job says itself when it was made and when it ended, if it does; else the looks at it
say between which moments it ended.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Final

from shared.limits import IMPORT_DEADLINE, POLL_FIRST
from shared.model.documents import Document

if TYPE_CHECKING:
    from shared.sendgrid.api import ImportJob

TIMES_KEPT: Final = 7
"""Newest times that are kept: a few, so that a slower day is noticed, and enough to outvote a stray one."""

SEEN_SHARE: Final = 0.75
"""Of the time at which a job was seen to have ended, where nobody says when it did: a look that comes too early
costs one more, a look that comes too late costs time."""

GROWTH_MAX: Final = 1.5
"""Most of the time at which a job was last seen to run: looks that were not answered may lie between."""

LATE_LOOK: Final = 2.0
"""A first look later than so many times the expected time says nothing: messages may have been lost before."""


class JobTimes(Document):
    """Seconds that the newest jobs took from acceptance to their end, the oldest first."""

    upserts: tuple[float, ...] = ()
    removals: tuple[float, ...] = ()

    def expected(self, *, removal: bool) -> float | None:
        """Seconds that the next job will likely take; None while nothing is known."""
        times = self.removals if removal else self.upserts
        return median(times) if times else None

    def with_time(self, seconds: float, *, removal: bool) -> JobTimes:
        """The times after one more job; one that nobody waits for is not believed."""
        if not 0 < seconds <= IMPORT_DEADLINE:
            return self
        name = "removals" if removal else "upserts"
        times = (*getattr(self, name), round(seconds, 1))[-TIMES_KEPT:]
        return self.model_copy(update={name: times})


def estimate(job: ImportJob, *, ran: float | None, seen: float, expected: float | None) -> float | None:
    """Seconds that a job took which has ended; None if nothing can be said.

    Args:
        job: As it was told when it was seen to have ended.
        ran: Seconds after acceptance at which it was last seen to run, if it was.
        seen: Seconds after acceptance at which it was seen to have ended.
        expected: Seconds that it was expected to take, if that was known.
    """
    if job.seconds is not None:
        return min(max(job.seconds, ran or 0), seen)
    if ran is not None:
        return min(max(ran, seen * SEEN_SHARE), ran * GROWTH_MAX)
    return seen * SEEN_SHARE if seen <= LATE_LOOK * (expected or POLL_FIRST) else None
