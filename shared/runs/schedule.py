"""Which due times lie in a span of time. Pure."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from shared.model.definitions import FollowRefresh, Off, OnArrival, OwnSchedule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.model.definitions import Schedule

LOOK_BACKS: Final = (timedelta(hours=1), timedelta(days=1), timedelta(days=32), timedelta(days=3660))
"""Spans to search, shortest first: after a pause a frequent schedule has many due times, and the last counts."""


def effective(schedule: Schedule, refresh: OwnSchedule | None) -> OwnSchedule | None:
    """The cron expression an export really runs on; None when no clock starts it."""
    match schedule:
        case FollowRefresh():
            return refresh
        case OwnSchedule():
            return schedule
        case OnArrival() | Off():
            return None


def last_due(schedule: OwnSchedule, *, after: datetime, until: datetime) -> datetime | None:
    """The latest due time in the span (after, until], in UTC; None when nothing was due.

    A span that missed several due times yields the last: they would all read the same newest extract.
    Where clocks go back, a time of day that comes twice is due once; where they go forward, a time of day
    that does not exist is due at the change (the rules of Debian's cron, which cronsim follows).
    """
    for look_back in LOOK_BACKS:
        start = max(after, until - look_back)
        found = list(_due_times(schedule, after=start, until=until))
        if found:
            return found[-1]
        if start == after:
            break
    return None


def next_due(schedule: OwnSchedule, *, after: datetime) -> datetime:
    """The first due time after a moment, in UTC; one comes, for an expression that names no date is refused."""
    return next_times(schedule, after=after, count=1)[0]


def next_times(schedule: OwnSchedule, *, after: datetime, count: int) -> list[datetime]:
    """The first due times after a moment, in UTC."""
    moments = CronSim(schedule.cron, after.astimezone(ZoneInfo(schedule.time_zone)))
    due_times = (due for moment in moments if (due := moment.astimezone(UTC)) > after)
    return list(itertools.islice(due_times, count))


def _due_times(schedule: OwnSchedule, *, after: datetime, until: datetime) -> Iterator[datetime]:
    try:
        for moment in CronSim(schedule.cron, after.astimezone(ZoneInfo(schedule.time_zone))):
            due = moment.astimezone(UTC)
            if due > until:
                return
            if due > after:  # in the hour that comes twice, the first due time may lie before the start
                yield due
    except CronSimError:
        return  # a date that never comes, such as 30 February
