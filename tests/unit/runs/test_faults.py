"""Whatever fails on the way: the list is right, the run ends, and every row has one outcome."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.limits import RESENDS, SWEEP_AFTER
from shared.messages import CHUNKS_QUEUE, IMPORTS_QUEUE, RUNS_QUEUE
from shared.records import RunStatus
from shared.sendgrid import Answer, Silence
from tests.support import plain_planner
from tests.support.world import World, answer, emails, people

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.world import Job

PEOPLE = people(12)


@pytest.fixture(autouse=True, scope="module")
def _plain_planner() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.planning.planner.plan", plain_planner.plan)
        yield


@pytest.fixture
def world() -> World:
    return a_world()


def a_world() -> World:
    world = World()
    world.save()
    world.deliver_extract(PEOPLE)
    return world


def is_upsert(request: Any) -> bool:  # noqa: ANN401 - shared.sendgrid.Request
    return bool(request.method == "PUT")


# --- crashes ------------------------------------------------------------------------------------------------


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(crashes=st.dictionaries(st.integers(8, 110), st.sampled_from(["before", "after"]), max_size=6))
def test_crashes_anywhere_lose_nobody_and_end_the_run(crashes: dict[int, str]) -> None:
    world = a_world()
    run = world.start()
    world.crashes.at = dict(crashes)
    world.work()
    done = world.run(run)
    assert done.status is RunStatus.SUCCEEDED
    assert world.on_list() == emails(PEOPLE)
    assert done.counts.adds_up
    assert done.counts.sent == len(PEOPLE)


@pytest.mark.parametrize("call", range(8))
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_start_that_is_cut_off_is_finished_by_the_next_tick_or_leaves_nothing(
    world: World, call: int, when: str
) -> None:
    from tests.support.world import CrashError

    world.crashes.at = {call: when}
    try:
        world.start()
    except CrashError:
        world.services = world._services(None)
    world.crashes.at = {}
    for _ in range(3):
        world.clock.now += timedelta(seconds=SWEEP_AFTER + 1)
        world.tick()
        world.work()
    assert all(run.status.is_terminal for run in world.runs())
    assert not list(world.names("active/"))


# --- messages -----------------------------------------------------------------------------------------------


def test_every_message_twice_sends_nothing_twice(world: World) -> None:
    run = world.start()
    while world.queues.waiting:
        message = world.queues.waiting[0]
        world.step()
        world.trigger(message.queue, message.body, "again")
    assert world.run(run).status is RunStatus.SUCCEEDED
    assert len(world.sendgrid.upserts) == 1


@pytest.mark.parametrize("queue", [RUNS_QUEUE, CHUNKS_QUEUE, IMPORTS_QUEUE])
def test_the_sweeper_brings_back_a_lost_message(world: World, queue: str) -> None:
    run = world.start()
    while world.queues.waiting:
        if world.queues.waiting[0].queue == queue:
            world.queues.take()
            break
        world.step()
    world.clock.now += timedelta(seconds=SWEEP_AFTER + 60)
    world.tick()
    world.work()
    assert world.run(run).status is RunStatus.SUCCEEDED
    assert world.on_list() == emails(PEOPLE)


def test_the_sweeper_leaves_a_run_alone_that_shows_life(world: World) -> None:
    world.start()
    waiting = len(world.queues.waiting)
    world.tick()
    assert len(world.queues.waiting) == waiting


@pytest.mark.parametrize("queue", [RUNS_QUEUE, CHUNKS_QUEUE, IMPORTS_QUEUE])
def test_a_poison_message_ends_its_run_truthfully_and_is_kept(world: World, queue: str) -> None:
    run = world.start()
    while world.queues.waiting[0].queue != queue:
        world.step()
    message = world.queues.take()
    assert message is not None
    world.trigger(f"{queue}-poison", message.body, "poison-1")
    world.work()
    done = world.run(run)
    expected = RunStatus.COMPLETED_WITH_WARNINGS if queue == IMPORTS_QUEUE else RunStatus.FAILED
    assert done.status is expected
    assert done.counts.adds_up
    assert world.blobs.get(f"poison/{queue}/poison-1.txt").data == message.body.encode()


def test_a_message_that_is_not_ours_is_kept_and_harms_nothing(world: World) -> None:
    world.trigger("runs-poison", '{"hello": "there"}', "poison-2")
    assert list(world.names("poison/")) == ["poison/runs/poison-2.txt"]


# --- SendGrid -----------------------------------------------------------------------------------------------

OUTCOMES: list[Answer | Silence] = [
    answer(429, {"errors": [{"message": "too many requests"}]}, x_ratelimit_reset="30"),
    answer(429, {}, retry_after="45"),
    answer(500, {}),
    Answer(status=502, body=b"<html>Bad gateway</html>"),
    answer(503, {"message": "Service Unavailable"}),
    Answer(status=504),
    answer(408, {}),
    Silence.TIMEOUT,
    Silence.BROKEN,
    Silence.UNREACHABLE,
    answer(202, {}),
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    script=st.lists(st.one_of(st.none(), st.sampled_from(OUTCOMES)), max_size=25),
    applied=st.lists(st.booleans(), min_size=25, max_size=25),
)
def test_transient_trouble_at_any_call_only_costs_time(
    script: list[Answer | Silence | None], applied: list[bool]
) -> None:
    world = a_world()

    def fault(request: Any, number: int) -> Answer | Silence | None:  # noqa: ANN401
        outcome = script[number - 1] if number <= len(script) else None
        if isinstance(outcome, Answer) and outcome.ok and not is_upsert(request):
            return None
        if outcome is not None and is_upsert(request) and applied[number - 1]:
            world.sendgrid.behave(request)  # taken, but the answer is lost
        return outcome

    world.sendgrid.fault = fault
    run = world.start()
    world.work()
    done = world.run(run)
    assert done.status is RunStatus.SUCCEEDED
    assert world.on_list() == emails(PEOPLE)
    assert done.counts.adds_up


def test_contacts_named_by_address_are_left_out_and_the_rest_arrives(world: World) -> None:
    bad = {"person3@example.com", "person7@example.com"}

    def fault(request: Any, _number: int) -> Answer | None:  # noqa: ANN401
        named = [email for email in sorted(bad) if is_upsert(request) and email.encode() in request.body]
        errors = [{"field": "contacts", "message": f"email '{email}' is not valid"} for email in named]
        return answer(400, {"errors": errors}) if errors else None

    done = _run_with(world, fault)
    assert world.on_list() == emails(PEOPLE) - bad
    assert done.status is RunStatus.COMPLETED_WITH_WARNINGS
    assert done.counts.rejected_by_reason == {"refused_by_sendgrid": 2}
    assert len(world.sendgrid.upserts) == 1


def test_contacts_named_by_position_are_left_out_and_the_rest_arrives(world: World) -> None:
    def fault(request: Any, _number: int) -> Answer | None:  # noqa: ANN401
        if is_upsert(request) and b"person3@" in request.body:
            return answer(400, {"errors": [{"field": "contacts[3].identifier", "message": "is not valid"}]})
        return None

    done = _run_with(world, fault)
    assert world.on_list() == emails(PEOPLE) - {"person3@example.com"}
    assert done.counts.rejected == 1
    assert done.counts.adds_up


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bad=st.sets(st.integers(0, len(PEOPLE) - 1), max_size=3))
def test_unnamed_contacts_are_found_by_halving(bad: set[int]) -> None:
    world = a_world()
    poison = {f"person{index}@example.com" for index in bad}

    def fault(request: Any, _number: int) -> Answer | None:  # noqa: ANN401
        if is_upsert(request) and any(b'"' + email.encode() in request.body for email in poison):
            return answer(400, {"errors": [{"field": None, "message": "bad request"}]})
        return None

    done = _run_with(world, fault)
    assert world.on_list() == emails(PEOPLE) - poison
    assert done.counts.rejected == len(poison)
    assert done.counts.adds_up


def test_a_request_that_is_too_large_is_halved(world: World) -> None:
    def fault(request: Any, _number: int) -> Answer | None:  # noqa: ANN401
        if is_upsert(request) and request.body.count(b'"email"') > 4:
            return Answer(status=413, body=b"<html><h1>413 Request Entity Too Large</h1></html>")
        return None

    done = _run_with(world, fault)
    assert done.status is RunStatus.SUCCEEDED
    assert [len(upsert) for upsert in world.sendgrid.upserts] == [3, 3, 3, 3]


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
    world: World, status: int, message: str, code: str
) -> None:
    refusal = answer(status, {"errors": [{"field": None, "message": message}]})
    done = _run_with(world, lambda request, _number: refusal if is_upsert(request) else None)
    assert (done.status, done.reason.code) == (RunStatus.FAILED, code)
    assert done.counts.not_sent == len(PEOPLE)
    assert done.counts.adds_up


def test_a_temporary_block_is_waited_out(world: World) -> None:
    block = answer(403, {"errors": [{"message": "Too many bad requests. Temporary block"}]})
    done = _run_with(world, lambda _request, number: block if number in {3, 4} else None)
    assert done.status is RunStatus.SUCCEEDED


# --- import jobs --------------------------------------------------------------------------------------------


def test_contacts_that_the_job_fails_count_as_rejected(world: World) -> None:
    def errored(job_id: str, job: Job) -> dict[str, Any]:
        world.sendgrid.apply(type(job)(contacts=job.contacts[2:], list_ids=job.list_ids))
        results = {"requested_count": 12, "created_count": 10, "errored_count": 2, "errors_url": "https://x/e"}
        return {"id": job_id, "status": "errored", "results": results}

    world.sendgrid.job_answer = errored
    done = _run_with(world, None)
    assert (done.status, done.counts.sent) == (RunStatus.COMPLETED_WITH_WARNINGS, 10)
    assert done.counts.rejected_by_reason == {"sendgrid_import_error": 2}
    assert [name for name in world.names("runs/") if "/errors/" in name]


def test_a_job_that_failed_is_sent_again(world: World) -> None:
    world.sendgrid.job_answer = lambda job_id, _job: (
        {"id": job_id, "status": "failed", "results": {}} if job_id == "job-1" else None
    )
    done = _run_with(world, None)
    assert done.status is RunStatus.SUCCEEDED
    assert world.on_list() == emails(PEOPLE)


def test_jobs_that_always_fail_end_the_run_as_failed(world: World) -> None:
    world.sendgrid.job_answer = lambda job_id, _job: {"id": job_id, "status": "failed", "results": {}}
    done = _run_with(world, None)
    assert (done.status, done.counts.not_sent) == (RunStatus.FAILED, len(PEOPLE))
    assert len(world.sendgrid.upserts) == 1 + RESENDS


def test_a_job_that_vanished_is_sent_again(world: World) -> None:
    gone = answer(404, {"errors": [{"message": "not found"}]})
    done = _run_with(world, lambda request, _number: gone if request.path.endswith("/job-1") else None)
    assert done.status is RunStatus.SUCCEEDED
    assert world.on_list() == emails(PEOPLE)


def test_a_job_that_never_ends_is_unconfirmed_after_a_day(world: World) -> None:
    world.sendgrid.job_answer = lambda job_id, _job: {"id": job_id, "status": "pending", "results": {}}
    done = _run_with(world, None)
    assert (done.status, done.reason.code) == (RunStatus.COMPLETED_WITH_WARNINGS, "unconfirmed")
    assert done.counts.adds_up


def test_an_unknown_word_for_a_jobs_state_is_waited_out(world: World) -> None:
    world.sendgrid.job_answer = lambda job_id, job: (
        {"id": job_id, "status": "pondering"} if job.looks < 5 else None
    )
    assert _run_with(world, None).status is RunStatus.SUCCEEDED


def test_a_rate_limit_is_kept_after_it_is_learned(world: World) -> None:
    times: list[float] = []
    behave = world.sendgrid.behave

    def limited(request: Any) -> Answer:  # noqa: ANN401
        if is_upsert(request):
            times.append(world.clock.now.timestamp())
        done = behave(request)
        headers = {"x-ratelimit-limit": "2", "x-ratelimit-remaining": "1", "x-ratelimit-reset": "60"}
        return Answer(status=done.status, body=done.body, headers=headers)

    world.sendgrid.behave = limited  # type: ignore[method-assign]
    for number in range(6):
        world.save(f"export-{number}")
        world.start(f"export-{number}")
    world.work()
    assert len(times) == 6
    assert all(later - earlier >= 60 / 2 for earlier, later in itertools.pairwise(times[2:]))
    assert all(run.status is RunStatus.SUCCEEDED for number in range(6) for run in world.runs(f"export-{number}"))


def _run_with(world: World, fault: Any) -> Any:  # noqa: ANN401 - a fault function; a run with its reason
    if fault is not None:
        world.sendgrid.fault = fault
    run = world.start()
    world.work()
    return world.run(run)
