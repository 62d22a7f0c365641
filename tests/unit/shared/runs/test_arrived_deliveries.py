"""Which deliveries start an export that waits: of several segments, incomplete ones, and uncertain ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.errors import SettingsError
from shared.model.definitions import OnArrival, SourceOptions
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import RunStatus
from tests.support.arrivals import DAY, an_app, arrivals, deliver, half_delivered, looked_once, other_half, the_run
from tests.support.events import tell
from tests.support.in_memory_app import InMemoryApp, emails, people

pytestmark = pytest.mark.usefixtures("plain_planner")


@pytest.fixture
def app() -> InMemoryApp:
    return an_app()


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
