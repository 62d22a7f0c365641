"""What is made of the measurements."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from benchmarks import cores
from benchmarks.e2e import UPSERT, covered
from benchmarks.fill import fill_of
from benchmarks.goals import goals_for
from benchmarks.plan import figures
from benchmarks.report import table_of
from benchmarks.waiting import JOB_SECONDS, figures_of
from local.export_api import Run
from local.sendgrid_simulator.request_log import LoggedRequest
from shared.limits import BYTES_PER_REQUEST

PLAN = {
    "bench": "plan",
    "rows": 10,
    "threads": 1,
    "rows_per_second": 600_000,
    "floor_ratio": 2.5,
    "baseline_ratio": 2.9,
}


def took(seconds: float) -> dict[str, float]:
    return {"seconds": seconds, "cpu_seconds": seconds, "peak_rss_mb": 100.0}


def test_a_ratio_is_the_median_of_the_rounds_ratios() -> None:
    rounds = [
        {"floor 1": took(floor), "planner 1": took(planner), "baseline": took(9)}
        for floor, planner in ((1, 2), (10, 30), (1, 7))
    ]
    assert figures(100, rounds, 1)["floor_ratio"] == 3


def test_cores_are_compared_within_each_round() -> None:
    rounds = [
        ({**took(one), "outcome": 1}, {**took(two), "outcome": 1})
        for one, two in ((9.0, 3.0), (2.0, 1.0), (3.0, 2.0))
    ]
    row = {"bench": "cores"} | cores.figures(100, rounds)
    assert row["cores_ratio"] == 2
    assert [goal.figure for goal in goals_for(row) if goal.met(row)] == ["cores_ratio"]


def test_cores_that_plan_something_else_are_not_compared() -> None:
    with pytest.raises(RuntimeError):
        cores.figures(100, [({**took(1), "outcome": 1}, {**took(1), "outcome": 2})])


def test_a_goal_that_is_missed_is_told() -> None:
    assert [goal.figure for goal in goals_for(PLAN) if not goal.met(PLAN)] == ["baseline_ratio"]


def test_more_rows_may_take_more_memory() -> None:
    small, large = (goals_for({"bench": "memory", "rows": rows})[0].bound for rows in (1_000_000, 10_000_000))
    assert (small, large) == (400, 1_200)


def test_the_last_request_does_not_count_as_filled() -> None:
    assert fill_of([BYTES_PER_REQUEST, 1], [30_000, 1]) == {"requests": 2, "fill": 1, "contact_fill": 1}


def test_one_request_says_nothing_about_filling() -> None:
    assert fill_of([5], [1]) == {"requests": 1}


def test_the_limit_that_is_reached_first_is_the_one_to_fill() -> None:
    row = {"bench": "fill", "fill": 0.9, "contact_fill": 1.0}
    assert [goal.figure for goal in goals_for(row)] == ["contact_fill"]


def test_the_table_shows_goals_beside_figures() -> None:
    console = Console(width=160, file=sys.stderr)
    with console.capture() as text:
        console.print(table_of([PLAN], "a machine"))
    assert "✗ baseline_ratio ≥ 3" in text.get()


def test_time_that_several_requests_share_counts_once() -> None:
    assert covered([(5, 6), (0, 2), (1, 3), (1, 1.5)]) == 4


def test_sendgrids_own_time_is_that_of_its_upserts_and_jobs() -> None:
    begin = datetime(2026, 3, 2, 9, tzinfo=UTC)
    facts: dict[str, Any] = {"created_at": begin, "finished_at": begin + timedelta(seconds=40)}
    run = Run.model_construct(status="succeeded", **facts)
    asked = [
        LoggedRequest(
            method="GET" if "imports" in path else "PUT",
            path=path,
            endpoint=path,
            status=200,
            request_bytes=0,
            response_bytes=0,
            started=begin.timestamp() + start,
            seconds=0.5,
        )
        for start, path in [(2, UPSERT), (3, UPSERT), (20, "/imports/1"), (35, "/imports/2")]
    ]
    figures = figures_of(run, asked)
    assert figures["sendgrid_seconds"] == JOB_SECONDS + 1.5
    assert (figures["ours_seconds"], figures["looks_per_job"], figures["requests"]) == (8.5, 1, 4)
