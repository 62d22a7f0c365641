"""What a dead process had in hand goes on soon, and waits are told apart."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.errors import SettingsError, StorageUnavailableError
from shared.limits import BLOCK_TRIES, DEAD_AFTER, STORAGE_WAIT_CAP, SWEEP_AFTER
from shared.model.messages import CHUNKS_QUEUE, IMPORTS_QUEUE, RUNS_QUEUE, ChunkMessage
from shared.model.reasons import RunStatus
from shared.model.runs import Delivery
from shared.runs.planner_lock import one_planner
from shared.storage.documents import Store
from shared.storage.layout import RunBlobs
from tests.support.fake_sendgrid import answer, is_upsert
from tests.support.in_memory_app import CrashError, InMemoryApp, emails, people
from tests.support.worlds import PEOPLE

TICK = timedelta(seconds=30)

pytestmark = pytest.mark.usefixtures("plain_planner")


def reach(app: InMemoryApp, queue: str) -> None:
    """Work until a message of `queue` is the next."""
    while app.queues.waiting[0].queue != queue:
        app.step()


def die_in_hand(app: InMemoryApp) -> None:
    """The next message's process dies in the middle of its work, and so does the host that had the message."""
    message = app.queues.take()
    assert message is not None
    app.clock.reach(message.due)
    with pytest.raises(CrashError):
        app.trigger(message.queue, message.body, "in-hand")
    app.crashes.at = {}
    app.services = app._services(None)


def seconds_until_it_goes_on(app: InMemoryApp) -> float:
    """Tick until SendGrid has taken something; the seconds that took."""
    begin = app.clock.now
    while not app.sendgrid.upserts:
        assert (app.clock.now - begin).total_seconds() < 300
        app.clock.now += TICK
        app.tick()
        app.work(until=app.clock.now)
    return (app.clock.now - begin).total_seconds()


# --- a host that dies ---------------------------------------------------------------------------------------


def crash_at(app: InMemoryApp, name: str) -> None:
    """Let the process die when SendGrid is asked to take contacts, or a blob of that name is written."""

    def fault(request: Any, _number: int) -> None:  # noqa: ANN401
        if name == "upsert" and is_upsert(request):
            raise CrashError

    app.sendgrid.fault = fault


def test_a_chunk_whose_process_died_while_it_was_sent_goes_on_within_ninety_seconds(app: InMemoryApp) -> None:
    run = app.start()
    reach(app, CHUNKS_QUEUE)
    crash_at(app, "upsert")
    die_in_hand(app)
    app.sendgrid.fault = lambda _request, _number: None
    assert seconds_until_it_goes_on(app) <= 90
    app.work()
    assert app.on_list() == emails(PEOPLE)
    delivery = Store(app.blobs).get(RunBlobs(export=run.export, run=run.id).delivery(1), Delivery).document
    assert delivery.repeats == 1


@pytest.mark.parametrize("queue", [RUNS_QUEUE, CHUNKS_QUEUE, IMPORTS_QUEUE])
def test_a_message_that_vanished_is_sent_again_within_ninety_seconds(app: InMemoryApp, queue: str) -> None:
    run = app.start()
    reach(app, queue)
    app.queues.take()
    begin = app.clock.now
    while not any(message.queue in {queue, CHUNKS_QUEUE} for message in app.queues.waiting):
        app.clock.now += TICK
        app.tick()
    assert (app.clock.now - begin).total_seconds() <= 90
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED
    assert len(app.sendgrid.upserts) == 1


def test_a_planner_whose_process_died_is_replaced_and_its_message_ends(app: InMemoryApp) -> None:
    run = app.start()
    first = app.queues.take()
    assert first is not None
    with pytest.MonkeyPatch.context() as patch:

        def die(*_args: object, **_options: object) -> None:
            raise CrashError

        patch.setattr("shared.planning.plan.plan", die)
        with pytest.raises(CrashError):
            app.trigger(first.queue, first.body, "in-hand")
    app.services = app._services(None)
    begin = app.clock.now
    while not app.queues.waiting:
        app.clock.now += TICK
        app.tick()
    assert (app.clock.now - begin).total_seconds() <= 90
    upserts = len(app.sendgrid.upserts)
    app.trigger(first.queue, first.body, "in-hand")  # the lease ends at last
    assert app.run(run).planner is not None
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED
    assert len(app.sendgrid.upserts) == upserts + 1


def test_a_chunk_that_waits_for_sendgrid_is_left_alone(app: InMemoryApp) -> None:
    busy = answer(429, {"errors": [{"message": "too many requests"}]}, retry_after="600")
    app.sendgrid.fault = lambda request, _number: busy if is_upsert(request) else None
    app.start()
    reach(app, CHUNKS_QUEUE)
    app.step()
    waiting = len(app.queues.waiting)
    until = app.clock.now + timedelta(seconds=500)
    while app.clock.now < until:
        app.clock.now += TICK
        app.tick()
        app.work(until=app.clock.now)
    assert len(app.queues.waiting) == waiting


def test_a_process_that_could_not_write_its_own_sign_believes_nobody_dead(app: InMemoryApp) -> None:
    other = app._services(None).heartbeat
    other.beat()
    app.clock.now += timedelta(seconds=DEAD_AFTER + 1)
    mine = app._services(None).heartbeat
    mine.beat()
    assert not mine.is_gone(other.process)
    app.clock.now += timedelta(seconds=20)
    mine.beat()
    assert mine.is_gone(other.process)
    other.beat()
    assert not mine.is_gone(other.process)


def test_a_run_whose_planner_died_between_commit_and_note_has_its_facts_all_the_same(app: InMemoryApp) -> None:
    from shared.runs import plan

    run = app.start()
    with pytest.MonkeyPatch.context() as patch:

        def die(*_args: object) -> None:
            raise CrashError

        patch.setattr(plan, "_note_plan", die)
        message = app.queues.take()
        assert message is not None
        with pytest.raises(CrashError):
            app.trigger(message.queue, message.body, "1")
    app.trigger(message.queue, message.body, "1")
    app.work()
    done = app.run(run)
    assert done.status is RunStatus.SUCCEEDED
    assert [extract.segment for extract in done.extracts] == ["Customers"]
    assert done.list_count_before == 0


# --- waits --------------------------------------------------------------------------------------------------


class Flaky:
    """Storage that fails for some names while it is told to."""

    def __init__(self, blobs: Any, error: Exception, part: str) -> None:  # noqa: ANN401
        self._blobs = blobs
        self.error: Exception | None = error
        self._part = part

    def __getattr__(self, method: str) -> Any:  # noqa: ANN401
        call = getattr(self._blobs, method)

        def guarded(name: str = "", *args: Any, **options: Any) -> Any:  # noqa: ANN401
            if self.error is not None and self._part in name:
                raise self.error
            return call(name, *args, **options)

        return guarded


@pytest.mark.parametrize("error", [StorageUnavailableError("away"), SettingsError("refused")])
def test_an_answer_counts_although_its_limits_cannot_be_written_down(app: InMemoryApp, error: Exception) -> None:
    app.services.store.blobs = Flaky(app.services.store.blobs, error, "limiters/")
    headers = {"x-ratelimit-limit": "2", "x-ratelimit-remaining": "1", "x-ratelimit-reset": "60"}
    behave = app.sendgrid.behave
    app.sendgrid.behave = lambda request: _with_headers(behave(request), headers)  # type: ignore[method-assign]
    run = app.start()
    app.services.sendgrid._limiter._store = Store(app.services.store.blobs)
    _without_reserving(app)
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED
    assert len(app.sendgrid.upserts) == 1


def _with_headers(response: Any, headers: dict[str, str]) -> Any:  # noqa: ANN401
    return type(response)(status=response.status, body=response.body, headers=headers)


def _without_reserving(app: InMemoryApp) -> None:
    app.services.sendgrid._limiter.reserve = lambda *_args, now, **_options: now  # type: ignore[method-assign]


def test_storage_that_is_away_costs_short_waits_that_say_nothing_of_sendgrid(app: InMemoryApp) -> None:
    run = app.start()
    reach(app, CHUNKS_QUEUE)
    flaky = Flaky(app.services.store.blobs, StorageUnavailableError("away"), "deliveries/")
    app.services.store.blobs = flaky
    waits = []
    for _ in range(BLOCK_TRIES + 4):
        due = app.queues.waiting[0].due
        app.step()
        waits.append((app.queues.waiting[0].due - max(due, app.clock.now)).total_seconds())
    assert max(waits) <= STORAGE_WAIT_CAP
    assert len(app.queues.waiting) == 1
    body = ChunkMessage.model_validate_json(app.queues.waiting[0].body)
    assert (body.attempt, body.storage_waits) == (1, BLOCK_TRIES + 4)
    flaky.error = None
    block = answer(403, {"errors": [{"message": "Too many bad requests. Temporary block"}]})
    asked: list[object] = []

    def fault(request: Any, _number: int) -> Any:  # noqa: ANN401
        if is_upsert(request) and not asked:
            asked.append(request)
            return block
        return None

    app.sendgrid.fault = fault
    app.work()
    done = app.run(run)
    assert done.status is RunStatus.SUCCEEDED  # and not account_blocked at the first block


def test_a_message_that_storage_put_off_goes_on_with_its_own_claim(app: InMemoryApp) -> None:
    app.start()
    reach(app, CHUNKS_QUEUE)
    flaky = Flaky(app.services.store.blobs, StorageUnavailableError("away"), "attempts/")
    app.services.store.blobs = flaky
    app.step()
    flaky.error = None
    app.step()
    assert len(app.sendgrid.upserts) == 1


def test_a_run_does_not_wait_in_hand_for_the_planner(app: InMemoryApp) -> None:
    run = app.start()
    with one_planner():
        app.step()
        assert app.run(run).status is RunStatus.QUEUED
        assert len(app.queues.waiting) == 1
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED


def test_the_sweeper_sends_a_late_message_once(app: InMemoryApp) -> None:
    app.start()
    app.queues.take()
    for _ in range(4):
        app.clock.now += timedelta(seconds=SWEEP_AFTER / 3)
        app.tick()
    assert len(app.queues.waiting) == 1


def test_a_put_that_is_refused_while_chunks_are_handed_out_ends_no_run() -> None:
    """The plan is committed: what is not handed out now is handed out by the message when it is back."""
    app = InMemoryApp()
    app.save()
    app.deliver_extract(people(5))
    run = app.start()
    send = app.queues.send

    def refuse(queue: str, body: str, *, delay: float = 0) -> None:
        if queue == CHUNKS_QUEUE:
            raise SettingsError("storage refuses the app")
        send(queue, body, delay=delay)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app.queues, "send", refuse)
        app.step()
    assert not app.run(run).status.is_terminal
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED
    assert app.on_list() == emails(people(5))
