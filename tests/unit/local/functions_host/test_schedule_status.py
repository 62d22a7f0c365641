from datetime import UTC, datetime, timedelta

import pytest

from local.functions_host.ncrontab import Schedule
from local.functions_host.schedule_status import NEVER, ScheduleStatus, resume

HOURLY = Schedule.parse("0 0 * * * *")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def hours(number: float) -> datetime:
    """Return the moment so many hours after noon."""
    return NOON + timedelta(hours=number)


def stored(*, last: datetime, following: datetime) -> ScheduleStatus:
    return ScheduleStatus(last=last, next=following, last_updated=last)


def test_a_timer_seen_for_the_first_time_is_not_past_due() -> None:
    resumption = resume(None, HOURLY, hours(0.5))
    assert resumption.status == ScheduleStatus(last=NEVER, next=hours(1), last_updated=hours(0.5))
    assert (resumption.is_past_due, resumption.is_changed) == (False, True)


def test_a_timer_whose_next_occurrence_lies_ahead_goes_on() -> None:
    status = stored(last=NOON, following=hours(1))
    resumption = resume(status, HOURLY, hours(0.5))
    assert (resumption.status, resumption.is_past_due, resumption.is_changed) == (status, False, False)


def test_a_timer_whose_next_occurrence_lies_behind_is_past_due() -> None:
    assert resume(stored(last=NOON, following=hours(1)), HOURLY, hours(1.5)).is_past_due


def test_a_timer_that_never_ran_can_be_past_due() -> None:
    status = ScheduleStatus(last=NEVER, next=hours(1), last_updated=hours(0.5))
    assert resume(status, HOURLY, hours(1.5)).is_past_due


def test_a_changed_schedule_starts_anew_and_is_not_past_due() -> None:
    daily = Schedule.parse("0 0 0 * * *")
    resumption = resume(stored(last=NOON, following=hours(1)), daily, hours(36.5))
    assert resumption.status == ScheduleStatus(last=NEVER, next=hours(60), last_updated=hours(36.5))
    assert (resumption.is_past_due, resumption.is_changed) == (False, True)


def test_a_status_survives_being_stored() -> None:
    status = ScheduleStatus(last=NEVER, next=hours(1), last_updated=hours(0.5))
    content = "{%s}" % ", ".join(f'"{name}": "{value}"' for name, value in status.as_dict().items())  # noqa: UP031  # braces
    assert ScheduleStatus.from_json(content) == status


def test_a_status_written_by_dotnet_can_be_read() -> None:
    moment = "2026-01-01T12:00:00.1234567+00:00"
    content = f'{{"Last": "{moment}", "Next": "2026-01-01T13:00:00Z", "LastUpdated": "0001-01-01T00:00:00"}}'
    status = ScheduleStatus.from_json(content)
    assert status.last == NOON.replace(microsecond=123456)
    assert (status.next, status.last_updated) == (hours(1), NEVER)


@pytest.mark.parametrize("content", ["", "[]", '{"Last": "x"}'])
def test_what_is_no_status_is_refused(content: str) -> None:
    with pytest.raises(ValueError, match=r"Expecting|object|Invalid"):
        ScheduleStatus.from_json(content)
