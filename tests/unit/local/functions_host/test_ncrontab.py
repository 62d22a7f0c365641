import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.functions_host.ncrontab import (
    FIELDS,
    NEVER,
    Field,
    Interval,
    NcrontabError,
    Schedule,
    parse_schedule,
)

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
        "0 */x * * * *",
        "0 1- * * * *",
        "0 1,,2 * * * *",
        "0 -1 * * * *",
        "01:00:00",
    ],
)
def test_what_is_no_schedule_is_refused(expression: str) -> None:
    with pytest.raises(NcrontabError):
        Schedule.parse(expression)


def test_a_date_that_never_comes_is_never() -> None:
    schedule = Schedule.parse("0 0 0 30 2 *")
    assert schedule.next_after(datetime(2026, 1, 1, tzinfo=UTC)) == NEVER
    assert schedule.next_after(NEVER) == NEVER


@pytest.mark.parametrize("text", ["00:05:00", "5", "24:00:00"])
def test_a_time_span_is_no_ncrontab(text: str) -> None:
    with pytest.raises(NcrontabError):
        Schedule.parse(text)
    assert isinstance(parse_schedule(text), Interval)


def test_another_time_zone_makes_no_difference() -> None:
    moment = datetime.fromisoformat("2026-01-01T01:00:00+02:00")
    assert Schedule.parse("0 0 0 * * *").next_after(moment) == datetime(2026, 1, 1, tzinfo=UTC)


# --- as measured on the genuine parser ----------------------------------------------------------------------

TABLE = Path(__file__).with_name("ncrontab.tsv").read_text(encoding="utf-8").splitlines()
STARTS = [datetime.fromisoformat(f"{text}+00:00") for text in TABLE[1].rpartition(": ")[2].split(" ")]
VECTORS = [line.split("\t") for line in TABLE[2:]]
LOOKED_AT = datetime(2026, 11, 25, 21, 15, 20, tzinfo=UTC)
OTHERWISE_ON_PURPOSE = {'"00:59:59.9999999"': "our times have six digits of a second"}


def moment_of(text: str) -> datetime:
    return NEVER if text == "never" else datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(("written", "kind", "monitored", "following"), VECTORS, ids=[each[0] for each in VECTORS])
def test_every_expression_means_what_the_real_host_takes_it_for(
    written: str, kind: str, monitored: str, following: str
) -> None:
    expression = json.loads(written)
    if kind == "invalid":
        with pytest.raises(NcrontabError):
            parse_schedule(expression)
        return
    schedule = parse_schedule(expression)
    assert isinstance(schedule, Schedule if kind == "cron" else Interval)
    assert schedule.fires_twice_within_a_minute(LOOKED_AT) is (monitored == "no")
    if written in OTHERWISE_ON_PURPOSE:
        return
    for start, occurrences in zip(STARTS, following.split(";"), strict=True):
        before = start
        for text in occurrences.split(","):
            assert schedule.next_after(before) == moment_of(text)
            before = moment_of(text)


def test_the_table_is_whole() -> None:
    assert len(VECTORS) == 418
    assert {each[0] for each in VECTORS} >= OTHERWISE_ON_PURPOSE.keys()
