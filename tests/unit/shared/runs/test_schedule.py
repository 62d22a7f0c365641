from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.model.definitions import FollowRefresh, Off
from shared.runs.schedule import effective, last_due
from tests.support.factories import NOW, a_schedule

if TYPE_CHECKING:
    from shared.model.definitions import OwnSchedule

CHANGES = {
    "Europe/Stockholm": ("2026-03-29T01:00+00:00", "2026-10-25T01:00+00:00"),
    "America/New_York": ("2026-03-08T07:00+00:00", "2026-11-01T06:00+00:00"),
    "Australia/Lord_Howe": ("2026-10-03T15:30+00:00", "2026-04-04T15:00+00:00"),
    "Asia/Kolkata": ("2026-03-29T01:00+00:00",),
    "UTC": ("2026-03-29T01:00+00:00",),
}
"""When each zone's clocks change; zones without a change get any moment."""

DAILY = ("30 6 * * *", "0 0 * * *", "30 2 * * *", "45 1 * * *", "15 2 * * *", "0 3 * * *", "59 23 * * *")
CRONS = (*DAILY, "*/15 * * * *", "0 * * * *", "0 */4 * * *", "0,30 1-3 * * *", "30 6 * * MON-FRI", "0 2 1,29 * *")

zones_and_changes = st.sampled_from([(zone, change) for zone, changes in CHANGES.items() for change in changes])
minutes_around = st.integers(min_value=-40 * 60, max_value=40 * 60)
seconds_within = st.integers(min_value=0, max_value=59)


def due_times(schedule: OwnSchedule, *, after: datetime, until: datetime) -> list[datetime]:
    """Every due time in (after, until], by walking forward from days before."""
    start = (after - timedelta(days=3)).astimezone(ZoneInfo(schedule.time_zone))
    found: set[datetime] = set()
    for due in CronSim(schedule.cron, start):
        if due.astimezone(UTC) > until:
            return sorted(found)
        found |= {due.astimezone(UTC)} if due.astimezone(UTC) > after else set()
    return sorted(found)


def moment(change: str, minutes: int, seconds: int = 0) -> datetime:
    return datetime.fromisoformat(change) + timedelta(minutes=minutes, seconds=seconds)


@given(
    cron=st.sampled_from(CRONS),
    place=zones_and_changes,
    ends=st.tuples(minutes_around, minutes_around, seconds_within),
)
def test_the_last_due_time_is_the_last_of_all_due_times(
    cron: str, place: tuple[str, str], ends: tuple[int, int, int]
) -> None:
    zone, change = place
    # where clocks change by half an hour, cronsim passes over a repeating time when it walks across the change
    assume(not (zone == "Australia/Lord_Howe" and "/" in cron))
    after, until = moment(change, min(ends[:2])), moment(change, max(ends[:2]), ends[2])
    due = due_times(a_schedule(cron, zone), after=after, until=until)
    assert last_due(a_schedule(cron, zone), after=after, until=until) == (due[-1] if due else None)


@given(
    cron=st.sampled_from(DAILY),
    place=zones_and_changes,
    ticks=st.lists(st.tuples(minutes_around, seconds_within), min_size=2, max_size=40),
)
def test_each_due_time_of_a_day_is_reported_by_exactly_one_span(
    cron: str, place: tuple[str, str], ticks: list[tuple[int, int]]
) -> None:
    """Ticks come late, twice, and in clusters; a span that missed several due times reports the last."""
    zone, change = place
    schedule = a_schedule(cron, zone)
    spans = list(pairwise(sorted(moment(change, *tick) for tick in ticks)))
    found = [last_due(schedule, after=after, until=until) for after, until in spans]
    last_of_each = [due_times(schedule, after=after, until=until)[-1:] for after, until in spans]
    reported = [due for due in found if due is not None]
    assert reported == sorted(set(reported)) == [due for last in last_of_each for due in last]


@pytest.mark.parametrize(("zone", "change"), [(zone, change) for zone, days in CHANGES.items() for change in days])
@pytest.mark.parametrize("cron", DAILY)
def test_every_day_is_due_once_when_the_timer_ticks_every_hour(cron: str, zone: str, change: str) -> None:
    noon = datetime.fromisoformat(change).astimezone(ZoneInfo(zone)).replace(hour=12, minute=10)
    first = (noon - timedelta(days=1)).astimezone(UTC)
    last = (noon + timedelta(days=1)).astimezone(UTC)
    ticks = [first + timedelta(hours=hours) for hours in range((last - first) // timedelta(hours=1) + 1)]
    found = [
        last_due(a_schedule(cron, zone), after=after, until=until) for after, until in pairwise([*ticks, last])
    ]
    assert sum(due is not None for due in found) == 2


def test_the_span_does_not_contain_its_beginning() -> None:
    assert last_due(a_schedule("30 6 * * *"), after=NOW, until=NOW + timedelta(hours=1)) is None


def test_the_span_contains_its_end() -> None:
    assert last_due(a_schedule("30 6 * * *"), after=NOW - timedelta(minutes=5), until=NOW) == NOW


def test_a_span_that_missed_several_due_times_yields_the_last() -> None:
    assert last_due(a_schedule("30 6 * * *"), after=NOW - timedelta(days=3), until=NOW + timedelta(hours=3)) == NOW


def test_a_due_time_follows_the_zone() -> None:
    due = last_due(a_schedule("30 6 * * *", "Asia/Kolkata"), after=NOW - timedelta(days=1), until=NOW)
    assert due == datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def test_a_time_that_does_not_exist_is_due_at_the_change() -> None:
    change = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    due = last_due(a_schedule("30 2 * * *", "Europe/Stockholm"), after=change - timedelta(hours=2), until=change)
    assert due == change


def test_a_time_that_comes_twice_is_due_the_first_time() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    schedule = a_schedule("30 2 * * *", "Europe/Stockholm")
    assert last_due(schedule, after=first - timedelta(hours=2), until=first + timedelta(hours=3)) == first


def test_a_late_tick_within_the_repeated_hour_finds_what_was_due_in_it() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    schedule = a_schedule("30 2 * * *", "Europe/Stockholm")
    tick = first + timedelta(minutes=40)  # 02:10 for the second time
    assert last_due(schedule, after=first - timedelta(minutes=5), until=tick) == first


def test_a_date_that_no_year_of_the_span_has_is_not_due() -> None:
    assert last_due(a_schedule("0 0 29 2 *"), after=NOW - timedelta(days=400), until=NOW) is None


def test_an_export_may_follow_the_refresh() -> None:
    assert effective(FollowRefresh(), a_schedule("0 4 * * *")) == a_schedule("0 4 * * *")


def test_following_a_refresh_that_is_off_never_runs() -> None:
    assert effective(FollowRefresh(), None) is None


def test_an_own_schedule_ignores_the_refresh() -> None:
    assert effective(a_schedule("0 5 * * *"), a_schedule("0 4 * * *")) == a_schedule("0 5 * * *")


def test_off_ignores_the_refresh() -> None:
    assert effective(Off(kind="off"), a_schedule("0 4 * * *")) is None
