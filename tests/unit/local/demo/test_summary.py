import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from local.demo.summary import (
    FailedRunError,
    Outcome,
    compare_list,
    find_problems,
    last_line,
    require_success,
    stage_seconds,
    summary_table,
)
from local.export_api import Run
from local.extracts.expectation import Expectation

type MakeRun = Callable[..., Run]


@pytest.fixture
def outcome(make_run: MakeRun) -> Outcome:
    """A run that did what it should."""
    return Outcome(
        run=make_run(),
        expectation=Expectation(rows=10, contacts=5, duplicates=2, rejected=3, cut={"city": 1}),
        on_list=5,
        list_problems=[],
        rejected_rows=3,
        requests={"PUT /v3/marketing/contacts 202": 1, "GET /v3/scopes 200": 2},
    )


def test_nothing_is_wrong_when_everything_adds_up(outcome: Outcome) -> None:
    assert find_problems(outcome) == []


@pytest.mark.parametrize(
    ("counts", "problem"),
    [
        ({"rows_read": 9}, "rows read: 9, expected 10"),
        ({"sent": 4}, "sent: 4, expected 5"),
        ({"duplicate": 1}, "duplicate: 1, expected 2"),
        ({"rejected": 4}, "rejected: 4, expected 3"),
        ({"not_sent": 1}, "not sent: 1, expected 0"),
        ({"rejected_by_reason": {"email_invalid": 2}}, "rejected by reason: 2, expected 3"),
        ({"created": 3}, "created and updated: 4, expected 5"),
        ({"cut": {}}, "cut city: 0, expected 1"),
        ({"cut": {"city": 1, "country": 2}}, "cut country: 2, expected 0"),
    ],
)
def test_a_figure_that_does_not_fit_is_named(
    outcome: Outcome, make_run: MakeRun, counts: dict[str, Any], problem: str
) -> None:
    assert problem in find_problems(replace(outcome, run=make_run(counts=counts)))


def test_outcomes_that_do_not_add_up_are_named(outcome: Outcome, make_run: MakeRun) -> None:
    run = make_run(counts={"rows_read": 11})
    expectation = replace(outcome.expectation, rows=11)
    assert find_problems(replace(outcome, run=run, expectation=expectation)) == [
        "all outcomes together: 10, expected 11"
    ]


@pytest.mark.parametrize("status", ["failed", "skipped", "cancelled"])
def test_a_run_that_exported_nothing_is_told_with_its_reason(make_run: MakeRun, status: str) -> None:
    run = make_run(status=status, reason={"code": "why", "message": "The list is gone."})
    with pytest.raises(FailedRunError, match=f"ended as {status}: The list is gone."):
        require_success(run)


@pytest.mark.parametrize("status", ["succeeded", "completed_with_warnings"])
def test_warnings_are_no_failure(make_run: MakeRun, status: str) -> None:
    require_success(make_run(status=status))


def test_cut_values_are_not_compared_where_nobody_counted_them(outcome: Outcome, make_run: MakeRun) -> None:
    expectation = replace(outcome.expectation, cut=None)
    run = make_run(counts={"cut": {"country": 7}})
    assert find_problems(replace(outcome, run=run, expectation=expectation)) == []


def test_a_rejection_file_that_lacks_a_row_is_named(outcome: Outcome) -> None:
    problems = find_problems(replace(outcome, rejected_rows=2))
    assert problems == ["rows of the rejection file: 2, expected 3"]


@pytest.mark.parametrize(
    ("on_list", "problem"),
    [
        ("abcd", "1 addresses are not on the list"),
        ("abcdef", "1 addresses on the list do not belong there"),
        ("abcdee", "the list holds an address twice"),
    ],
)
def test_the_list_must_hold_exactly_the_expected_addresses(on_list: str, problem: str) -> None:
    assert list(compare_list(on_list, set("abcde"))) == [problem]


def test_a_list_may_be_in_any_order() -> None:
    assert list(compare_list("edcba", set("abcde"))) == []


def test_what_is_wrong_with_the_list_is_a_problem_of_the_run(outcome: Outcome) -> None:
    assert find_problems(replace(outcome, list_problems=["it is on fire"])) == ["it is on fire"]


def test_the_last_line_has_the_figures(outcome: Outcome) -> None:
    assert last_line(outcome) == "demo: read=10 sent=5 duplicate=2 rejected=3 on_list=5 ok"


def test_the_time_is_told_by_stage(make_run: MakeRun) -> None:
    assert stage_seconds(make_run()) == {"queued": 1, "planning": 2, "uploading": 4, "importing": 8}


def test_stages_that_were_never_reached_have_no_time(make_run: MakeRun) -> None:
    run = make_run(status="failed", uploading_at=None, importing_at=None)
    assert stage_seconds(run) == {"queued": 1, "planning": 14}


@pytest.mark.parametrize(
    "words",
    [
        "on demand",
        "scheduled",
        "rows read 10 10",
        "email_invalid 2 2",
        "city 1 1",
        "contacts on the list 5 5",
    ],
)
def test_the_summary_shows_both_runs_side_by_side(outcome: Outcome, make_run: MakeRun, words: str) -> None:
    output = io.StringIO()
    scheduled = replace(outcome, run=make_run(trigger="scheduled"))
    Console(file=output, width=120).print(summary_table([outcome, scheduled]))
    assert words in " ".join(output.getvalue().split())


def test_a_part_that_only_a_later_run_has_stands_under_its_whole(outcome: Outcome) -> None:
    output = io.StringIO()
    later = replace(outcome, requests={"DELETE /v3/marketing/lists/{id}/contacts 202": 6, "GET /v3/scopes 200": 2})
    Console(file=output, width=120).print(summary_table([outcome, later]))
    words = output.getvalue()
    assert words.index("requests to SendGrid") < words.index("DELETE") < words.index("time")
    assert words.count("GET /v3/scopes 200") == 1
