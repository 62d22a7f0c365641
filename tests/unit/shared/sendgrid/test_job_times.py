from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.limits import IMPORT_DEADLINE, POLL_FIRST
from shared.sendgrid.job_times import GROWTH_MAX, LATE_LOOK, SEEN_SHARE, TIMES_KEPT, JobTimes, estimate
from tests.support.factories import an_import_job

UNTOLD = an_import_job()
moments = st.floats(min_value=0, max_value=1e6)


def after(*seconds: float, removal: bool = False) -> JobTimes:
    times = JobTimes()
    for each in seconds:
        times = times.with_time(each, removal=removal)
    return times


# --- what is kept -------------------------------------------------------------------------------------------


def test_nothing_is_expected_while_nothing_is_known() -> None:
    assert JobTimes().expected(removal=False) is None


def test_a_stray_time_is_outvoted() -> None:
    assert after(30.2, 30.1, 900, 30.3).expected(removal=False) == pytest.approx(30.25)


def test_a_slower_day_is_noticed_after_a_few_jobs() -> None:
    few = TIMES_KEPT // 2 + 1
    assert after(*[30] * TIMES_KEPT, *[90] * few).expected(removal=False) == 90


def test_upserts_and_removals_are_kept_apart() -> None:
    times = after(30).with_time(5, removal=True)
    assert (times.expected(removal=False), times.expected(removal=True)) == (30, 5)


@pytest.mark.parametrize("seconds", [0, -3, IMPORT_DEADLINE + 1, float("inf"), float("nan")])
def test_a_time_that_cannot_be_is_not_believed(seconds: float) -> None:
    assert after(seconds) == JobTimes()


@given(seconds=st.lists(moments), removal=st.booleans())
def test_only_a_few_times_are_kept(seconds: list[float], *, removal: bool) -> None:
    times = after(*seconds, removal=removal)
    assert len(times.upserts) + len(times.removals) <= TIMES_KEPT


# --- what a job's end tells ---------------------------------------------------------------------------------


def test_sendgrids_own_word_counts() -> None:
    assert estimate(replace(UNTOLD, seconds=30.0), ran=20, seen=33, expected=None) == 30


@pytest.mark.parametrize(("told", "believed"), [(5, 20), (90, 33)])
def test_sendgrids_word_does_not_count_against_what_was_seen(told: float, believed: float) -> None:
    assert estimate(replace(UNTOLD, seconds=told), ran=20, seen=33, expected=None) == believed


def test_without_its_word_the_job_ended_between_the_last_two_looks() -> None:
    assert estimate(UNTOLD, ran=20, seen=29, expected=None) == 29 * SEEN_SHARE
    assert estimate(UNTOLD, ran=31, seen=32, expected=None) == 31


def test_looks_without_an_answer_do_not_make_a_job_long() -> None:
    assert estimate(UNTOLD, ran=20, seen=900, expected=30) == 20 * GROWTH_MAX


@pytest.mark.parametrize("expected", [None, 40.0])
def test_a_first_look_tells_something_if_it_came_in_time(expected: float | None) -> None:
    latest = LATE_LOOK * (expected or POLL_FIRST)
    assert estimate(UNTOLD, ran=None, seen=latest, expected=expected) == latest * SEEN_SHARE
    assert estimate(UNTOLD, ran=None, seen=latest + 1, expected=expected) is None


@given(told=st.none() | moments, ran=st.none() | moments, more=moments, expected=st.none() | moments)
def test_no_job_is_thought_longer_than_it_was_seen(
    told: float | None, ran: float | None, more: float, expected: float | None
) -> None:
    seen = (ran or 0) + more
    seconds = estimate(replace(UNTOLD, seconds=told), ran=ran, seen=seen, expected=expected)
    assert seconds is None or (ran or 0) <= seconds <= seen
