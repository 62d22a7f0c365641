"""Only what changed is sent, and never fewer than that."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.model.definitions import FieldMapping, MaxRemovals
from shared.model.reasons import RunStatus
from tests.support.fake_sendgrid import answer
from tests.support.in_memory_app import InMemoryApp, emails, people
from tests.support.worlds import run_with

PEOPLE = people(20)
CHANGED = [*PEOPLE[:18], (PEOPLE[18][0], "Another"), (PEOPLE[19][0], "Name")]


def a_world(**changes: Any) -> InMemoryApp:  # noqa: ANN401 - an export's fields
    app = InMemoryApp()
    wishes: dict[str, Any] = {"changes": "changed"} | changes
    app.save(**wishes)
    return app


@pytest.fixture
def app() -> InMemoryApp:
    return a_world()


def sent_last(app: InMemoryApp, before: int) -> set[str]:
    return {email for upsert in app.sendgrid.upserts[before:] for email in upsert}


def test_only_who_is_new_or_changed_is_sent(app: InMemoryApp) -> None:
    run_with(app, PEOPLE)
    before = len(app.sendgrid.upserts)
    newcomer = ("new@example.com", "New")
    done = run_with(app, [*CHANGED, newcomer])
    assert sent_last(app, before) == emails([*CHANGED[18:], newcomer])
    assert (done.counts.sent, done.counts.unchanged) == (3, 18)
    assert app.on_list() == emails([*PEOPLE, newcomer])
    assert app.sendgrid.contacts[PEOPLE[18][0]]["first_name"] == "Another"


def test_nothing_changed_is_a_success_that_says_so(app: InMemoryApp) -> None:
    run_with(app, PEOPLE)
    before = len(app.sendgrid.upserts)
    done = run_with(app, reversed(PEOPLE))
    assert len(app.sendgrid.upserts) == before
    assert done.reason is not None
    assert (done.status, done.counts.unchanged, done.counts.sent) == (RunStatus.SUCCEEDED, 20, 0)
    assert "already" in done.reason.message


def test_all_are_sent_unless_the_export_says_otherwise() -> None:
    app = a_world(changes="all")
    run_with(app, PEOPLE)
    assert run_with(app, CHANGED).counts.sent == 20


@pytest.mark.parametrize(
    "again", ["force", "mapping", "days", "list", "count unknown"], ids=lambda why: why.replace(" ", "-")
)
def test_all_are_sent_again_when_sendgrid_may_not_have_them_just_so(again: str) -> None:
    app = a_world()
    run_with(app, PEOPLE)
    options: dict[str, Any] = {}
    match again:
        case "force":
            options = {"force": True}
        case "mapping":
            app.save(changes="changed", mapping=FieldMapping(email="EMail", last_name="FirstName"))
        case "days":
            app.clock.now += timedelta(days=31)
        case "list":
            app.on_list().discard(PEOPLE[0][0])
        case "count unknown":
            count = app.sendgrid._list
            app.sendgrid._list = lambda list_id: (  # type: ignore[method-assign]
                answer(200, {"id": list_id, "name": "List"}) if count(list_id).ok else count(list_id)
            )
    done = run_with(app, CHANGED, **options)
    assert (done.counts.sent, done.counts.unchanged) == (20, 0)
    assert app.on_list() == emails(PEOPLE)


def test_who_may_not_have_arrived_just_so_is_sent_again(app: InMemoryApp) -> None:
    results = {"requested_count": 20, "created_count": 19, "errored_count": 1}

    def errored(job_id: str, job: Any) -> dict[str, Any]:  # noqa: ANN401
        app.sendgrid.apply(job)
        return {"id": job_id, "status": "errored", "results": results}

    app.sendgrid.job_answer = errored
    first = run_with(app, PEOPLE)
    assert first.status is RunStatus.COMPLETED_WITH_WARNINGS
    app.sendgrid.job_answer = lambda _id, _job: None
    before = len(app.sendgrid.upserts)
    run_with(app, CHANGED)
    assert sent_last(app, before) == emails(PEOPLE)


def test_whom_sendgrid_refused_is_sent_again(app: InMemoryApp) -> None:
    refusal = answer(400, {"errors": [{"field": "contacts[3].identifier", "message": "is not valid"}]})
    bad = PEOPLE[3][0].encode()
    app.sendgrid.fault = lambda request, _number: (
        refusal if request.method == "PUT" and b'"' + bad + b'"' in (request.body or b"") else None
    )
    run_with(app, PEOPLE)
    app.sendgrid.fault = lambda _request, _number: None
    before = len(app.sendgrid.upserts)
    run_with(app, [*PEOPLE[1:], PEOPLE[0]])
    assert sent_last(app, before) == {PEOPLE[3][0]}
    assert app.on_list() == emails(PEOPLE)


def test_a_run_whose_contacts_never_arrived_leaves_them_to_the_next(app: InMemoryApp) -> None:
    gone = answer(451, {"errors": [{"message": "residency"}]})
    app.sendgrid.fault = lambda request, _number: gone if request.method == "PUT" else None
    run_with(app, PEOPLE)
    app.sendgrid.fault = lambda _request, _number: None
    assert run_with(app, CHANGED).counts.sent == 20


def test_leavers_are_found_among_the_unchanged_too() -> None:
    app = a_world(leavers="remove", max_removals=MaxRemovals(share=1.0))
    run_with(app, PEOPLE)
    done = run_with(app, PEOPLE[5:])
    assert (done.counts.sent, done.counts.unchanged, done.counts.removed) == (0, 15, 5)
    assert app.on_list() == emails(PEOPLE[5:])
    assert done.members is not None
    assert (done.members.before, done.members.left, done.members.after) == (20, 5, 15)


people_by_number = st.dictionaries(st.integers(0, 12), st.sampled_from(["A", "B", "C"]), min_size=1, max_size=10)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    deliveries=st.lists(people_by_number, min_size=2, max_size=4),
    crashes=st.dictionaries(st.integers(5, 200), st.sampled_from(["before", "after"]), max_size=5),
)
def test_after_every_run_the_list_has_the_segment_with_its_values(
    deliveries: list[dict[int, str]], crashes: dict[int, str]
) -> None:
    app = a_world(leavers="remove", max_removals=MaxRemovals(share=1.0))
    app.crashes.at = dict(crashes)
    for delivered in deliveries:
        rows = [(f"person{number}@example.com", name) for number, name in delivered.items()]
        kept, app.crashes.at = app.crashes.at, {}
        app.clock.now += timedelta(hours=1)
        app.deliver_extract(rows)
        run = app.start()
        app.crashes.at = kept
        app.work()
        done = app.run(run)
        assert done.status is RunStatus.SUCCEEDED
        assert app.on_list() == emails(rows)
        assert {email: app.sendgrid.contacts[email]["first_name"] for email, _ in rows} == dict(rows)
