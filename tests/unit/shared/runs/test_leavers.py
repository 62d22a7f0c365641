"""Who left the segments is taken off the list, and nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.definitions.resolve import resolve_export
from shared.limits import REMOVALS_PER_REQUEST
from shared.model.definitions import FieldMapping, MaxRemovals, SourceOptions
from shared.model.members import Membership
from shared.model.reasons import RunStatus
from shared.runs.retry import retry_run
from shared.runs.start import new_run_id
from shared.runs.views import get_run_details
from shared.sendgrid.rate_limiter import RateLimit
from shared.storage.documents import Store
from shared.storage.layout import limiter_blob, membership_blob
from tests.support.factories import ADA
from tests.support.fake_sendgrid import answer
from tests.support.in_memory_app import InMemoryApp, emails, people
from tests.support.worlds import BY_HAND, EVERYBODY, a_world_with_leavers, members, run_with

PEOPLE = people(30)


@pytest.fixture
def app() -> InMemoryApp:
    return a_world_with_leavers()


def test_who_left_is_taken_off_and_who_was_put_there_by_hand_stays(app: InMemoryApp) -> None:
    run_with(app, PEOPLE)
    done = run_with(app, PEOPLE[3:])
    assert done.status is RunStatus.SUCCEEDED
    assert app.on_list() == emails(PEOPLE[3:]) | BY_HAND
    assert done.counts.removed == 3
    assert done.members is not None
    assert (done.members.before, done.members.joined, done.members.left, done.members.after) == (30, 0, 3, 27)
    assert members(app) == emails(PEOPLE[3:])
    assert emails(PEOPLE[:3]) <= app.sendgrid.contacts.keys()  # they stay in the account


def test_jobs_of_removals_have_times_of_their_own(app: InMemoryApp) -> None:
    run_with(app, PEOPLE)
    run_with(app, PEOPLE[3:])
    times = Store(app.blobs).get(limiter_blob("main", "imports"), RateLimit).document.job_times
    assert (len(times.upserts), len(times.removals)) == (1, 1)


def test_leavers_stay_unless_the_export_says_otherwise() -> None:
    app = a_world_with_leavers(leavers="keep")
    run_with(app, PEOPLE)
    done = run_with(app, PEOPLE[3:])
    assert app.on_list() == emails(PEOPLE) | BY_HAND
    assert done.counts.removed == 0
    assert members(app) == emails(PEOPLE)  # should the export ever say otherwise


def test_who_comes_back_is_a_member_again(app: InMemoryApp) -> None:
    run_with(app, PEOPLE)
    run_with(app, PEOPLE[3:])
    done = run_with(app, PEOPLE)
    assert app.on_list() == emails(PEOPLE) | BY_HAND
    assert done.members is not None
    assert (done.members.joined, done.members.left) == (3, 0)


def test_capitals_and_apostrophes_are_no_leavers(app: InMemoryApp) -> None:
    written = [("O'Neill@Example.COM", "A"), ("ann+news@example.com", "B"), ("Åse@exämple.com", "C")]
    run_with(app, [("o'neill@example.com", "A"), ("ANN+news@example.com", "B")])
    done = run_with(app, written[:2])
    assert done.counts.removed == 0
    assert app.on_list() == {"o'neill@example.com", "ann+news@example.com"} | BY_HAND


def test_many_leavers_are_taken_off_a_hundred_at_a_time(app: InMemoryApp) -> None:
    crowd = people(2 * REMOVALS_PER_REQUEST + 50)
    run_with(app, crowd)
    done = run_with(app, crowd[:20])
    assert app.on_list() == emails(crowd[:20]) | BY_HAND
    assert [len(removal) for removal in app.sendgrid.removals] == [100, 100, 30]
    assert done.counts.removed == 230


# --- when nobody is taken off -------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [MaxRemovals(), MaxRemovals(share=1.0, number=2)])
def test_more_leavers_than_allowed_are_all_kept_and_told(limit: MaxRemovals) -> None:
    app = a_world_with_leavers(max_removals=limit)
    run_with(app, PEOPLE)
    done = run_with(app, PEOPLE[4:])
    assert done.reason is not None
    assert (done.status, done.reason.code) == (RunStatus.COMPLETED_WITH_WARNINGS, "removals_withheld")
    assert "4 members" in done.reason.message
    assert app.on_list() == emails(PEOPLE) | BY_HAND
    assert members(app) == emails(PEOPLE)


def test_as_many_leavers_as_allowed_are_taken_off() -> None:
    app = a_world_with_leavers(max_removals=MaxRemovals())
    run_with(app, PEOPLE)
    run_with(app, PEOPLE[3:])
    assert app.on_list() == emails(PEOPLE[3:]) | BY_HAND


def test_an_empty_extract_takes_nobody_off(app: InMemoryApp) -> None:
    run_with(app, PEOPLE)
    run_with(app, [])
    assert app.on_list() == emails(PEOPLE) | BY_HAND


def test_a_row_that_cannot_be_read_may_be_somebody(app: InMemoryApp) -> None:
    run_with(app, PEOPLE)
    done = run_with(app, [*PEOPLE[2:], ('x","y","z', "too many values")])
    assert done.reason is not None
    assert done.reason.code == "removals_withheld"
    assert "row_malformed" in done.reason.message
    assert app.on_list() == emails(PEOPLE) | BY_HAND


def test_whoever_is_rejected_for_a_value_has_not_left() -> None:
    mapping = FieldMapping(email="EMail", first_name="FirstName", over_long={"first_name": "reject"})
    app = a_world_with_leavers(mapping=mapping)
    run_with(app, PEOPLE)
    done = run_with(app, [*PEOPLE[1:], (PEOPLE[0][0], "x" * 60)])
    assert done.counts.rejected_by_reason == {"value_too_long": 1}
    assert app.on_list() == emails(PEOPLE) | BY_HAND
    assert done.counts.removed == 0


def test_whoever_is_rejected_for_a_value_has_not_left_whatever_the_domain() -> None:
    mapping = FieldMapping(email="EMail", first_name="FirstName", over_long={"first_name": "reject"})
    app = a_world_with_leavers(mapping=mapping)
    run_with(app, [*PEOPLE, ("ann@exämple.com", "A")])
    done = run_with(app, [*PEOPLE, ("Ann@Exämple.com", "x" * 60)])
    assert "ann@xn--exmple-cua.com" in app.on_list()
    assert done.counts.removed == 0


def test_a_heavily_rejected_extract_takes_nobody_off() -> None:
    app = a_world_with_leavers(source=SourceOptions(max_rejected_share=0.2))
    run_with(app, PEOPLE)
    done = run_with(app, [*PEOPLE[:10], *((f"nobody{number}", "x") for number in range(20))])
    assert app.on_list() == emails(PEOPLE) | BY_HAND
    assert any("20 of 30 rows" in warning for warning in done.warnings)


# --- SendGrid -----------------------------------------------------------------------------------------------


def test_who_is_not_on_the_list_any_more_needs_no_removal(app: InMemoryApp) -> None:
    run_with(app, PEOPLE)
    app.on_list().discard(PEOPLE[0][0])
    del app.sendgrid.contacts[PEOPLE[1][0]]
    app.on_list().discard(PEOPLE[1][0])
    done = run_with(app, PEOPLE[2:])
    assert app.sendgrid.removals == []
    assert (done.status, done.counts.removed) == (RunStatus.SUCCEEDED, 2)
    assert members(app) == emails(PEOPLE[2:])


def test_a_contact_that_has_the_address_as_an_alternate_one_is_left_alone(app: InMemoryApp) -> None:
    run_with(app, PEOPLE)
    search = app.sendgrid.search

    def by_alternate(addresses: list[str]) -> Any:  # noqa: ANN401
        found = search(addresses)
        return type(found)(status=found.status, body=found.body.replace(b'"email": "person', b'"email": "other'))

    app.sendgrid.search = by_alternate  # type: ignore[method-assign]
    run_with(app, PEOPLE[1:])
    assert app.on_list() == emails(PEOPLE) | BY_HAND


@pytest.mark.parametrize(
    "refusal",
    [
        answer(429, {"errors": []}, retry_after="5"),
        answer(500, {}),
        answer(406, {}),
        answer(404, {"errors": [{"message": "one or more contact ids do not exist"}]}),
    ],
)
def test_a_refusal_that_passes_is_waited_out(app: InMemoryApp, refusal: Any) -> None:  # noqa: ANN401
    run_with(app, PEOPLE)
    refused: list[str] = []

    def fault(request: Any, _number: int) -> Any:  # noqa: ANN401
        if request.method == "DELETE" and len(refused) < 2:
            refused.append(request.path)
            return refusal
        return None

    app.sendgrid.fault = fault
    done = run_with(app, PEOPLE[3:])
    assert len(refused) == 2
    assert done.status is RunStatus.SUCCEEDED
    assert app.on_list() == emails(PEOPLE[3:]) | BY_HAND


def test_a_removal_whose_job_fails_is_tried_again(app: InMemoryApp) -> None:
    run_with(app, PEOPLE)
    failed: list[str] = []

    def job_answer(job_id: str, job: Any) -> Any:  # noqa: ANN401
        if job.removes and not failed:
            failed.append(job_id)
        return {"id": job_id, "status": "failed", "results": {}} if job_id in failed else None

    app.sendgrid.job_answer = job_answer
    done = run_with(app, PEOPLE[3:])
    assert failed
    assert done.status is RunStatus.SUCCEEDED
    assert app.on_list() == emails(PEOPLE[3:]) | BY_HAND


def test_removals_that_never_succeed_are_told_and_tried_by_the_next_run(app: InMemoryApp) -> None:
    run_with(app, PEOPLE)
    app.sendgrid.job_answer = lambda job_id, job: (
        {"id": job_id, "status": "failed", "results": {}} if job.removes else None
    )
    done = run_with(app, PEOPLE[3:])
    assert done.reason is not None
    assert (done.status, done.reason.code, done.counts.not_removed) == (
        RunStatus.COMPLETED_WITH_WARNINGS,
        "removals_failed",
        3,
    )
    assert members(app) == emails(PEOPLE)
    assert "retry the run" in get_run_details(app.services, done.export, done.id).next_step
    app.sendgrid.job_answer = lambda _id, _job: None
    again = retry_run(
        app.services,
        resolve_export(app.services.store, done.export),
        done.id,
        by=ADA,
        run_id=new_run_id(app.services),
    )
    app.work()
    assert app.run(again).status is RunStatus.SUCCEEDED
    assert app.on_list() == emails(PEOPLE[3:]) | BY_HAND


def test_another_list_starts_with_nobody_and_leaves_the_old_one_as_it_is(app: InMemoryApp) -> None:
    run_with(app, PEOPLE)
    other = UUID("00000000-0000-4000-8000-000000000002")
    app.sendgrid.lists[str(other)] = set()
    app.save(leavers="remove", max_removals=EVERYBODY, list_id=other)
    done = run_with(app, PEOPLE[5:])
    assert app.on_list() == emails(PEOPLE) | BY_HAND
    assert app.sendgrid.lists[str(other)] == emails(PEOPLE[5:])
    assert done.members is not None
    assert (done.members.before, done.members.joined) == (0, 25)


def test_the_same_step_on_two_instances_notes_one_generation(app: InMemoryApp) -> None:
    from shared.model.runs import ChunkResult, Plan
    from shared.runs.membership import commit_members
    from shared.storage.layout import RunBlobs, number_of

    run = run_with(app, PEOPLE)
    blobs = RunBlobs(export=run.export, run=run.id)
    store = Store(app.blobs)
    results = {
        number_of(item.name): store.get(item.name, ChunkResult).document
        for item in app.blobs.list_blobs(blobs.results)
    }
    plan = store.get(blobs.plan, Plan).document
    before = store.get(membership_blob(run.export), Membership)
    assert commit_members(app.services, blobs, plan, results) == before.document.change
    assert store.get(membership_blob(run.export), Membership) == before
    assert len(list(app.names(f"members/{run.export}/"))) == 1


# --- whatever happens ---------------------------------------------------------------------------------------

crowds = st.lists(st.integers(0, 15), min_size=1, max_size=12, unique=True)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    deliveries=st.lists(crowds, min_size=2, max_size=4),
    crashes=st.dictionaries(st.integers(5, 160), st.sampled_from(["before", "after"]), max_size=5),
)
def test_after_every_run_the_list_is_the_segment_and_those_put_there_by_hand(
    deliveries: list[list[int]], crashes: dict[int, str]
) -> None:
    app = a_world_with_leavers()
    everybody = people(16)
    app.crashes.at = dict(crashes)
    for delivered in deliveries:
        chosen = [everybody[number] for number in delivered]
        app.crashes.at, kept = {}, app.crashes.at
        app.clock.now += timedelta(hours=1)
        app.deliver_extract(chosen)
        run = app.start(force=True)
        app.crashes.at = kept
        app.work()
        done = app.run(run)
        assert done.status is RunStatus.SUCCEEDED
        assert app.on_list() == emails(chosen) | BY_HAND
        assert members(app) == emails(chosen)
        assert done.members is not None
        assert done.members.after == len(chosen)
