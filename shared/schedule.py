"""Which due times lie in a span of time. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from shared.model import FollowRefresh, Off, OwnSchedule

if TYPE_CHECKING:
    from shared.model import Schedule


def effective(schedule: Schedule, refresh: OwnSchedule | None) -> OwnSchedule | None:
    """The cron expression an export really runs on; None when it only runs on demand."""
    match schedule:
        case FollowRefresh():
            return refresh
        case OwnSchedule():
            return schedule
        case Off():
            return None


def last_due(schedule: OwnSchedule, *, after: datetime, until: datetime) -> datetime | None:
    """The latest due time in the span (after, until], in UTC; None when nothing was due.

    A span that missed several due times yields the last: they would all read the same newest extract.
    Where clocks go back, a time of day that comes twice is due once; where they go forward, a time of day
    that does not exist is due at the change (the rules of Debian's cron, which cronsim follows).
    """
    zone = ZoneInfo(schedule.time_zone)
    # cronsim looks for moments strictly before its start, at whole minutes
    start = until.astimezone(zone).replace(second=0, microsecond=0) + timedelta(minutes=1)
    try:
        due = next(CronSim(schedule.cron, start, reverse=True)).astimezone(UTC)
    except (StopIteration, CronSimError):
        return None
    return due if after < due <= until else None
