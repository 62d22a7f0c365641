"""Extracts that start their exports: each version one run, whatever comes of the events."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared.errors import SettingsError, StorageUnavailableError
from shared.limits import ARRIVAL_LOOK, EVENTS_GATHERED
from shared.model.arrival import Awaited, LookOut
from shared.model.definitions import Export, OnArrival, Saved, SourceOptions
from shared.model.messages import EVENTS_QUEUE
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import RunStatus
from shared.model.runs import Trigger
from shared.runs.look_out import late_look
from shared.storage.documents import Store
from shared.storage.layout import LOOK_OUT_BLOB, awaited_blob, export_blob
from tests.support.events import an_event, tell
from tests.support.http_api import ask, serve, told
from tests.support.in_memory_app import InMemoryApp, a_connection, emails, people

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.model.runs import Run

pytestmark = pytest.mark.usefixtures("plain_planner")

SETTLE = timedelta(minutes=2)
ARRIVAL = {"kind": "arrival"}
DAY = timedelta(days=1)
LISTINGS_OF_A_LOOK = 6
"""At the extracts, which lie in folders by year, month, day and time."""


@pytest.fixture
def app() -> InMemoryApp:
    return an_app()


def an_app(**changes: Any) -> InMemoryApp:  # noqa: ANN401 - an export's fields
    """An export that waits for its extract, of which there is none yet."""
    app = InMemoryApp()
    app.save(**{"schedule": OnArrival(kind="arrival")} | changes)
    app.clock.now += timedelta(minutes=5)
    return app


def deliver(app: InMemoryApp, number: int = 3, *, segment: str = "Customers", told_times: int = 1) -> str:
    """Deliver an extract of so many people, and put events about it on the queue; its name."""
    before = set(names(app))
    app.deliver_extract(people(number), segment=segment)
    (name,) = set(names(app)) - before
    if told_times:
        tell(app, name, times=told_times)
    return name


def names(app: InMemoryApp) -> Iterator[str]:
    return (item.name for item in app.extracts.list_blobs())


def arrivals(app: InMemoryApp, export: str = "newsletter") -> list[Run]:
    runs = app.runs(export)
    assert all(run.trigger is Trigger.ARRIVAL for run in runs)
    return runs


def the_run(app: InMemoryApp, export: str = "newsletter") -> Run:
    (run,) = arrivals(app, export)
    return run


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
    app = an_app(schedule=OnArrival(kind="arrival", settle=timedelta(hours=1)))
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


# --- several segments ---------------------------------------------------------------------------------------


def two_segments(**changes: Any) -> InMemoryApp:  # noqa: ANN401 - an export's fields
    return an_app(segments=("Customers", "Prospects"), **changes)


def test_segments_of_one_refresh_are_waited_for() -> None:
    app = two_segments()
    deliver(app, 3)
    app.work(until=app.clock.now + timedelta(minutes=20))
    deliver(app, 5, segment="Prospects")
    app.work()
    run = the_run(app)
    assert (run.status, app.on_list()) == (RunStatus.SUCCEEDED, emails(people(5)))


def test_in_the_next_refresh_the_first_segment_waits_for_the_other_again() -> None:
    app = two_segments()
    for hours in (0, 24):
        app.clock.reach(app.clock.now + timedelta(hours=hours))
        deliver(app, 3 + hours)
        app.work(until=app.clock.now + timedelta(minutes=20))
        deliver(app, 5 + hours, segment="Prospects")
        app.work()
    assert [run.status for run in arrivals(app)] == [RunStatus.SUCCEEDED] * 2


def test_a_segment_that_does_not_come_is_not_waited_for_longer_than_the_export_says() -> None:
    app = two_segments(source=SourceOptions(wait_minutes=30))
    deliver(app)
    deliver(app, 5, segment="Prospects")
    app.work()
    app.clock.now += DAY
    began = app.clock.now.replace(microsecond=0)
    deliver(app, 7)
    app.work()
    _, late = arrivals(app)
    assert late.created_at >= began + timedelta(minutes=30)
    assert [extract.version[:10] for extract in late.extracts] == ["2026/03/03", "2026/03/02"]
    assert app.on_list() == emails(people(7))


# --- deliveries that are not complete, or not certain -------------------------------------------------------


def half_delivered(app: InMemoryApp, day: int = 2) -> None:
    name = f"Customers/2026/03/{day:02}/0900/Customers-00000-of-00002.csv"
    app.extracts.upsert(name, b"EMail,FirstName\nann@example.com,Ann\n")
    tell(app, name)


def other_half(app: InMemoryApp, day: int = 2) -> None:
    name = f"Customers/2026/03/{day:02}/0900/Customers-00001-of-00002.csv"
    app.extracts.upsert(name, b"EMail,FirstName\nbo@example.com,Bo\n")
    tell(app, name)


def looked_once(**changes: Any) -> InMemoryApp:  # noqa: ANN401 - an export's fields
    """An export that was looked at before anything came."""
    app = an_app(**changes)
    app.tick()
    app.work()
    return app


def test_a_delivery_that_is_not_complete_starts_nothing_until_it_is() -> None:
    app = looked_once()
    half_delivered(app)
    app.work(until=app.clock.now + timedelta(minutes=30))
    assert arrivals(app) == []
    other_half(app)
    app.work()
    assert (the_run(app).status, app.on_list()) == (RunStatus.SUCCEEDED, {"ann@example.com", "bo@example.com"})


def test_a_delivery_that_is_never_complete_starts_a_run_that_says_so_once() -> None:
    app = looked_once(source=SourceOptions(wait_minutes=30))
    half_delivered(app)
    began = app.clock.now
    for _ in range(300):
        app.clock.now += timedelta(seconds=30)
        app.tick()
        app.work(until=app.clock.now)
    run = the_run(app)
    assert run.reason is not None
    assert (run.status, run.reason.code) == (RunStatus.FAILED, ReasonCode.EXTRACT_INCOMPLETE)
    assert timedelta(minutes=30) <= run.created_at - began < timedelta(minutes=32)


def test_what_is_completed_after_that_has_its_run() -> None:
    app = looked_once(source=SourceOptions(wait_minutes=30))
    half_delivered(app)
    app.work()
    other_half(app)
    app.work()
    assert [run.status for run in arrivals(app)] == [RunStatus.FAILED, RunStatus.SUCCEEDED]


def test_a_broken_segment_does_not_keep_the_other_ones_deliveries_for_ever() -> None:
    app = two_segments()
    deliver(app)
    deliver(app, 5, segment="Prospects")
    app.work()
    app.clock.now += DAY
    half_delivered(app, day=3)
    app.work()
    app.clock.now += DAY
    deliver(app, 9, segment="Prospects")
    app.work()
    assert app.on_list() == emails(people(9))


def test_a_problem_that_was_there_before_the_export_waited_starts_nothing() -> None:
    app = InMemoryApp()
    half_delivered(app)
    app.save(schedule=OnArrival(kind="arrival"))
    app.work()
    app.clock.now += DAY
    app.tick()
    app.work()
    assert arrivals(app) == []


def test_an_app_that_may_not_read_the_extracts_says_so_by_a_run() -> None:
    app = looked_once()

    def refuse(_prefix: str = "") -> None:
        raise SettingsError("Azure Storage refuses this app.")

    app.extracts.list_level = refuse  # type: ignore[assignment,method-assign]
    tell(app, "Customers/2026/03/02/0900/Customers_1.csv")
    app.work()
    run = the_run(app)
    assert run.reason is not None
    assert run.reason.code == ReasonCode.STORAGE_FORBIDDEN


# --- what was there when the export was saved ---------------------------------------------------------------


def an_export(**changes: object) -> dict[str, Any]:
    return {
        "name": "Newsletter",
        "connection": "main",
        "list_id": "11111111-2222-4333-8444-555555555555",
        "segments": ["Customers"],
        "mapping": {"email": "EMail", "first_name": "FirstName"},
        "schedule": ARRIVAL,
    } | changes


def put(**changes: object) -> Any:  # noqa: ANN401 - JSON is anything
    return told(ask("put_export", an_export(**changes), params={"check": "false"}))


def test_saving_an_export_starts_nothing_for_what_is_there_already() -> None:
    app = serve(an_app(schedule={"kind": "off"}))
    deliver(app)
    app.clock.now += timedelta(minutes=1)
    put()
    app.work()
    app.clock.now += DAY
    app.tick()
    app.work()
    assert arrivals(app) == []


def test_saving_an_export_again_loses_nothing_that_has_come_before() -> None:
    app = serve(an_app(schedule={"kind": "off"}))
    put()
    app.clock.now += timedelta(seconds=5)
    deliver(app, told_times=0)
    app.clock.now += timedelta(seconds=5)
    put(name="Another name")
    app.clock.now += timedelta(seconds=30)
    app.tick()
    app.work()
    assert len(arrivals(app)) == 1


@pytest.mark.parametrize("pause", [{"enabled": False}, {"schedule": {"kind": "off"}}], ids=["disabled", "off"])
def test_what_came_while_it_did_not_wait_starts_nothing_afterwards(pause: dict[str, Any]) -> None:
    app = serve(an_app(schedule={"kind": "off"}))
    put()
    app.clock.now += timedelta(minutes=1)
    put(**pause)
    app.clock.now += timedelta(minutes=1)
    deliver(app)
    app.work()
    app.clock.now += timedelta(minutes=1)
    put()
    app.work()
    app.clock.now += DAY
    app.tick()
    app.work()
    assert arrivals(app) == []


def test_what_comes_in_the_second_in_which_the_export_is_saved_is_not_lost() -> None:
    """Storage tells the times of files in whole seconds."""
    app = serve(an_app(schedule={"kind": "off"}))
    app.clock.now = app.clock.now.replace(microsecond=400_000)
    put()
    deliver(app)
    app.work()
    assert len(arrivals(app)) == 1


def test_an_export_made_anew_under_an_old_id_waits_for_what_comes_then(app: InMemoryApp) -> None:
    stale = Awaited(uid="another", until=app.clock.now - DAY)
    Store(app.blobs).upsert(awaited_blob("newsletter"), stale)
    deliver(app)
    app.work()
    assert len(arrivals(app)) == 1
    assert Store(app.blobs).get(awaited_blob("newsletter"), Awaited).document.uid == "uid-1"


def test_a_deleted_export_leaves_nothing_behind() -> None:
    app = serve(an_app(schedule={"kind": "off"}))
    put()
    assert list(app.names("awaited/")) == ["awaited/newsletter.json"]
    ask("delete_export")
    assert list(app.names("awaited/")) == []


# --- what is told -------------------------------------------------------------------------------------------


def test_an_export_tells_what_it_waits_for(app: InMemoryApp) -> None:
    serve(app)
    assert told(ask("get_export"))["waits_for"] == "A complete delivery of Customers, since 2026-03-02T09:00:00Z."
    deliver(app)
    app.work()
    export = told(ask("get_export"))
    until = app.runs()[0].due_at
    assert until is not None
    assert export["waits_for"].endswith(f"since {until + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}.")
    assert (export["next_run_at"], export["warnings"]) == (None, [])


def test_an_export_tells_why_the_newest_delivery_does_not_start_it() -> None:
    app = serve(looked_once())
    half_delivered(app)
    app.work(until=app.clock.now + timedelta(minutes=1))
    (warning,) = told(ask("get_export"))["warnings"]
    assert warning["code"] == ReasonCode.EXTRACT_INCOMPLETE
    other_half(app)
    app.work()
    assert told(ask("get_export"))["warnings"] == []


def test_other_exports_wait_for_nothing() -> None:
    serve(an_app(schedule={"kind": "off"}))
    assert told(ask("get_export"))["waits_for"] is None


@pytest.mark.parametrize(
    ("settle", "code"), [("PT0S", 400), ("PT13H", 400), ("2 minutes", 400), (120, 400), ("PT1M30S", 201)]
)
def test_the_time_to_settle_is_checked_when_the_export_is_saved(settle: object, code: int) -> None:
    app = serve(InMemoryApp())
    app.save("other")
    answer = ask("put_export", an_export(schedule=ARRIVAL | {"settle": settle}), params={"check": "false"})
    assert answer.status_code == code
    if code == 400:
        (problem,) = told(answer)["errors"]
        assert problem["field"].startswith("schedule")
        assert problem["field"].endswith("settle")
    else:
        assert told(answer)["schedule"] == {"kind": "arrival", "settle": settle}


def test_health_tells_when_nobody_looks_any_more(app: InMemoryApp) -> None:
    store = Store(app.blobs)
    assert late_look(store, app.clock.now) is None
    app.tick()
    assert late_look(store, app.clock.now + timedelta(minutes=29)) is None
    told_then = late_look(store, app.clock.now + timedelta(minutes=31))
    assert told_then is not None
    assert "extract_arrived" in told_then
    app.work()
    assert late_look(store, app.clock.now + DAY) is None  # the timer's own silence is told by the timer's pulse


def test_a_look_that_waits_for_an_extract_to_settle_is_not_late() -> None:
    app = an_app(schedule=OnArrival(kind="arrival", settle=timedelta(hours=2)))
    deliver(app)
    app.work(until=app.clock.now + timedelta(minutes=1))
    look = Store(app.blobs).get(LOOK_OUT_BLOB, LookOut).document
    assert look.at - look.looked_at > timedelta(hours=1)
    assert late_look(Store(app.blobs), look.at) is None


def test_runs_are_found_by_what_started_them(app: InMemoryApp) -> None:
    serve(app)
    deliver(app)
    app.work()
    for trigger, number in (("arrival", 1), ("scheduled", 0), ("on_demand", 0)):
        assert len(told(ask("list_all_runs", params={"trigger": trigger}))["runs"]) == number
