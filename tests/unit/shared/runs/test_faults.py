"""Whatever fails on the way: the list is right, the run ends, and every row has one outcome."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.limits import SWEEP_AFTER
from shared.model.messages import CHUNKS_QUEUE, IMPORTS_QUEUE, RUNS_QUEUE
from shared.model.reasons import RunStatus
from shared.sendgrid.api import NoResponse, Response
from tests.support.fake_sendgrid import answer, is_upsert
from tests.support.in_memory_app import InMemoryApp, emails
from tests.support.worlds import PEOPLE, a_world

pytestmark = pytest.mark.usefixtures("plain_planner")


# --- crashes ------------------------------------------------------------------------------------------------


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(crashes=st.dictionaries(st.integers(8, 110), st.sampled_from(["before", "after"]), max_size=6))
def test_crashes_anywhere_lose_nobody_and_end_the_run(crashes: dict[int, str]) -> None:
    app = a_world()
    run = app.start()
    app.crashes.at = dict(crashes)
    app.work()
    done = app.run(run)
    assert done.status is RunStatus.SUCCEEDED
    assert app.on_list() == emails(PEOPLE)
    assert done.counts.adds_up
    assert done.counts.sent == len(PEOPLE)


@pytest.mark.parametrize("call", range(8))
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_start_that_is_cut_off_is_finished_by_the_next_tick_or_leaves_nothing(
    app: InMemoryApp, call: int, when: str
) -> None:
    from tests.support.in_memory_app import CrashError

    app.crashes.at = {call: when}
    try:
        app.start()
    except CrashError:
        app.services = app._services(None)
    app.crashes.at = {}
    for _ in range(3):
        app.clock.now += timedelta(seconds=SWEEP_AFTER + 1)
        app.tick()
        app.work()
    assert all(run.status.is_terminal for run in app.runs())
    assert not list(app.names("active/"))


# --- messages -----------------------------------------------------------------------------------------------


def test_every_message_twice_sends_nothing_twice(app: InMemoryApp) -> None:
    run = app.start()
    while app.queues.waiting:
        message = app.queues.waiting[0]
        app.step()
        app.trigger(message.queue, message.body, "again")
    assert app.run(run).status is RunStatus.SUCCEEDED
    assert len(app.sendgrid.upserts) == 1


@pytest.mark.parametrize("queue", [RUNS_QUEUE, CHUNKS_QUEUE, IMPORTS_QUEUE])
def test_the_sweeper_brings_back_a_lost_message(app: InMemoryApp, queue: str) -> None:
    run = app.start()
    while app.queues.waiting:
        if app.queues.waiting[0].queue == queue:
            app.queues.take()
            break
        app.step()
    app.clock.now += timedelta(seconds=SWEEP_AFTER + 60)
    app.tick()
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED
    assert app.on_list() == emails(PEOPLE)


def test_the_sweeper_leaves_a_run_alone_that_shows_life(app: InMemoryApp) -> None:
    app.start()
    waiting = len(app.queues.waiting)
    app.tick()
    assert len(app.queues.waiting) == waiting


@pytest.mark.parametrize("queue", [RUNS_QUEUE, CHUNKS_QUEUE, IMPORTS_QUEUE])
def test_a_poison_message_ends_its_run_truthfully_and_is_kept(app: InMemoryApp, queue: str) -> None:
    run = app.start()
    while app.queues.waiting[0].queue != queue:
        app.step()
    message = app.queues.take()
    assert message is not None
    app.trigger(f"{queue}-poison", message.body, "poison-0")
    again = app.queues.take()
    assert again is not None
    assert again.queue == queue
    before, after = json.loads(message.body), json.loads(again.body)
    assert before.pop("traceparent").split("-")[1] == after.pop("traceparent").split("-")[1]
    assert after == before | {"revived": True}
    app.trigger(f"{queue}-poison", again.body, "poison-1")
    app.work()
    done = app.run(run)
    expected = RunStatus.COMPLETED_WITH_WARNINGS if queue == IMPORTS_QUEUE else RunStatus.FAILED
    assert done.status is expected
    assert done.counts.adds_up
    assert app.blobs.get(f"poison/{queue}/poison-0.txt").data == message.body.encode()


def test_a_message_that_is_not_ours_is_kept_and_harms_nothing(app: InMemoryApp) -> None:
    app.trigger("runs-poison", '{"hello": "there"}', "poison-2")
    assert list(app.names("poison/")) == ["poison/runs/poison-2.txt"]


# --- SendGrid -----------------------------------------------------------------------------------------------

OUTCOMES: list[Response | NoResponse] = [
    answer(429, {"errors": [{"message": "too many requests"}]}, x_ratelimit_reset="30"),
    answer(429, {}, retry_after="45"),
    answer(500, {}),
    Response(status=502, body=b"<html>Bad gateway</html>"),
    answer(503, {"message": "Service Unavailable"}),
    Response(status=504),
    answer(408, {}),
    NoResponse.TIMEOUT,
    NoResponse.BROKEN,
    NoResponse.UNREACHABLE,
    answer(202, {}),
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    script=st.lists(st.one_of(st.none(), st.sampled_from(OUTCOMES)), max_size=25),
    applied=st.lists(st.booleans(), min_size=25, max_size=25),
)
def test_transient_trouble_at_any_call_only_costs_time(
    script: list[Response | NoResponse | None], applied: list[bool]
) -> None:
    app = a_world()

    def fault(request: Any, number: int) -> Response | NoResponse | None:  # noqa: ANN401
        outcome = script[number - 1] if number <= len(script) else None
        if isinstance(outcome, Response) and outcome.ok and not is_upsert(request):
            return None
        if outcome is not None and is_upsert(request) and applied[number - 1]:
            app.sendgrid.behave(request)  # taken, but the answer is lost
        return outcome

    app.sendgrid.fault = fault
    run = app.start()
    app.work()
    done = app.run(run)
    assert done.status is RunStatus.SUCCEEDED
    assert app.on_list() == emails(PEOPLE)
    assert done.counts.adds_up


def test_contacts_named_by_address_are_left_out_and_the_rest_arrives(app: InMemoryApp) -> None:
    bad = {"person3@example.com", "person7@example.com"}

    def fault(request: Any, _number: int) -> Response | None:  # noqa: ANN401
        named = [email for email in sorted(bad) if is_upsert(request) and email.encode() in request.body]
        errors = [{"field": "contacts", "message": f"email '{email}' is not valid"} for email in named]
        return answer(400, {"errors": errors}) if errors else None

    done = app.run_to_its_end(fault)
    assert app.on_list() == emails(PEOPLE) - bad
    assert done.status is RunStatus.COMPLETED_WITH_WARNINGS
    assert done.counts.rejected_by_reason == {"refused_by_sendgrid": 2}
    assert len(app.sendgrid.upserts) == 1
    assert app.rejected_rows(done) == [("5", "refused_by_sendgrid"), ("9", "refused_by_sendgrid")]
    assert done.counts.rejected_not_listed == 0


def test_contacts_named_by_position_are_left_out_and_the_rest_arrives(app: InMemoryApp) -> None:
    def fault(request: Any, _number: int) -> Response | None:  # noqa: ANN401
        if is_upsert(request) and b"person3@" in request.body:
            return answer(400, {"errors": [{"field": "contacts[3].identifier", "message": "is not valid"}]})
        return None

    done = app.run_to_its_end(fault)
    assert app.on_list() == emails(PEOPLE) - {"person3@example.com"}
    assert done.counts.rejected == 1
    assert done.counts.adds_up


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bad=st.sets(st.integers(0, len(PEOPLE) - 1), max_size=3))
def test_unnamed_contacts_are_found_by_halving(bad: set[int]) -> None:
    app = a_world()
    poison = {f"person{index}@example.com" for index in bad}

    def fault(request: Any, _number: int) -> Response | None:  # noqa: ANN401
        if is_upsert(request) and any(b'"' + email.encode() in request.body for email in poison):
            return answer(400, {"errors": [{"field": None, "message": "bad request"}]})
        return None

    done = app.run_to_its_end(fault)
    assert app.on_list() == emails(PEOPLE) - poison
    assert done.counts.rejected == len(poison)
    assert done.counts.adds_up


def test_a_request_that_is_too_large_is_halved(app: InMemoryApp) -> None:
    def fault(request: Any, _number: int) -> Response | None:  # noqa: ANN401
        if is_upsert(request) and request.body.count(b'"email"') > 4:
            return Response(status=413, body=b"<html><h1>413 Request Entity Too Large</h1></html>")
        return None

    done = app.run_to_its_end(fault)
    assert done.status is RunStatus.SUCCEEDED
    assert [len(upsert) for upsert in app.sendgrid.upserts] == [3, 3, 3, 3]


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (403, "access forbidden", "scope_missing"),
        (404, "list not found", "list_missing"),
        (451, "Unavailable due to data residency restrictions", "data_residency"),
        (400, "invalid custom field ids supplied - w7", "custom_field_missing"),
    ],
)
def test_a_refusal_of_everything_ends_the_run_with_its_reason(
    app: InMemoryApp, status: int, message: str, code: str
) -> None:
    refusal = answer(status, {"errors": [{"field": None, "message": message}]})
    done = app.run_to_its_end(lambda request, _number: refusal if is_upsert(request) else None)
    assert (done.status, done.reason and done.reason.code) == (RunStatus.FAILED, code)
    assert done.counts.not_sent == len(PEOPLE)
    assert done.counts.adds_up


def test_a_temporary_block_is_waited_out(app: InMemoryApp) -> None:
    block = answer(403, {"errors": [{"message": "Too many bad requests. Temporary block"}]})
    done = app.run_to_its_end(lambda _request, number: block if number in {3, 4} else None)
    assert done.status is RunStatus.SUCCEEDED


def test_a_rate_limit_is_kept_after_it_is_learned(app: InMemoryApp) -> None:
    times: list[float] = []
    behave = app.sendgrid.behave

    def limited(request: Any) -> Response:  # noqa: ANN401
        if is_upsert(request):
            times.append(app.clock.now.timestamp())
        done = behave(request)
        headers = {"x-ratelimit-limit": "2", "x-ratelimit-remaining": "1", "x-ratelimit-reset": "60"}
        return Response(status=done.status, body=done.body, headers=headers)

    app.sendgrid.behave = limited  # type: ignore[method-assign]
    for number in range(6):
        app.save(f"export-{number}")
        app.start(f"export-{number}")
    app.work()
    assert len(times) == 6
    assert all(later - earlier >= 60 / 2 for earlier, later in itertools.pairwise(times[2:]))
    assert all(run.status is RunStatus.SUCCEEDED for number in range(6) for run in app.runs(f"export-{number}"))
