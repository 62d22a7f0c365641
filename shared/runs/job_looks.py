"""When import jobs are looked at. Pure.

Where recent jobs say how long one takes, it is looked at once half-way, for it may be quicker, then at its likely
end, and from there on ever less often, beginning anew with a short wait. Where nothing is known, ever less often
from acceptance on. All times are seconds; ages are counted from the newest acceptance.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from shared.limits import POLL_CAP, POLL_CLOSE, POLL_FIRST

if TYPE_CHECKING:
    from datetime import datetime

    from shared.model.runs import Delivery


def age_of(delivery: Delivery, now: datetime) -> float:
    """Seconds since the newest acceptance; 0 for a clock that was set back."""
    newest = max(accepted.accepted_at for accepted in delivery.accepted)
    return max(0.0, (now - newest).total_seconds())


def first_wait(expected: float | None, age: float) -> float:
    """From the moment when all is accepted to the first look."""
    if expected is None:
        return POLL_FIRST
    half = expected / 2
    return _bounded((half if half >= POLL_FIRST else expected) - age)


def next_wait(expected: float | None, age: float, attempt: int) -> float:
    """From the `attempt`-th look, which found a job running, to the next.

    Up to the likely end it is rounded down: queues round waits up to whole seconds, and are late themselves.
    """
    if expected is None:
        return poll_wait(attempt)
    overdue = age - expected
    return _bounded(POLL_CLOSE + overdue / 2 if overdue >= 0 else math.floor(-overdue))


def poll_wait(attempt: int) -> float:
    """From the `attempt`-th look to the next: half as long again each time, up to POLL_CAP."""
    return min(POLL_CAP, POLL_FIRST * 1.5 ** min(attempt - 1, 30))


def export_wait(age: float) -> float:
    """To the next look at an export of a list, asked for `age` seconds ago: half as long again each time."""
    return min(POLL_CAP, max(POLL_FIRST, age / 2))


def _bounded(wait: float) -> float:
    return min(POLL_CAP, max(POLL_CLOSE, wait))
