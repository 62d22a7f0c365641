from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from shared.limits import EXPORT_LOCK_WAIT, EXPORT_LOCK_WAIT_CAP
from shared.runs.run_locks import lock_wait
from tests.support.factories import NOW, a_run, some_services

RUN = a_run(created_at=NOW)


def wait_at(age: float, *, jitter: float = 0.5) -> float:
    now = NOW + timedelta(seconds=age)
    return lock_wait(replace(some_services(), clock=lambda: now, jitter=lambda: jitter), RUN)


def test_a_short_queue_is_looked_at_often() -> None:
    assert [wait_at(age) for age in (0, 30, 75)] == [EXPORT_LOCK_WAIT] * 3


def test_a_long_wait_has_few_looks() -> None:
    age, looks = 0.0, 0
    while age < 4 * 3600:
        age += wait_at(age)
        looks += 1
    assert looks < 4 * 3600 / EXPORT_LOCK_WAIT / 6


def test_looks_become_rarer_up_to_the_cap() -> None:
    waits = [wait_at(age) for age in range(0, 3600, 60)]
    assert all(earlier <= later for earlier, later in pairwise(waits))
    assert waits[-1] == EXPORT_LOCK_WAIT_CAP


@pytest.mark.parametrize("age", [0, 300, 10_000])
def test_runs_that_wait_together_do_not_look_together(age: int) -> None:
    assert wait_at(age, jitter=0) < wait_at(age, jitter=0.5) < wait_at(age, jitter=0.99)


def test_no_start_is_late_by_more_than_a_third_of_the_wait_and_some_seconds() -> None:
    for age in range(0, 20_000, 100):
        assert wait_at(age, jitter=0.99) <= max(2 * EXPORT_LOCK_WAIT, age / 3)
