from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.functions_host.ncrontab import FIELDS, Field, NcrontabError, Schedule

MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # see timezones


def field_texts(field: Field) -> st.SearchStrategy[str]:
    # Up to 28 every day of the month comes every month, so that every schedule fires some day.
    values = st.integers(field.low, min(field.high, 28))
    spans = st.tuples(values, values).map(lambda ends: f"{ends[0]}-{ends[1]}")
    stepped = st.tuples(st.one_of(st.just("*"), spans, values), st.integers(1, 9)).map(
        lambda it: f"{it[0]}/{it[1]}"
    )
    parts = st.one_of(values.map(str), spans, stepped)
    return st.one_of(st.just("*"), st.lists(parts, min_size=1, max_size=3).map(",".join))


EXPRESSIONS = st.tuples(*map(field_texts, FIELDS)).map(" ".join)


@settings(deadline=None)
@given(EXPRESSIONS, MOMENTS)
def test_the_next_occurrence_is_later_and_matches(expression: str, moment: datetime) -> None:
    schedule = Schedule.parse(expression)
    following = schedule.next_after(moment)
    assert following > moment
    assert following.microsecond == 0
    assert schedule.matches(following)


@settings(deadline=None)
@given(EXPRESSIONS, MOMENTS)
def test_nothing_that_matches_is_passed_over(expression: str, moment: datetime) -> None:
    schedule = Schedule.parse(expression)
    following = schedule.next_after(moment)
    between = (moment.replace(microsecond=0) + timedelta(seconds=ahead) for ahead in range(1, 300))
    assert not [each for each in between if each < following and schedule.matches(each)]


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("0 */5 * * * *", "2026-01-01T00:05:00"),
        ("*/5 * * * *", "2026-01-01T00:05:00"),
        ("30 0 6 * * *", "2026-01-01T06:00:30"),
        ("0 0 9-17/4 * * *", "2026-01-01T09:00:00"),
        ("0 20/15 * * * *", "2026-01-01T00:20:00"),
        ("0 30 9 * JAN MON", "2026-01-05T09:30:00"),
        ("0 0 0 * february *", "2026-02-01T00:00:00"),
        ("0 0 0 13 * FRI", "2026-02-13T00:00:00"),
        ("0 0 0 * * FRI-MON", "2026-01-02T00:00:00"),
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
        ("0 0 0 29 2 SUN", "2032-02-29T00:00:00"),
        ("* * * * * *", "2026-01-01T00:00:01"),
    ],
)
def test_expressions_mean_what_the_documentation_says(expression: str, following: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert Schedule.parse(expression).next_after(start) == datetime.fromisoformat(f"{following}+00:00")


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * *",
        "* * * * * * *",
        "60 * * * * *",
        "0 60 * * * *",
        "0 0 24 * * *",
        "0 0 0 0 * *",
        "0 0 0 32 * *",
        "0 0 0 * 13 *",
        "0 0 0 * * 7",
        "0 0 0 * * NODAY",
        "0 */0 * * * *",
        "0 */x * * * *",
        "0 1- * * * *",
        "0 1,,2 * * * *",
        "0 -1 * * * *",
        "0 0 0 30 2 *",
        "01:00:00",
    ],
)
def test_what_is_no_schedule_is_refused(expression: str) -> None:
    with pytest.raises(NcrontabError):
        Schedule.parse(expression)


@pytest.mark.parametrize(
    ("expression", "expected"), [("* * * * * *", True), ("0,30 * * * * *", True), ("7 * * * * *", False)]
)
def test_only_several_seconds_make_a_schedule_fire_within_a_minute(expression: str, *, expected: bool) -> None:
    assert Schedule.parse(expression).fires_within_a_minute is expected


def test_another_time_zone_makes_no_difference() -> None:
    moment = datetime.fromisoformat("2026-01-01T01:00:00+02:00")
    assert Schedule.parse("0 0 0 * * *").next_after(moment) == datetime(2026, 1, 1, tzinfo=UTC)
