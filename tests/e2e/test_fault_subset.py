"""A few scenarios of the fault suite, always the same ones; and the judge, who must be able to say no."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from local.cloud import LocalCloud
from local.export_api import Chunks, Counts, Reason, Run
from local.extracts.expectation import Expectation
from local.faults.options import Options
from local.faults.scenario import Scenario
from local.faults.suite import list_scenarios
from local.faults.verdict import EVERYBODY, Evidence, Expected, judge
from local.faults.worker import Worker

SUBSET = ("drop-after-acceptance", "refused-index", "killed-01")
SCENARIOS = list_scenarios(Options(seed=1, names=SUBSET, kills=1))
PATIENCE_SECONDS = 200.0


@pytest.fixture(scope="module")
def worker(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    until = time.monotonic() + PATIENCE_SECONDS
    with Worker(cloud, tmp_path_factory.mktemp("faults"), seed=1, until=until) as worker:
        yield worker


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_nobody_is_lost_and_every_run_ends(worker: Worker, scenario: Scenario) -> None:
    tally = worker.play(scenario)
    assert tally.problems == []
    assert tally.runs == tally.finished > 0
    assert tally.injected + tally.kills > 0


# --- the judge ----------------------------------------------------------------------------------------------

ANN, BOB, EVE = "ann@example.com", "bob@example.com", "eve@example.com"


def evidence(
    *on_list: str,
    status: str = "succeeded",
    code: str = "done",
    chunks: tuple[tuple[str, set[str]], ...] = (),
    **counts: int,
) -> Evidence:
    """A run of four rows: Ann, Bob, Ann again, and somebody without an address."""
    told = {"rows_read": 4, "sent": 2, "duplicate": 1, "rejected": 1, "not_sent": 0} | counts
    by_reason = {"email_missing": told["rejected"]}
    run = Run(
        id="20260101T000000Z-x",
        export="newsletter",
        trigger="on_demand",
        status=status,
        reason=Reason(code=code, message=""),
        warnings=[],
        created_at=datetime.now(UTC),
        planning_at=None,
        uploading_at=None,
        importing_at=None,
        finished_at=None,
        counts=Counts(**told, rejected_by_reason=by_reason, cut={}, created=0, updated=0),
        chunks=Chunks(planned=1, accepted=1, finished=1, contacts_planned=2, contacts_accepted=2),
    )
    extract = Expectation(rows=4, contacts=2, duplicates=1, rejected=1)
    return Evidence(run=run, extract=extract, emails=frozenset({ANN, BOB}), on_list=on_list, chunks=chunks)


def test_all_is_well_when_everybody_is_there_and_told() -> None:
    assert judge(evidence(ANN, BOB), EVERYBODY).problems == ()


def test_a_contact_that_is_not_on_the_list_is_lost() -> None:
    assert judge(evidence(ANN), EVERYBODY).lost == 1


def test_a_stranger_on_the_list_is_wrong() -> None:
    assert judge(evidence(ANN, BOB, EVE), EVERYBODY).wrong == 1


def test_a_contact_that_is_on_the_list_twice_is_wrong() -> None:
    assert judge(evidence(ANN, BOB, BOB), EVERYBODY).wrong == 1


@pytest.mark.parametrize("count", ["rows_read", "sent", "duplicate", "rejected", "not_sent"])
def test_a_count_that_is_not_true_is_wrong(count: str) -> None:
    untrue: dict[str, Any] = {count: 9}
    assert judge(evidence(ANN, BOB, **untrue), EVERYBODY).wrong > 0


def test_a_run_that_ends_otherwise_than_it_must_is_wrong() -> None:
    assert judge(evidence(ANN, BOB, status="failed"), EVERYBODY).wrong == 1


def test_a_refused_contact_on_the_list_is_wrong() -> None:
    assert judge(evidence(ANN, BOB), Expected(refused=frozenset({BOB}))).wrong > 0


def test_a_chunk_that_failed_although_none_should_is_wrong() -> None:
    failed = evidence(ANN, chunks=(("failed", {BOB}),), sent=1, not_sent=1)
    assert judge(failed, EVERYBODY).wrong == 1


def test_contacts_of_a_chunk_that_must_fail_are_not_lost() -> None:
    failed = evidence(ANN, chunks=(("failed", {BOB}),), sent=1, not_sent=1)
    assert judge(failed, Expected(chunks_apart=1)).problems == ()
