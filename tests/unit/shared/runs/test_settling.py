"""No run reads a delivery that may still be being written, whatever started it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared.definitions.resolve import resolve_export
from shared.model.arrival import Awaited
from shared.model.definitions import OnArrival, OwnSchedule, SourceOptions
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import RunStatus
from shared.runs.dry_run import start_dry_run
from shared.storage.documents import Store
from shared.storage.layout import awaited_blob
from tests.support.events import tell
from tests.support.factories import ADA
from tests.support.in_memory_app import InMemoryApp, emails, people

if TYPE_CHECKING:
    from shared.model.runs import Run

SETTLE = timedelta(minutes=2)
FIRST, SECOND = "Customers/2026/03/02/0900/Customers_1.csv", "Customers/2026/03/02/0900/Customers_2.csv"
ANN, BO = b"EMail,FirstName\nann@example.com,Ann\n", b"EMail,FirstName\nbo@example.com,Bo\n"


@pytest.fixture
def app() -> InMemoryApp:
    return an_app()


def an_app(*, settle: timedelta = SETTLE, wait_minutes: int = 60, **changes: Any) -> InMemoryApp:  # noqa: ANN401 - an export's fields
    app = InMemoryApp()
    app.save(source=SourceOptions(settle=settle, wait_minutes=wait_minutes), **changes)
    return app


def modified(app: InMemoryApp, name: str) -> Any:  # noqa: ANN401 - a moment
    return next(item.modified for item in app.extracts.list_blobs(name))


def waiting(app: InMemoryApp, run: Run) -> str:
    """What the run waits for."""
    now = app.run(run)
    assert now.status is RunStatus.WAITING_FOR_EXTRACT
    assert now.waits_for is not None
    return now.waits_for


def test_unless_the_export_says_nothing_may_have_changed_for_two_minutes() -> None:
    assert SourceOptions().settle == SETTLE


def test_a_run_on_demand_waits_until_nothing_changes_and_says_so(app: InMemoryApp) -> None:
    app.extracts.upsert(FIRST, ANN)
    run = app.start()
    app.step()
    assert waiting(app, run) == (
        "Customers may still be being written: its last file was changed at 2026-03-02T09:00:00Z. "
        "It is read at 2026-03-02T09:02:00Z if nothing changes until then."
    )
    app.work(until=app.clock.now + timedelta(minutes=1))
    app.extracts.upsert(SECOND, BO)  # the delivery goes on
    app.work()
    done = app.run(run)
    assert (done.status, done.waits_for) == (RunStatus.SUCCEEDED, None)
    assert app.on_list() == {"ann@example.com", "bo@example.com"}
    assert done.planning_at is not None
    assert timedelta() <= done.planning_at - modified(app, SECOND) - SETTLE < timedelta(seconds=2)


def test_a_run_by_the_clock_never_takes_the_half_that_is_there_for_the_whole() -> None:
    """With `leavers: remove`, who is in the other half would be taken off the list."""
    every_five_minutes = OwnSchedule(kind="cron", cron="*/5 * * * *", time_zone="UTC")
    app = an_app(schedule=every_five_minutes, leavers="remove", max_removals={"share": 1})
    app.tick()
    app.extracts.upsert(FIRST, ANN)
    app.extracts.upsert(SECOND, BO)
    app.clock.now += timedelta(minutes=6)
    app.tick()
    app.work()
    assert app.on_list() == {"ann@example.com", "bo@example.com"}
    app.clock.now += timedelta(hours=1)
    app.extracts.upsert(FIRST.replace("0900", "1000"), ANN)
    app.tick()
    app.work(until=app.clock.now + SETTLE / 2)
    app.extracts.upsert(SECOND.replace("0900", "1000"), BO)
    app.work()
    assert [run.counts.removed for run in app.runs()] == [0, 0]
    assert app.on_list() == {"ann@example.com", "bo@example.com"}


def test_the_time_is_told_by_storages_clock_and_not_by_the_apps(app: InMemoryApp, monkeypatch: Any) -> None:  # noqa: ANN401 - pytest's
    app.extracts.upsert(FIRST, ANN)
    slow = app.extracts.now
    monkeypatch.setattr(app.extracts, "now", lambda: slow() - timedelta(minutes=10))
    run = app.start()
    app.work(until=app.clock.now + timedelta(minutes=9))
    assert waiting(app, run)
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED


def test_what_has_settled_before_is_read_at_once(app: InMemoryApp) -> None:
    app.extracts.upsert(FIRST, ANN)
    app.clock.now += SETTLE + timedelta(seconds=1)
    began = app.clock.now
    run = app.start()
    app.work()
    planned_at = app.run(run).planning_at
    assert planned_at is not None
    assert planned_at - began < timedelta(seconds=1)


def test_an_export_may_say_that_nothing_is_waited_for() -> None:
    app = an_app(settle=timedelta(0))
    app.extracts.upsert(FIRST, b"")
    app.extracts.upsert(SECOND, BO)
    run = app.start()
    app.step()
    assert app.run(run).status is RunStatus.UPLOADING


def test_a_file_that_holds_nothing_yet_may_be_one_that_is_being_written(app: InMemoryApp) -> None:
    """In a hierarchical namespace a file is made first, and what is written is there when it is flushed."""
    app.extracts.upsert(FIRST, ANN)
    app.extracts.upsert(SECOND, b"")
    app.clock.now += timedelta(minutes=30)
    run = app.start()
    app.step()
    assert waiting(app, run).startswith(
        "Customers may still be being written: a file of 2026-03-02T09:00:00Z holds nothing yet."
    )
    app.extracts.upsert(SECOND, BO)
    app.work()
    assert app.on_list() == {"ann@example.com", "bo@example.com"}


def test_a_file_that_stays_empty_is_believed_at_last(app: InMemoryApp) -> None:
    app.extracts.upsert(FIRST, ANN)
    app.extracts.upsert(SECOND, b"")
    app.start()
    app.work()
    (run,) = app.runs()
    assert (run.status, app.on_list()) == (RunStatus.SUCCEEDED, {"ann@example.com"})
    assert run.planning_at is not None
    assert run.planning_at - modified(app, SECOND) >= timedelta(hours=1)


@pytest.mark.parametrize("minutes", [0, 30])
def test_a_delivery_that_is_never_written_to_its_end_ends_the_run_and_nothing_is_sent(minutes: int) -> None:
    app = an_app(wait_minutes=minutes)
    app.extracts.upsert(FIRST, ANN)
    run = app.start()
    for _ in range(200):
        app.extracts.upsert(FIRST, ANN)
        app.work(until=app.clock.now)
        app.clock.now += timedelta(seconds=30)
    done = app.run(run)
    assert done.reason is not None
    assert (done.status, done.reason.code) == (RunStatus.FAILED, ReasonCode.EXTRACT_INCOMPLETE)
    assert "source.settle" in done.reason.message
    assert done.finished_at is not None
    patience = max(SETTLE, timedelta(minutes=minutes))
    assert patience <= done.finished_at - done.created_at < patience + timedelta(minutes=2)
    assert app.on_list() == set()


def test_a_dry_run_waits_as_well_for_half_a_delivery_foretells_leavers_who_do_not_leave(app: InMemoryApp) -> None:
    app.extracts.upsert(FIRST, ANN)
    run = start_dry_run(
        app.services, resolve_export(app.services.store, "newsletter"), by=ADA, run_id="20260302T090000Z-dry"
    )
    app.step()
    assert waiting(app, run)
    app.extracts.upsert(SECOND, BO)
    app.work()
    forecast = app.run(run).forecast
    assert forecast is not None
    assert forecast.new == 2


def test_a_run_that_an_arrival_starts_looks_itself_too() -> None:
    """The look goes by the app's clock, which may be ahead."""
    app = an_app(schedule=OnArrival(kind="arrival"))
    app.clock.now += timedelta(minutes=5)
    app.deliver_extract(people(3))
    (name,) = (item.name for item in app.extracts.list_blobs())
    tell(app, name)
    slow = app.extracts.now
    app.extracts.now = lambda: slow() - timedelta(seconds=30)  # type: ignore[method-assign]
    app.work()
    (run,) = app.runs()
    assert (run.status, app.on_list()) == (RunStatus.SUCCEEDED, emails(people(3)))
    assert run.planning_at is not None
    assert run.planning_at - modified(app, name) >= SETTLE + timedelta(seconds=30)


def test_an_arrival_with_a_file_that_holds_nothing_yet_starts_when_it_holds_something() -> None:
    app = an_app(schedule=OnArrival(kind="arrival"))
    app.clock.now += timedelta(minutes=5)
    for name, data in ((FIRST, ANN), (SECOND, b"")):
        app.extracts.upsert(name, data)
        tell(app, name)
    app.work(until=app.clock.now + timedelta(minutes=30))
    assert app.runs() == []
    assert Store(app.blobs).get(awaited_blob("newsletter"), Awaited).document.problem is None
    app.extracts.upsert(SECOND, BO)
    tell(app, SECOND)
    app.work()
    (run,) = app.runs()
    assert (run.status, app.on_list()) == (RunStatus.SUCCEEDED, {"ann@example.com", "bo@example.com"})


def test_a_file_that_grows_while_it_is_read_has_the_run_plan_and_wait_again(app: InMemoryApp) -> None:
    app.extracts.upsert(FIRST, ANN)
    app.clock.now += SETTLE * 2
    grown = ANN + b"bo@example.com,Bo\n"
    read = app.extracts.get_range

    def get_range(name: str, **where: Any) -> bytes:  # noqa: ANN401 - passed on
        if app.extracts.get(name).data == ANN:
            app.extracts.upsert(name, grown)
        return read(name, **where)

    app.extracts.get_range = get_range  # type: ignore[method-assign]
    run = app.start()
    app.work()
    assert app.on_list() == {"ann@example.com", "bo@example.com"}
    planned_at = app.run(run).planning_at
    assert planned_at is not None
    assert planned_at - modified(app, FIRST) >= SETTLE


def test_to_say_another_time_is_no_other_wish(app: InMemoryApp) -> None:
    """Else all would be planned anew."""
    app.extracts.upsert(FIRST, ANN)
    app.start()
    app.work()
    app.save(source=SourceOptions(settle=timedelta(minutes=5), wait_minutes=7))
    app.clock.now += timedelta(hours=1)
    run = app.start()
    app.work()
    assert app.run(run).status is RunStatus.SKIPPED
