from __future__ import annotations

from itertools import accumulate, islice, pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.limits import POLL_CAP, POLL_CLOSE, POLL_FIRST
from shared.runs.job_looks import first_wait, next_wait, poll_wait

if TYPE_CHECKING:
    from collections.abc import Iterator

times = st.floats(min_value=0, max_value=1e6)


def looks(expected: float | None, queue: float = 0) -> Iterator[float]:
    """Ages at which a job that runs on is looked at, if the queue takes so many seconds more each time."""
    age = first_wait(expected, 0) + queue
    attempt = 1
    while True:
        yield age
        age += next_wait(expected, age, attempt) + queue
        attempt += 1


def looks_until(end: float, expected: float | None, queue: float = 0) -> list[float]:
    """The same, up to the look that sees that the job has ended."""
    seen = []
    for age in looks(expected, queue):
        seen.append(age)
        if age >= end:
            return seen
    raise AssertionError


def test_without_knowledge_looks_come_ever_less_often() -> None:
    waits = [POLL_FIRST, *(poll_wait(attempt) for attempt in range(1, 12))]
    assert list(islice(looks(None), 12)) == list(accumulate(waits))
    assert all(later == min(POLL_CAP, earlier * 1.5) for earlier, later in pairwise(waits[1:]))


def test_with_knowledge_a_job_is_looked_at_half_way_at_its_end_and_closely_after_it() -> None:
    assert list(islice(looks(30.0), 6)) == pytest.approx([15, 30, 31, 32.5, 34.75, 38.125])


def test_a_job_that_takes_as_long_as_the_others_costs_fewer_looks_than_without_knowledge() -> None:
    for end in range(4, 600):
        assert len(looks_until(end, float(end), 1)) <= len(looks_until(end, None, 1))


@pytest.mark.parametrize("expected", [0.4, 1.0, 2.0, 5.0])
def test_jobs_shorter_than_the_usual_first_look_are_looked_at_when_they_end(expected: float) -> None:
    assert first_wait(expected, 0) == max(POLL_CLOSE, expected)


@given(expected=times, age=times)
def test_waits_are_bounded_whatever_was_learned_and_whatever_the_clock_says(expected: float, age: float) -> None:
    assert POLL_CLOSE <= first_wait(expected, age) <= POLL_CAP
    assert POLL_CLOSE <= next_wait(expected, age, 1) <= POLL_CAP


@given(expected=st.floats(min_value=1, max_value=300), late=st.floats(min_value=0, max_value=100))
def test_a_job_longer_than_expected_is_seen_after_half_of_its_delay_at_most(expected: float, late: float) -> None:
    seen = looks_until(expected + late, expected)[-1]
    assert seen - (expected + late) <= late / 2 + 2 * POLL_CLOSE


def test_a_job_that_never_ends_is_looked_at_as_seldom_as_without_knowledge() -> None:
    day = 24 * 3600.0
    assert len(looks_until(day, 30.0)) <= len(looks_until(day, None)) + 5
