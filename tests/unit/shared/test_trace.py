"""One run is one trace, whoever works on it, and whatever its messages have been through."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions import queues, runs, timers
from shared import trace
from shared.limits import SWEEP_AFTER
from shared.model.definitions import OwnSchedule, Saved
from shared.model.messages import ChunkMessage, RunMessage
from shared.model.notification_codes import NotificationCode
from shared.model.notifications import NotificationTarget
from shared.model.reasons import RunStatus
from shared.runs.enqueue import enqueue
from shared.storage.documents import Store
from shared.storage.layout import notification_target_blob
from shared.telemetry import Event, log_event
from shared.webhooks.client import Posted
from tests.support.arrivals import an_app, deliver, the_run
from tests.support.factories import a_context, a_request, some_services, use_services
from tests.support.fake_receiver import a_target
from tests.support.in_memory_app import InMemoryApp, people
from tests.support.memory_storage import MemoryQueues
from tests.support.worlds import a_world

if TYPE_CHECKING:
    from shared.model.runs import Run

CALLERS = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{CALLERS}-00f067aa0ba902b7-01"


def lines_about(caplog: pytest.LogCaptureFixture, run: Run) -> list[str]:
    lines = [record.getMessage() for record in caplog.records if record.name == "sendgrid_export"]
    return [line for line in lines if f"run={run.id}" in line and f"export={run.export} " in line]


def traces(lines: list[str]) -> set[str]:
    return {found[1] if (found := re.search(r"\btrace=(\w+)", line)) else "" for line in lines}


@pytest.fixture
def app(caplog: pytest.LogCaptureFixture) -> InMemoryApp:
    caplog.set_level(logging.INFO, "sendgrid_export")
    return a_world(people(5))


def save_target(app: InMemoryApp, *events: str) -> None:
    definition = a_target(events=events)
    saved = Saved[NotificationTarget](id="ops", definition=definition, **app._saved_now())
    Store(app.blobs).upsert(notification_target_blob("ops"), saved)


def start_over_http(app: InMemoryApp) -> Run:
    use_services(app.services)
    start = runs.start_run._function.get_user_function()
    start(a_request(method="POST", route_params={"id": "newsletter"}), a_context(CALLERS))
    return app.runs()[-1]


def test_a_run_goes_on_the_trace_of_the_call_that_starts_it_to_its_end_and_beyond(
    app: InMemoryApp, caplog: pytest.LogCaptureFixture
) -> None:
    run = start_over_http(app)
    app.work()
    lines = lines_about(caplog, run)
    events = {line.partition(" ")[0].removeprefix("event=") for line in lines}
    assert events >= {
        "audit",
        "run_started",
        "run_planned",
        "chunk_accepted",
        "chunk_finished",
        "run_finished",
        "list_checked",
    }
    assert traces(lines) == {CALLERS}
    assert app.run(run).trace_id == CALLERS
    planned = next(line for line in lines if "event=run_planned" in line)
    started = next(line for line in lines if "event=run_started" in line)
    assert re.search(r" operation_id=(?!4bf9)\w{32}", planned)
    assert "operation_id" not in started


def test_runs_of_one_tick_have_traces_of_their_own(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sendgrid_export")
    app = InMemoryApp(refresh=OwnSchedule(kind="cron", cron="0 * * * *"))
    for export in ("first", "second"):
        app.save(export)
    app.deliver_extract(people(3))
    app.tick()
    app.clock.now += timedelta(hours=1)
    app.tick()
    started = [*app.runs("first"), *app.runs("second")]
    app.work()
    found = [traces(lines_about(caplog, run)) for run in started]
    assert [len(each) for each in found] == [1, 1]
    assert found[0] != found[1]
    assert {run.trace_id for run in started} == found[0] | found[1]


def test_a_message_without_a_trace_is_worked_on_and_begins_one(
    app: InMemoryApp, caplog: pytest.LogCaptureFixture
) -> None:
    run = start_over_http(app)
    app.queues.waiting.clear()
    app.queues.send("runs", RunMessage(export=run.export, run=run.id).model_dump_json(exclude_defaults=True))
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED
    found = traces([line for line in lines_about(caplog, run) if "chunk_accepted" in line])
    assert len(found) == 1
    assert found not in ({CALLERS}, {""})


def test_what_the_sweep_sends_again_goes_on_the_trace_of_its_run(
    app: InMemoryApp, caplog: pytest.LogCaptureFixture
) -> None:
    run = start_over_http(app)
    app.queues.waiting.clear()
    app.clock.now += timedelta(seconds=SWEEP_AFTER + 60)
    app.tick()
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED
    assert traces(lines_about(caplog, run)) == {CALLERS}


def test_a_look_after_the_list_that_is_sent_again_goes_on_it_too(
    app: InMemoryApp, caplog: pytest.LogCaptureFixture
) -> None:
    run = start_over_http(app)
    while not app.run(run).status.is_terminal:
        app.step()
    app.queues.waiting.clear()
    app.clock.now += timedelta(seconds=SWEEP_AFTER + 60)
    app.tick()
    app.work()
    assert traces([line for line in lines_about(caplog, run) if "list_checked" in line]) == {CALLERS}


def test_a_message_that_failed_too_often_stays_on_it(app: InMemoryApp, caplog: pytest.LogCaptureFixture) -> None:
    run = start_over_http(app)
    (message,) = app.queues.waiting
    app.queues.waiting.clear()
    app.trigger("runs-poison", message.body, "m1")
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED
    assert "event=message_revived" in " ".join(lines_about(caplog, run))
    assert traces(lines_about(caplog, run)) == {CALLERS}


def test_what_is_told_of_a_run_and_its_list_stays_on_it_through_all_tries(
    app: InMemoryApp, caplog: pytest.LogCaptureFixture
) -> None:
    save_target(app, "run.ended", "list.ready")
    app.receiver.answers = [Posted(code=NotificationCode.REFUSED, status=503)]
    run = start_over_http(app)
    app.work()
    lines = lines_about(caplog, run)
    events = [line.partition(" ")[0].removeprefix("event=") for line in lines]
    assert (events.count("notification_failed"), events.count("notified")) == (1, 2)
    assert traces(lines) == {CALLERS}


def test_a_notification_that_fails_within_the_app_is_given_up_on_it(
    app: InMemoryApp, caplog: pytest.LogCaptureFixture
) -> None:
    save_target(app, "run.ended")
    run = start_over_http(app)
    while not (waiting := [each for each in app.queues.waiting if '"target":"ops"' in each.body]):
        app.step()
    app.trigger("notifications-poison", waiting[0].body, "m1")
    (lost,) = (line for line in lines_about(caplog, run) if "event=notification_lost" in line)
    assert traces([lost]) == {CALLERS}


def test_a_run_that_an_extract_starts_has_one_trace_from_the_look_that_finds_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "sendgrid_export")
    app = an_app()
    deliver(app)
    app.work()
    run = the_run(app)
    lines = lines_about(caplog, run)
    assert {line.partition(" ")[0] for line in lines} >= {"event=run_started", "event=run_finished"}
    assert traces(lines) == {run.trace_id}
    started = next(line for line in lines if "event=run_started" in line)
    looked = next(record.getMessage() for record in caplog.records if "event=arrival_look" in record.getMessage())
    of_the_look = re.search(r" operation_id=(\w{32})", started)
    assert of_the_look is not None
    assert traces([looked]) != {run.trace_id}


def test_every_function_that_works_asks_for_its_context() -> None:
    timed = (timers.refresh_exports, timers.sweep)
    listening = (queues.plan_run, queues.deliver_chunk, queues.check_import, queues.notify, queues.extract_arrived)
    burying = (queues.bury_run, queues.bury_notification)
    for registered in (*timed, *listening, *burying, runs.start_run):
        function = registered._function.get_user_function()
        assert "context" in function.__annotations__


# --- the context itself ---


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "00-xyz",
        PARENT[:-1],
        PARENT + "0",
        PARENT.upper(),
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{CALLERS}-{'0' * 16}-01",
        f"{PARENT}\n",
    ],
)
def test_what_is_no_traceparent_is_none(text: str | None) -> None:
    assert trace.parse(text) is None
    with trace.entered(text):
        here = trace.current()
        assert here
        assert trace.parse(here.traceparent) == here


def test_a_traceparent_is_what_it_says() -> None:
    found = trace.parse(PARENT)
    assert found
    assert found.traceparent == PARENT


def test_outside_of_functions_there_is_no_trace(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sendgrid_export")
    log_event(Event.REFRESH_TICK, due=0)
    assert caplog.records[-1].getMessage() == "event=refresh_tick due=0"
    services = some_services()
    assert isinstance(services.queues, MemoryQueues)
    enqueue(services, ChunkMessage(export="newsletter", run="20260302T063000Z-scheduled", chunk=1))
    assert "traceparent" not in services.queues.waiting[0].body


def test_what_is_done_for_another_run_is_over_with_it() -> None:
    with trace.entered(PARENT):
        with trace.following("a" * 32):
            assert (trace.current() or trace.begin()).trace_id == "a" * 32
            assert trace.operation_id() == CALLERS
        assert (trace.current() or trace.begin()).trace_id == CALLERS
        assert trace.operation_id() is None
    assert trace.current() is None
