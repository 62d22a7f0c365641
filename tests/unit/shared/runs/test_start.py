"""Scheduled runs: each due time starts one run, however the timer behaves."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared.model.definitions import OwnSchedule
from shared.model.reasons import RunStatus
from shared.model.runs import Trigger
from tests.support.in_memory_app import CrashError, InMemoryApp, emails, people

if TYPE_CHECKING:
    from datetime import datetime

DAILY = OwnSchedule(kind="cron", cron="30 9 * * *", time_zone="UTC")

pytestmark = pytest.mark.usefixtures("plain_planner")


@pytest.fixture
def app() -> InMemoryApp:
    """Nine in the morning; the refresh is due at half past."""
    app = InMemoryApp(refresh=DAILY)
    app.save()
    app.deliver_extract(people(3))
    app.tick()
    return app


def tick_at(app: InMemoryApp, moment: datetime) -> None:
    app.clock.reach(moment)
    app.tick()


def half_past(app: InMemoryApp) -> datetime:
    return app.clock.now.replace(minute=30, second=0, microsecond=0)


def test_a_refresh_starts_the_exports_that_follow_it(app: InMemoryApp) -> None:
    tick_at(app, half_past(app) + timedelta(minutes=1))
    app.work()
    (run,) = app.runs()
    assert (run.trigger, run.due_at, run.status) == (Trigger.SCHEDULED, half_past(app), RunStatus.SUCCEEDED)
    assert run.id == "20260302T093000Z-scheduled"
    assert app.on_list() == emails(people(3))


def test_nothing_is_due_before_its_time(app: InMemoryApp) -> None:
    tick_at(app, half_past(app) - timedelta(seconds=5))
    assert app.runs() == []


def test_ticks_that_come_twice_start_one_run(app: InMemoryApp) -> None:
    tick_at(app, half_past(app) + timedelta(minutes=1))
    app.tick()
    app.tick()
    assert len(app.runs()) == 1


def test_a_tick_that_comes_a_day_late_starts_one_run_for_the_last_due_time(app: InMemoryApp) -> None:
    due = half_past(app) + timedelta(days=2)
    tick_at(app, due + timedelta(hours=3))
    (run,) = app.runs()
    assert run.due_at == due


def test_the_very_first_tick_starts_nothing() -> None:
    app = InMemoryApp(refresh=DAILY)
    app.save()
    tick_at(app, half_past(app) + timedelta(minutes=1))
    assert app.runs() == []


def test_an_export_saved_after_a_due_time_waits_for_the_next(app: InMemoryApp) -> None:
    app.clock.reach(half_past(app) + timedelta(minutes=2))
    app.save("late-comer")
    tick_at(app, half_past(app) + timedelta(minutes=5))
    assert app.runs("late-comer") == []
    assert len(app.runs()) == 1


@pytest.mark.parametrize("change", [{"schedule": {"kind": "off"}}, {"enabled": False}], ids=["off", "disabled"])
def test_exports_that_are_off_or_disabled_do_not_run(app: InMemoryApp, change: dict[str, Any]) -> None:
    app.save(**change)
    tick_at(app, half_past(app) + timedelta(minutes=1))
    assert app.runs() == []


def test_an_export_with_its_own_schedule_does_not_follow_the_refresh(app: InMemoryApp) -> None:
    own = {"kind": "cron", "cron": "0 11 * * *", "time_zone": "Europe/Stockholm"}
    app.save("own", schedule=own)
    tick_at(app, half_past(app) + timedelta(minutes=1))
    assert app.runs("own") == []
    tick_at(app, half_past(app) + timedelta(minutes=31))
    assert [run.due_at for run in app.runs("own")] == [half_past(app).replace(hour=10, minute=0)]


def test_without_a_refresh_schedule_nothing_follows_it() -> None:
    app = InMemoryApp()
    app.save()
    app.tick()
    tick_at(app, half_past(app) + timedelta(days=30))
    assert app.runs() == []


def test_fifty_exports_of_one_refresh_all_arrive(app: InMemoryApp) -> None:
    for number in range(50):
        app.save(f"export-{number}")
    app.clock.now += timedelta(days=1)
    tick_at(app, half_past(app) + timedelta(minutes=1))
    app.work()
    runs = [run for number in range(50) for run in app.runs(f"export-{number}")]
    assert [run.status for run in runs] == [RunStatus.SUCCEEDED] * 50


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_tick_cut_off_anywhere_starts_every_export_once_at_the_next(app: InMemoryApp, when: str) -> None:
    for call in range(40):
        app = InMemoryApp(refresh=DAILY)
        for name in ("one", "two"):
            app.save(name)
        app.deliver_extract(people(3))
        app.tick()
        app.crashes.at = {app.crashes.calls + call: when}
        try:
            tick_at(app, half_past(app) + timedelta(minutes=1))
        except CrashError:
            app.tick()
        app.crashes.at = {}
        app.work()
        assert [len(app.runs(name)) for name in ("one", "two")] == [1, 1]
        assert all(run.status is RunStatus.SUCCEEDED for name in ("one", "two") for run in app.runs(name))


def test_a_broken_definition_does_not_keep_the_others_from_running(app: InMemoryApp) -> None:
    app.blobs.upsert("exports/broken.json", b'{"not": "an export"}')
    tick_at(app, half_past(app) + timedelta(minutes=1))
    app.work()
    assert [run.status for run in app.runs()] == [RunStatus.SUCCEEDED]


def test_a_deleted_connection_fails_the_scheduled_run_with_its_reason(app: InMemoryApp) -> None:
    app.blobs.delete("connections/main.json")
    tick_at(app, half_past(app) + timedelta(minutes=1))
    app.work()
    (run,) = app.runs()
    assert run.reason is not None
    assert run.reason.code == "connection_missing"


def test_old_chunks_and_poison_are_deleted_after_their_retention(app: InMemoryApp) -> None:
    app.blobs.upsert("runs/x/20260101T000000Z-a/attempts/aa/chunks/00001.ndjson", b"people")
    app.blobs.upsert("runs/x/20260101T000000Z-a/run.json", b"{}")
    app.blobs.upsert("poison/runs/1.txt", b"{}")
    app.clock.now += timedelta(days=8)
    app.tick()
    assert not [name for name in app.names() if "chunks" in name]
    assert "poison/runs/1.txt" in set(app.names())
    app.clock.now += timedelta(days=23)
    app.tick()
    assert {"runs/x/20260101T000000Z-a/run.json"} <= set(app.names())
    assert "poison/runs/1.txt" not in set(app.names())
