"""After a run the list is looked after until SendGrid counts on it what was brought; nothing waits for that."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from shared.limits import LIST_COUNT_LAG, LIST_LOOK_FIRST, LIST_STEADY, SWEEP_AFTER
from shared.model.definitions import MaxRemovals
from shared.model.list_ready import ListCheck, ListReady, ListReadyCode
from shared.model.messages import IMPORTS_QUEUE, POISON_SUFFIX
from shared.model.reasons import RunStatus
from shared.runs.cancel import cancel_run
from shared.sendgrid.api import NoResponse
from shared.storage.documents import Store
from shared.storage.layout import RunBlobs, list_check_blob
from tests.support.factories import ADA
from tests.support.fake_sendgrid import LIST_ID, answer
from tests.support.in_memory_app import CrashError, InMemoryApp, people
from tests.support.worlds import a_world

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from shared.model.runs import Run
    from shared.sendgrid.api import Request, Response

CHECK = list_check_blob(LIST_ID)


@pytest.fixture
def app() -> InMemoryApp:
    return a_world(people(10))


def a_list_with_leavers(number: int = 10) -> InMemoryApp:
    app = InMemoryApp()
    app.save(leavers="remove", max_removals=MaxRemovals(share=1.0))
    app.deliver_extract(people(number))
    return app


def counting(app: InMemoryApp, count: Callable[[datetime], int | Response | NoResponse | None]) -> list[datetime]:
    """Answer each question for the list's count; the times of the looks after the run is over."""
    looks: list[datetime] = []

    def fault(request: Request, _number: int) -> Response | NoResponse | None:
        if not request.path.endswith("/contacts/count"):
            return None
        if list(app.names("list-checks/")):
            looks.append(app.clock.now)
        counted = count(app.clock.now)
        return answer(200, {"contact_count": counted}) if isinstance(counted, int) else counted

    app.sendgrid.fault = fault
    return looks


def over(app: InMemoryApp, run: Run) -> Run:
    """The run as it is when it is over, before anybody has looked after its list."""
    while not app.run(run).status.is_terminal:
        app.step()
    return app.run(run)


def over_and_looked_after(app: InMemoryApp, run: Run) -> Run:
    app.work()
    return app.run(run)


def code(run: Run) -> str | None:
    return run.list_not_confirmed.code if run.list_not_confirmed else None


def test_a_list_is_ready_once_its_count_is_steady_and_what_was_expected(app: InMemoryApp) -> None:
    looks = counting(app, lambda _now: None)
    run = app.start()
    ended = over(app, run)
    assert (ended.list_ready, ended.list_ready_at) == (ListReady.LOOKING, None)
    done = over_and_looked_after(app, run)
    assert (done.list_ready, done.list_count_settled, code(done)) == (ListReady.READY, 10, None)
    assert done.finished_at
    assert done.list_ready_at
    waited = (done.list_ready_at - done.finished_at).total_seconds()
    assert LIST_STEADY <= waited <= LIST_STEADY + LIST_LOOK_FIRST + 2
    assert len(looks) == 3
    assert not list(app.names("list-checks/"))


def test_looking_changes_nothing_of_the_end_of_the_run(app: InMemoryApp) -> None:
    run = app.start()
    ended = over(app, run)
    told = {"list_ready", "list_ready_at", "list_count_settled"}
    done = over_and_looked_after(app, run)
    assert ended.model_dump(exclude=told) == done.model_dump(exclude=told)


@pytest.mark.parametrize("lag", [30, 90, 600])
def test_a_count_that_lags_is_waited_for(app: InMemoryApp, lag: float) -> None:
    finished: list[datetime] = []

    def count(now: datetime) -> int | None:
        return 3 if not finished or now < finished[0] + timedelta(seconds=lag) else None

    looks = counting(app, count)
    run = app.start()
    finished.append(over(app, run).finished_at or app.clock.now)
    done = over_and_looked_after(app, run)
    assert done.list_ready is ListReady.READY
    assert done.list_ready_at
    assert done.list_ready_at >= finished[0] + timedelta(seconds=lag + LIST_STEADY)
    assert len(looks) <= 20


def test_a_count_that_is_steady_and_too_low_is_not_confirmed(app: InMemoryApp) -> None:
    looks = counting(app, lambda _now: 9)
    done = over_and_looked_after(app, app.start())
    assert (done.list_ready, code(done)) == (ListReady.NOT_CONFIRMED, ListReadyCode.FEWER_THAN_EXPECTED)
    assert done.list_not_confirmed
    assert done.list_not_confirmed.message.endswith("Counted: 9; at least: 10.")
    assert (done.status, done.list_ready_at, done.list_count_settled) == (RunStatus.SUCCEEDED, None, 9)
    assert len(looks) <= 25


def test_others_that_were_on_the_list_are_expected_beside_those_who_are_new(app: InMemoryApp) -> None:
    app.sendgrid.lists[str(LIST_ID)] |= {f"other{number}@example.com" for number in range(50)}
    counts = iter([50, 50, *[50] * 3, *[60] * 9])
    counting(app, lambda _now: next(counts))
    done = over_and_looked_after(app, app.start())
    assert (done.list_ready, done.list_count_settled) == (ListReady.READY, 60)


def test_a_count_that_never_stands_still_is_not_confirmed(app: InMemoryApp) -> None:
    counts = iter(range(100, 10_000))
    counting(app, lambda _now: next(counts))
    done = over_and_looked_after(app, app.start())
    assert code(done) == ListReadyCode.UNSTEADY


def test_leavers_that_are_still_counted_hold_it_back() -> None:
    app = a_list_with_leavers()
    app.start()
    app.work()
    app.clock.now += timedelta(days=1)
    app.deliver_extract(people(6))
    counting(app, lambda _now: 10)
    done = over_and_looked_after(app, app.start())
    assert done.counts.removed == 4
    assert code(done) == ListReadyCode.MORE_THAN_EXPECTED
    app.clock.now += timedelta(days=1)
    app.deliver_extract(people(3))
    app.sendgrid.fault = lambda _request, _number: None
    done = over_and_looked_after(app, app.start())
    assert (done.list_ready, done.list_count_settled) == (ListReady.READY, 3)


def test_leavers_that_others_took_off_before_are_not_expected_to_be_missed_again() -> None:
    app = a_list_with_leavers(200)
    app.start()
    app.work()
    app.clock.now += timedelta(days=1)
    app.sendgrid.lists[str(LIST_ID)] -= {"person199@example.com"}
    app.deliver_extract(people(197))
    done = over_and_looked_after(app, app.start())
    assert (done.counts.removed, done.counts.sent) == (3, 0)
    assert (done.list_ready, done.list_count_settled) == (ListReady.READY, 197)


@pytest.mark.parametrize("silence", [NoResponse.TIMEOUT, answer(503, {}), answer(403, {})])
def test_who_does_not_answer_is_asked_a_bounded_number_of_times(
    app: InMemoryApp, silence: Response | NoResponse
) -> None:
    looks = counting(app, lambda _now: silence if list(app.names("list-checks/")) else None)
    done = over_and_looked_after(app, app.start())
    assert (done.status, code(done)) == (RunStatus.SUCCEEDED, ListReadyCode.NOT_ANSWERED)
    assert len(looks) <= 25
    assert done.finished_at
    assert app.clock.now - done.finished_at < timedelta(seconds=LIST_COUNT_LAG + 400)


def test_a_pause_that_sendgrid_asks_for_is_kept(app: InMemoryApp) -> None:
    waits = iter([answer(429, {}, retry_after="200")])
    looks = counting(app, lambda _now: next(waits, None) if list(app.names("list-checks/")) else None)
    assert over_and_looked_after(app, app.start()).list_ready is ListReady.READY
    assert (looks[1] - looks[0]).total_seconds() >= 200


def test_the_rate_limiter_is_asked_before_each_look(app: InMemoryApp) -> None:
    limited = answer(
        200, {"contact_count": 10}, x_ratelimit_limit="4", x_ratelimit_remaining="0", x_ratelimit_reset="50"
    )
    looks = counting(app, lambda _now: limited if list(app.names("list-checks/")) else None)
    assert over_and_looked_after(app, app.start()).list_ready is ListReady.READY
    assert (looks[1] - looks[0]).total_seconds() >= 50


# --- other runs on the list ---


def test_a_run_that_sends_supersedes_the_look_of_the_one_before(app: InMemoryApp) -> None:
    first = app.start()
    over(app, first)
    app.deliver_extract(people(12))
    app.clock.now += timedelta(seconds=1)
    second = app.start()
    app.work()
    assert code(app.run(first)) == ListReadyCode.SUPERSEDED
    assert second.id in str(app.run(first).list_not_confirmed)
    assert app.run(second).list_ready is ListReady.READY


def test_a_run_that_only_plans_does_not(app: InMemoryApp) -> None:
    first = app.start()
    over(app, first)
    app.save(max_contacts=1)
    app.deliver_extract(people(12))
    app.clock.now += timedelta(seconds=1)
    second = app.start()
    app.work()
    assert app.run(second).status is RunStatus.SKIPPED
    assert app.run(second).list_ready is None
    assert app.run(first).list_ready is ListReady.READY


def test_a_run_of_another_export_to_the_list_supersedes_it(app: InMemoryApp) -> None:
    app.save("other", segments=("Others",))
    app.deliver_extract(people(5, first=100), segment="Others")
    first = app.start()
    over(app, first)
    second = app.start("other")
    app.work()
    assert code(app.run(first)) == ListReadyCode.SUPERSEDED
    assert app.run(second).list_ready is ListReady.READY


def test_a_cancelled_run_that_has_sent_ends_the_look_and_begins_none(app: InMemoryApp) -> None:
    first = app.start()
    over(app, first)
    app.deliver_extract(people(12))
    app.clock.now += timedelta(seconds=1)
    second = app.start()
    while not any(name.startswith(f"runs/newsletter/{second.id}/deliveries") for name in app.names()):
        app.step()
    cancel_run(app.services, "newsletter", second.id, by=ADA)
    app.work()
    assert app.run(second).status is RunStatus.CANCELLED
    assert app.run(second).list_ready is None
    assert code(app.run(first)) == ListReadyCode.SUPERSEDED
    assert not list(app.names("list-checks/"))


def test_jobs_that_were_never_seen_to_end_leave_nothing_to_be_held_against(app: InMemoryApp) -> None:
    app.sendgrid.job_answer = lambda job, _job: {"id": job, "status": "pending", "results": {}}
    done = over_and_looked_after(app, app.start())
    assert (done.status, code(done)) == (RunStatus.COMPLETED_WITH_WARNINGS, ListReadyCode.IMPORTS_UNCONFIRMED)
    assert not list(app.names("list-checks/"))


def test_dry_runs_and_skipped_runs_look_after_no_list(app: InMemoryApp) -> None:
    app.start()
    app.work()
    again = app.start()
    app.work()
    assert app.run(again).status is RunStatus.SKIPPED
    assert app.run(again).list_ready is None


# --- what is cut off ---


@pytest.mark.parametrize("fate", ["before", "after"])
def test_wherever_the_process_dies_each_list_is_found_ready_once(fate: str) -> None:
    calls = 0
    for crash in range(400):
        app = a_world(people(3))
        run = app.start()
        app.crashes.calls, app.crashes.at = 0, {crash: fate}
        app.work()
        for _ in range(3):
            app.clock.now += timedelta(seconds=SWEEP_AFTER + 60)
            with contextlib.suppress(CrashError):
                app.tick()
            app.work()
        done = app.run(run)
        assert (done.status, done.list_ready) == (RunStatus.SUCCEEDED, ListReady.READY), crash
        assert not list(app.names("list-checks/")), crash
        if app.crashes.at:
            calls = crash
            break
    assert calls > 30


def test_a_look_whose_message_is_lost_is_sent_again(app: InMemoryApp) -> None:
    run = app.start()
    over(app, run)
    app.queues.waiting.clear()
    app.tick()
    assert not app.queues.waiting
    app.clock.now += timedelta(seconds=LIST_LOOK_FIRST + SWEEP_AFTER + 1)
    app.tick()
    app.tick()
    assert len(app.queues.waiting) == 1
    app.work()
    assert app.run(run).list_ready is ListReady.READY


def test_a_message_that_comes_twice_looks_once(app: InMemoryApp) -> None:
    looks = counting(app, lambda _now: None)
    over(app, app.start())
    (first,) = app.queues.waiting
    app.step()
    app.trigger(first.queue, first.body, "again")
    assert len(app.queues.waiting) == 1
    assert len(looks) == 1


def test_a_look_that_fails_for_its_own_reasons_says_so(app: InMemoryApp) -> None:
    run = app.start()
    over(app, run)
    (message,) = app.queues.waiting
    app.queues.waiting.clear()
    for _ in range(2):
        app.trigger(IMPORTS_QUEUE + POISON_SUFFIX, message.body, "m1")
        if app.queues.waiting:
            message = app.queues.waiting.pop()
    assert code(app.run(run)) == ListReadyCode.LOOK_FAILED
    assert not list(app.names("list-checks/"))


def test_a_look_that_cannot_be_read_is_over(app: InMemoryApp) -> None:
    run = app.start()
    over(app, run)
    app.blobs.upsert(CHECK, b"{}")
    app.queues.waiting.clear()
    app.tick()
    assert not list(app.names("list-checks/"))
    again = app.start(force=True)
    app.work()
    assert app.run(again).list_ready is ListReady.READY


def test_a_look_that_should_have_ended_long_ago_is_given_up(app: InMemoryApp) -> None:
    run = app.start()
    over(app, run)
    app.blobs.upsert(RunBlobs(export=run.export, run=run.id).document, b"{}")
    app.queues.waiting.clear()
    app.clock.now += timedelta(seconds=3 * LIST_COUNT_LAG)
    app.tick()
    assert not list(app.names("list-checks/"))
    assert not app.queues.waiting


def test_a_look_at_a_run_that_is_gone_is_over(app: InMemoryApp) -> None:
    run = app.start()
    over(app, run)
    assert Store(app.blobs).get(CHECK, ListCheck).document.run == run.id
    app.blobs.delete(RunBlobs(export=run.export, run=run.id).document)
    app.work()
    assert not list(app.names("list-checks/"))
