"""Since when an export waits for its extract, and what is told of that."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.model.arrival import Awaited, LookOut
from shared.model.definitions import SourceOptions
from shared.model.reason_codes import ReasonCode
from shared.runs.look_out import late_look
from shared.storage.documents import Store
from shared.storage.layout import LOOK_OUT_BLOB, awaited_blob
from tests.support.arrivals import ARRIVAL, DAY, an_app, arrivals, deliver, half_delivered, looked_once, other_half
from tests.support.http_api import ask, serve, told
from tests.support.in_memory_app import InMemoryApp

pytestmark = pytest.mark.usefixtures("plain_planner")


@pytest.fixture
def app() -> InMemoryApp:
    return an_app()


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


@pytest.mark.parametrize(("settle", "code"), [("PT13H", 400), ("2 minutes", 400), (120, 400), ("PT1M30S", 201)])
def test_the_time_to_settle_is_checked_when_the_export_is_saved(settle: object, code: int) -> None:
    app = serve(InMemoryApp())
    app.save("other")
    answer = ask("put_export", an_export(source={"settle": settle}), params={"check": "false"})
    assert answer.status_code == code
    if code == 400:
        (problem,) = told(answer)["errors"]
        assert problem["field"].startswith("source")
        assert problem["field"].endswith("settle")
    else:
        assert told(answer)["source"]["settle"] == settle


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
    app = an_app(source=SourceOptions(settle=timedelta(hours=2)))
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
