"""Who kills its worker ends its own run, and nobody else's."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from azure.functions.queue import QueueMessage

from functions import queues
from shared.errors import PlannerBusyError
from shared.limits import BACK_FROM_THE_DEAD, CLEAN_EVERY, DEAD_AFTER, HEARTBEAT, JUDGED_WITHIN, SUSPECT_LOOK
from shared.model.messages import CHUNKS_QUEUE, IMPORTS_QUEUE, RUNS_QUEUE, ChunkMessage, Message, RunMessage
from shared.model.reasons import RunStatus
from shared.runs import suspects
from tests.support.factories import use_services
from tests.support.in_memory_app import CrashError, InMemoryApp, user_function

if TYPE_CHECKING:
    from shared.model.runs import Run
    from tests.support.memory_storage import SentMessage

HANDLERS = {RUNS_QUEUE: queues.plan_run, CHUNKS_QUEUE: queues.deliver_chunk, IMPORTS_QUEUE: queues.check_import}

pytestmark = pytest.mark.usefixtures("plain_planner")


def first_of(app: InMemoryApp, queue: str) -> SentMessage:
    """Work until a message of `queue` is the next, and take that."""
    while app.queues.waiting[0].queue != queue:
        app.step()
    message = app.queues.take()
    assert message is not None
    app.clock.reach(message.due)
    return message


def deliver(app: InMemoryApp, queue: str, body: str, *, tries: int, message_id: str = "m1") -> None:
    use_services(app.services)
    user_function(HANDLERS[queue])(QueueMessage(id=message_id, body=body, dequeue_count=tries))


def busy() -> None:
    raise PlannerBusyError


def kill_worker(
    app: InMemoryApp, queue: str, body: str, *, tries: int, after: float, work: float = 0, message_id: str = "m1"
) -> None:
    """Work on a message until its worker is killed after `work` seconds; the message is back `after` so many."""
    app.services.heartbeat.beat()

    def die(*_args: object, **_options: object) -> None:
        until = app.clock.now + timedelta(seconds=work)
        while app.clock.now < until:
            app.clock.now += timedelta(seconds=HEARTBEAT)
            app.services.heartbeat.beat()
        raise CrashError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.runs.plan._make_plan", die)
        patch.setattr("shared.runs.deliver._send_next", die)
        patch.setattr("shared.runs.confirm._poll", die)
        patch.setattr(app.blobs, "delete", lambda *_args, **_options: None)  # a killed process cleans nothing up
        with pytest.raises(CrashError):
            deliver(app, queue, body, tries=tries, message_id=message_id)
    app.clock.now += timedelta(seconds=after)
    app.services = app._services(None)


def require_killed(app: InMemoryApp, run: Run) -> None:
    """The run ended for what it did to its workers."""
    done = app.run(run)
    assert (done.status, done.reason and done.reason.code) == (RunStatus.FAILED, "worker_killed")


@pytest.mark.parametrize("queue", [RUNS_QUEUE, CHUNKS_QUEUE, IMPORTS_QUEUE])
def test_who_kills_its_worker_alone_ends_its_run(app: InMemoryApp, queue: str) -> None:
    run = app.start()
    message = first_of(app, queue)
    kill_worker(app, queue, message.body, tries=1, after=60)
    kill_worker(app, queue, message.body, tries=2, after=60)
    deliver(app, queue, message.body, tries=3)
    app.work()
    require_killed(app, run)
    assert app.run(run).counts.adds_up
    assert not list(app.names("suspects/"))


def test_a_neighbour_that_came_back_finishes_and_leaves_no_note(app: InMemoryApp) -> None:
    run = app.start()
    message = first_of(app, RUNS_QUEUE)
    deliver(app, message.queue, message.body, tries=2)
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED
    assert not list(app.names("suspects/"))


def test_a_host_that_died_makes_nobody_guilty(app: InMemoryApp) -> None:
    run = app.start()
    message = first_of(app, RUNS_QUEUE)
    for tries in range(1, 5):
        kill_worker(app, message.queue, message.body, tries=tries, after=BACK_FROM_THE_DEAD + 60)
    deliver(app, message.queue, message.body, tries=5)
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED


def test_another_message_about_the_same_work_proves_nothing(app: InMemoryApp) -> None:
    run = app.start()
    message = first_of(app, RUNS_QUEUE)
    kill_worker(app, message.queue, message.body, tries=2, after=60)
    use_services(app.services)
    user_function(queues.plan_run)(QueueMessage(id="earlier", body=message.body, dequeue_count=2))
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED


@pytest.mark.parametrize("queue", [RUNS_QUEUE, CHUNKS_QUEUE, IMPORTS_QUEUE])
def test_of_two_suspects_of_the_same_work_the_one_that_was_tried_is_judged_first(
    app: InMemoryApp, queue: str
) -> None:
    """Two messages about a chunk were in hand when its worker died; tried in turn they would end the host."""
    run = app.start()
    message = first_of(app, queue)
    kill_worker(app, queue, message.body, tries=1, after=10)
    kill_worker(app, queue, message.body, tries=2, after=DEAD_AFTER + 1)
    deliver(app, queue, message.body, tries=2, message_id="m2")
    deliver(app, queue, message.body, tries=3)
    app.work()
    require_killed(app, run)


def test_a_second_message_of_a_start_that_was_sent_twice_lets_the_suspect_be_judged(app: InMemoryApp) -> None:
    """It was never tried before, and would kill the third worker, and with it the host."""
    run = app.start()
    message = first_of(app, RUNS_QUEUE)
    kill_worker(app, RUNS_QUEUE, message.body, tries=1, after=10)
    kill_worker(app, RUNS_QUEUE, message.body, tries=2, after=DEAD_AFTER + 1)
    deliver(app, RUNS_QUEUE, message.body, tries=1, message_id="m2")
    assert [waiting.queue for waiting in app.queues.waiting] == [RUNS_QUEUE]
    deliver(app, RUNS_QUEUE, message.body, tries=3)
    app.work()
    require_killed(app, run)


@pytest.mark.parametrize("queue", [RUNS_QUEUE, CHUNKS_QUEUE, IMPORTS_QUEUE])
def test_a_suspect_whose_rival_does_not_come_back_goes_on_within_ninety_seconds(
    app: InMemoryApp, queue: str
) -> None:
    run = app.start()
    message = first_of(app, queue)
    kill_worker(app, queue, message.body, tries=2, after=DEAD_AFTER + 1)
    begin = app.clock.now
    deliver(app, queue, message.body, tries=2, message_id="m2")
    app.work()
    done = app.run(run)
    assert done.status is RunStatus.SUCCEEDED
    assert done.finished_at
    assert (done.finished_at - begin).total_seconds() <= 90


@pytest.mark.parametrize("queue", [RUNS_QUEUE, CHUNKS_QUEUE, IMPORTS_QUEUE])
def test_of_two_suspects_that_look_at_the_same_moment_the_one_that_waits_leaves_the_others_note(
    app: InMemoryApp, queue: str
) -> None:
    run = app.start()
    message = first_of(app, queue)
    kill_worker(app, queue, message.body, tries=1, after=10)
    kill_worker(app, queue, message.body, tries=2, after=0)
    (name,) = app.names("suspects/")
    worker = app.services.store.get(name, suspects.Suspect).document.process
    with pytest.MonkeyPatch.context() as patch, suspects._ALONE:
        patch.setattr(app.services.heartbeat, "process", worker)
        patch.setattr(
            suspects, "_notes", lambda *_about: []
        )  # it looked before the other one had written its note
        deliver(app, queue, message.body, tries=2, message_id="m2")
    app.clock.now += timedelta(seconds=DEAD_AFTER + 1)
    deliver(app, queue, message.body, tries=3)
    app.work()
    require_killed(app, run)


def test_an_error_that_is_no_death_makes_nobody_guilty(app: InMemoryApp) -> None:
    run = app.start()
    message = first_of(app, RUNS_QUEUE)
    with pytest.MonkeyPatch.context() as patch:

        def fail(*_args: object) -> None:
            raise ZeroDivisionError

        patch.setattr("shared.runs.plan._make_plan", fail)
        for tries in range(1, 6):
            with pytest.raises(ZeroDivisionError):
                deliver(app, message.queue, message.body, tries=tries)
            app.clock.now += timedelta(seconds=60)
    deliver(app, message.queue, message.body, tries=6)
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED


def test_two_suspects_are_not_tried_at_a_time(app: InMemoryApp) -> None:
    app.start()
    message = first_of(app, RUNS_QUEUE)
    with suspects._ALONE:
        deliver(app, message.queue, message.body, tries=3)
    (later,) = app.queues.waiting
    assert RunMessage.model_validate_json(later.body).unfinished == 2


def test_a_suspect_that_finds_its_chunk_claimed_by_the_dead_is_a_suspect_still(app: InMemoryApp) -> None:
    """Else it would be tried beside others once more, and the host ends with the third worker."""
    run = app.start()
    message = first_of(app, CHUNKS_QUEUE)
    kill_worker(app, CHUNKS_QUEUE, message.body, tries=1, after=10)
    with suspects._ALONE:
        deliver(app, CHUNKS_QUEUE, message.body, tries=2)
    later = app.queues.take()
    assert later is not None
    kill_worker(app, CHUNKS_QUEUE, later.body, tries=1, after=DEAD_AFTER + 1, message_id="m2")
    deliver(app, CHUNKS_QUEUE, later.body, tries=2, message_id="m2")
    app.work()
    require_killed(app, run)


@pytest.mark.parametrize("queue", [RUNS_QUEUE, CHUNKS_QUEUE])
def test_a_suspect_that_waits_for_what_another_holds_is_a_suspect_still(app: InMemoryApp, queue: str) -> None:
    app.start()
    message = first_of(app, queue)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.runs.plan.require_idle_planner", busy)
        patch.setattr("shared.runs.deliver._is_claimed_by_other", lambda *_args: True)
        kill_worker(app, queue, message.body, tries=1, after=10)
        deliver(app, queue, message.body, tries=2)
    (waiting,) = app.queues.waiting
    later = Message.model_validate_json(waiting.body)
    assert (later.unfinished, later.origin) == (1, "m1")


def test_messages_say_nothing_of_their_past_once_it_is_over(app: InMemoryApp) -> None:
    app.start()
    message = first_of(app, RUNS_QUEUE)
    body = RunMessage.model_validate_json(message.body).model_copy(update={"unfinished": 3, "revived": True})
    deliver(app, message.queue, body.model_dump_json(), tries=1)
    assert app.queues.waiting
    for waiting in app.queues.waiting:
        later = ChunkMessage.model_validate_json(waiting.body)
        assert (later.unfinished, later.revived) == (0, False)


@pytest.mark.parametrize("work", [0, 120])
@pytest.mark.parametrize("queue", [RUNS_QUEUE, CHUNKS_QUEUE, IMPORTS_QUEUE])
def test_the_sweeper_leaves_a_suspect_to_the_message_that_is_judged(
    app: InMemoryApp, queue: str, work: float
) -> None:
    """Another message about the work would kill a third worker, and with it the host."""
    run = app.start()
    message = first_of(app, queue)
    kill_worker(app, queue, message.body, tries=1, after=10)
    kill_worker(app, queue, message.body, tries=2, after=0, work=work)
    for _ in range(2):
        app.clock.now += timedelta(seconds=DEAD_AFTER / 2 + SUSPECT_LOOK)
        app.tick()
    assert not app.queues.waiting
    deliver(app, queue, message.body, tries=3)
    app.work()
    require_killed(app, run)


@pytest.mark.parametrize("queue", [RUNS_QUEUE, CHUNKS_QUEUE, IMPORTS_QUEUE])
def test_a_suspect_whose_message_went_down_with_its_host_goes_on_within_ninety_seconds(
    app: InMemoryApp, queue: str
) -> None:
    run = app.start()
    message = first_of(app, queue)
    kill_worker(app, queue, message.body, tries=2, after=0)
    begin = app.clock.now
    while not app.queues.waiting:
        app.clock.now += timedelta(seconds=30)
        app.tick()
    assert JUDGED_WITHIN < (app.clock.now - begin).total_seconds() <= 91
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED


@pytest.mark.parametrize("queue", [RUNS_QUEUE, CHUNKS_QUEUE, IMPORTS_QUEUE])
def test_the_sweeper_leaves_a_suspect_alone_that_waits_for_its_turn(app: InMemoryApp, queue: str) -> None:
    run = app.start()
    message = first_of(app, queue)
    kill_worker(app, queue, message.body, tries=1, after=10)
    with suspects._ALONE:
        deliver(app, queue, message.body, tries=2)
        until = app.clock.now + timedelta(seconds=200)
        while app.clock.now < until:
            for _ in range(6):
                app.step()
            app.tick()
            assert len(app.queues.waiting) == 1
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED
    assert not list(app.names("suspects/"))


@pytest.mark.parametrize("queue", [RUNS_QUEUE, CHUNKS_QUEUE, IMPORTS_QUEUE])
def test_a_suspect_whose_message_vanished_while_it_waited_goes_on(app: InMemoryApp, queue: str) -> None:
    run = app.start()
    message = first_of(app, queue)
    kill_worker(app, queue, message.body, tries=1, after=10)
    with suspects._ALONE:
        deliver(app, queue, message.body, tries=2)
    app.queues.take()
    begin = app.clock.now
    while not app.queues.waiting:
        app.clock.now += timedelta(seconds=30)
        app.tick()
    assert (app.clock.now - begin).total_seconds() <= 91
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED


def test_a_suspect_that_only_waited_when_its_worker_died_is_not_to_blame(app: InMemoryApp) -> None:
    run = app.start()
    message = first_of(app, RUNS_QUEUE)
    kill_worker(app, RUNS_QUEUE, message.body, tries=1, after=10)
    app.services.heartbeat.beat()
    with suspects._ALONE:
        deliver(app, RUNS_QUEUE, message.body, tries=2)
    later = app.queues.take()
    assert later is not None
    app.clock.now += timedelta(seconds=DEAD_AFTER + 10)
    app.services = app._services(None)
    deliver(app, RUNS_QUEUE, later.body, tries=2)
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED


def test_a_second_message_leaves_the_note_of_the_one_that_is_being_tried(app: InMemoryApp) -> None:
    app.start()
    message = first_of(app, RUNS_QUEUE)
    kill_worker(app, RUNS_QUEUE, message.body, tries=2, after=0)
    (name,) = app.names("suspects/")
    note = app.services.store.get(name, suspects.Suspect).document
    app.services.heartbeat.process = note.process  # it is being tried here
    with suspects._ALONE:
        deliver(app, RUNS_QUEUE, message.body, tries=2)
    assert app.services.store.get(name, suspects.Suspect).document == note


def test_notes_of_long_ago_are_deleted(app: InMemoryApp) -> None:
    app.start()
    message = first_of(app, RUNS_QUEUE)
    kill_worker(app, RUNS_QUEUE, message.body, tries=2, after=CLEAN_EVERY + 1)
    app.tick()
    assert not list(app.names("suspects/"))
