"""Extracts that start their exports: each version one run, whatever comes of the events."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import StorageUnavailableError
from shared.limits import ARRIVAL_LOOK, EVENTS_GATHERED
from shared.model.definitions import Export, OnArrival, Saved, SourceOptions
from shared.model.messages import EVENTS_QUEUE
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import RunStatus
from shared.model.runs import Trigger
from shared.storage.documents import Store
from shared.storage.layout import LOOK_OUT_BLOB, export_blob
from tests.support.arrivals import DAY, SETTLE, an_app, arrivals, deliver, the_run
from tests.support.events import an_event, tell
from tests.support.in_memory_app import InMemoryApp, a_connection, emails, people

pytestmark = pytest.mark.usefixtures("plain_planner")

LISTINGS_OF_A_LOOK = 6
"""At the extracts, which lie in folders by year, month, day and time."""


@pytest.fixture
def app() -> InMemoryApp:
    return an_app()


class Counted:
    """Extracts that count how often they are listed."""

    def __init__(self, app: InMemoryApp) -> None:
        self._blobs, self.listings = app.extracts, 0
        app.services = replace(app.services, extracts=self)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any method
        self.listings += name.startswith("list_")
        return getattr(self._blobs, name)


# --- an extract arrives -------------------------------------------------------------------------------------


def test_an_extract_that_arrives_starts_its_export(app: InMemoryApp) -> None:
    deliver(app)
    app.work()
    run = the_run(app)
    assert (run.status, app.on_list()) == (RunStatus.SUCCEEDED, emails(people(3)))
    assert run.requested_by == "extract"
    assert run.acts_for == Store(app.blobs).get(export_blob("newsletter"), Saved[Export]).document.updated_by


def test_the_run_is_named_by_the_time_and_the_version_of_its_extract(app: InMemoryApp) -> None:
    deliver(app)
    app.work()
    run = the_run(app)
    (extract,) = app.extracts.list_blobs()
    assert run.due_at == extract.modified
    assert run.id.startswith(f"{extract.modified:%Y%m%dT%H%M%SZ}-arrival")


def test_nothing_starts_before_the_extract_has_settled(app: InMemoryApp) -> None:
    deliver(app)
    (extract,) = app.extracts.list_blobs()
    app.work(until=extract.modified + SETTLE - timedelta(seconds=1))
    assert arrivals(app) == []
    app.work()
    assert the_run(app).created_at >= extract.modified + SETTLE


def test_an_extract_that_is_replaced_while_it_settles_has_one_run_of_its_last_version(app: InMemoryApp) -> None:
    name = deliver(app)
    app.work(until=app.clock.now + SETTLE / 2)
    app.extracts.upsert(name, b"EMail,FirstName\nann@example.com,Ann\n")
    tell(app, name)
    app.work()
    assert the_run(app).due_at == next(app.extracts.list_blobs()).modified
    assert app.on_list() == {"ann@example.com"}


def test_the_next_version_has_a_run_of_its_own(app: InMemoryApp) -> None:
    deliver(app)
    app.work()
    app.clock.now += DAY
    deliver(app, 5)
    app.work()
    assert [run.status for run in arrivals(app)] == [RunStatus.SUCCEEDED] * 2
    assert app.on_list() == emails(people(5))


def test_a_version_that_comes_while_the_run_of_the_one_before_is_not_over_has_its_own(app: InMemoryApp) -> None:
    deliver(app)
    app.work(until=app.clock.now + SETTLE + timedelta(seconds=10))
    assert len(arrivals(app)) == 1
    app.clock.now += timedelta(minutes=1)
    deliver(app, 5)
    app.work()
    assert len(arrivals(app)) == 2
    assert app.on_list() == emails(people(5))


def test_the_time_to_settle_is_the_exports() -> None:
    app = an_app(source=SourceOptions(settle=timedelta(hours=1)))
    deliver(app)
    app.work()
    run = the_run(app)
    assert run.due_at is not None
    assert timedelta(hours=1) <= run.created_at - run.due_at < timedelta(hours=1, seconds=30)


def test_each_export_of_a_segment_has_its_own_run(app: InMemoryApp) -> None:
    for export in ("second", "third"):
        app.save(export, schedule=OnArrival(kind="arrival"))
    app.clock.now += timedelta(minutes=1)
    deliver(app)
    app.work()
    assert [the_run(app, export).status for export in ("newsletter", "second", "third")] == [
        RunStatus.SUCCEEDED
    ] * 3


@pytest.mark.parametrize("change", [{"enabled": False}, {"schedule": {"kind": "off"}}], ids=["disabled", "off"])
def test_exports_that_are_disabled_or_wait_for_nothing_do_not_run(change: dict[str, Any]) -> None:
    app = an_app(**change)
    deliver(app)
    app.work()
    assert arrivals(app) == []


def test_without_consent_the_run_ends_with_that_reason(app: InMemoryApp) -> None:
    app.save_connection(a_connection(consent=None))
    deliver(app)
    app.work()
    run = the_run(app)
    assert run.reason is not None
    assert (run.status, run.reason.code) == (RunStatus.FAILED, ReasonCode.CONSENT_MISSING)


def test_an_export_that_skips_an_overlap_skips_it() -> None:
    app = an_app(overlap="skip")
    app.deliver_extract(people(3))
    under_way = app.start(force=True)
    app.step()
    deliver_at = app.clock.now + timedelta(minutes=1)
    app.clock.reach(deliver_at)
    app.queues.waiting[0] = replace(app.queues.waiting[0], due=app.clock.now + timedelta(hours=1))
    deliver(app, 5)
    app.work()
    assert app.run(under_way).status is RunStatus.SUCCEEDED
    (skipped,) = (run for run in app.runs() if run.trigger is Trigger.ARRIVAL)
    assert skipped.reason is not None
    assert skipped.reason.code == ReasonCode.OVERLAP


def test_what_was_sent_by_hand_already_is_not_sent_again(app: InMemoryApp) -> None:
    deliver(app)
    by_hand = app.start()
    app.work()
    (arrived,) = (run for run in app.runs() if run.id != by_hand.id)
    assert arrived.reason is not None
    assert arrived.reason.code == ReasonCode.UNCHANGED


def test_the_audit_log_has_the_start_as_nobodys(app: InMemoryApp) -> None:
    deliver(app)
    app.work()
    log = b"".join(app.audit_blobs.get(item.name).data for item in app.audit_blobs.list_blobs()).decode()
    assert '"workflowSubmissionKind":"Scheduled"' in log
    assert "submittedBy" not in log


# --- events that come twice, late, in disorder, or not at all -----------------------------------------------


def test_a_thousand_events_in_disorder_make_one_run_and_few_listings(app: InMemoryApp) -> None:
    counted = Counted(app)
    dice = random.Random(7)  # noqa: S311 - the same disorder each time
    name = deliver(app, told_times=0)
    for _ in range(1_000):
        tell(app, name, delay=dice.uniform(0, 1_800))
    app.work()
    assert the_run(app).status is RunStatus.SUCCEEDED
    assert counted.listings <= (1_800 / EVENTS_GATHERED + 2) * LISTINGS_OF_A_LOOK  # a look each five seconds


def test_a_thousand_events_at_once_cost_the_listings_of_two_looks(app: InMemoryApp) -> None:
    counted = Counted(app)
    deliver(app, told_times=1_000)
    app.work(until=app.clock.now + SETTLE / 2)
    assert counted.listings == LISTINGS_OF_A_LOOK
    while not arrivals(app):
        app.step()
    assert counted.listings == 2 * LISTINGS_OF_A_LOOK
    app.work()
    assert len(arrivals(app)) == 1


def test_events_at_once_ask_for_one_look(app: InMemoryApp) -> None:
    deliver(app, told_times=100)
    for _ in range(100):
        app.step()
    (look,) = app.queues.waiting
    assert json.loads(look.body)["look"]


def test_late_events_about_what_had_its_run_start_nothing(app: InMemoryApp) -> None:
    name = deliver(app)
    app.work()
    app.clock.now += DAY
    tell(app, name, times=3)
    app.work()
    assert len(arrivals(app)) == 1


def test_events_and_a_timer_beside_them_make_one_run(app: InMemoryApp) -> None:
    name = deliver(app)
    for _ in range(60):
        app.clock.now += timedelta(seconds=30)
        app.tick()
        tell(app, name)
        app.work(until=app.clock.now)
    app.work()
    assert len(arrivals(app)) == 1


def test_an_arrival_without_an_event_is_found_by_the_timer(app: InMemoryApp) -> None:
    app.tick()
    app.work()
    deliver(app, told_times=0)
    began = app.clock.now
    while not arrivals(app):
        app.clock.now += timedelta(seconds=30)
        app.tick()
        app.work(until=app.clock.now)
        assert app.clock.now < began + timedelta(seconds=ARRIVAL_LOOK) + SETTLE + timedelta(minutes=1)
    app.work()
    assert the_run(app).status is RunStatus.SUCCEEDED


def test_the_timer_looks_every_ten_minutes_and_not_at_each_tick(app: InMemoryApp) -> None:
    app.deliver_extract(people(1))
    app.clock.now += timedelta(minutes=1)
    for number in range(30):
        app.save(f"export-{number}", schedule=OnArrival(kind="arrival"))
    app.save(schedule=OnArrival(kind="arrival"))
    counted = Counted(app)
    for _ in range(120):
        app.clock.now += timedelta(seconds=30)
        app.tick()
        app.work(until=app.clock.now)
    looks = 3600 / ARRIVAL_LOOK + 1
    assert (
        looks - 1 <= counted.listings <= looks * LISTINGS_OF_A_LOOK
    )  # thirty exports of one segment list its folders once


def test_a_lost_look_is_asked_for_again(app: InMemoryApp) -> None:
    deliver(app)
    app.step()
    lost = app.queues.take()
    assert lost is not None
    assert lost.queue == EVENTS_QUEUE
    app.clock.now += timedelta(minutes=2)
    app.tick()
    app.work()
    assert the_run(app).status is RunStatus.SUCCEEDED


def test_messages_that_are_none_of_ours_are_dropped_without_their_words(
    app: InMemoryApp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "sendgrid_export")
    elsewhere = json.dumps(an_event("poisonmark.csv", container="other"))
    for body in ("Call poisonmark@example.com back, please.", '{"look": "poisonmark"}', elsewhere):
        app.queues.send(EVENTS_QUEUE, body)
    app.work()
    assert caplog.text.count("event=extract_event_dropped") == 3
    assert "poisonmark" not in caplog.text
    assert not list(app.names("look-out"))


def test_while_storage_is_away_an_event_is_put_off(app: InMemoryApp) -> None:
    deliver(app)
    back_at = app.clock.now + timedelta(minutes=10)
    find = app.services.store.find

    def away(name: str, kind: Any) -> Any:  # noqa: ANN401 - any document
        if name == LOOK_OUT_BLOB and app.clock.now < back_at:
            raise StorageUnavailableError("away")
        return find(name, kind)

    app.services.store.find = away  # type: ignore[method-assign]
    update = app.services.store.update

    def no_update(name: str, kind: Any, change: Any) -> Any:  # noqa: ANN401 - any document
        away(name, kind)
        return update(name, kind, change)

    app.services.store.update = no_update  # type: ignore[method-assign]
    app.work()
    assert the_run(app).created_at > back_at


def test_where_no_message_can_be_sent_the_event_is_let_go_and_the_timer_finds_it(app: InMemoryApp) -> None:
    deliver(app)
    send = app.queues.send

    def refuse(*_: object, **__: object) -> None:
        raise StorageUnavailableError("away")

    app.queues.send = refuse  # type: ignore[method-assign]
    app.step()
    app.queues.send = send  # type: ignore[method-assign]
    assert not app.queues.waiting
    app.clock.now += timedelta(minutes=2)
    app.tick()
    app.work()
    assert the_run(app).status is RunStatus.SUCCEEDED


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_dies_anywhere_between_event_and_start_makes_one_run(when: str) -> None:
    reached = 0
    for call in range(60):
        app = an_app()
        deliver(app)
        app.crashes.at = {app.crashes.calls + call: when}
        app.work()
        reached += not app.crashes.at
        app.crashes.at = {}
        for _ in range(30):  # what a death has lost the timer finds
            app.clock.now += timedelta(seconds=60)
            app.tick()
            app.work()
        assert [run.status for run in arrivals(app)] == [RunStatus.SUCCEEDED], call
    assert reached >= 50


def test_two_looks_side_by_side_make_one_run(app: InMemoryApp) -> None:
    name = deliver(app)
    app.work(until=app.clock.now + timedelta(minutes=1))
    (look,) = (message for message in app.queues.waiting if message.queue == EVENTS_QUEUE)
    app.clock.reach(look.due)
    for number in range(3):
        app.trigger(EVENTS_QUEUE, look.body, f"again-{number}")
    tell(app, name)
    app.work()
    assert len(arrivals(app)) == 1
