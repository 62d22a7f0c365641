"""Scheduled runs: each due time starts one run, however the timer behaves."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared.model import OwnSchedule
from shared.records import RunStatus, Trigger
from tests.support import plain_planner
from tests.support.world import CrashError, World, emails, people

if TYPE_CHECKING:
    from datetime import datetime

DAILY = OwnSchedule(kind="cron", cron="30 9 * * *", time_zone="UTC")


@pytest.fixture(autouse=True)
def _plain_planner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.planning.planner.plan", plain_planner.plan)


@pytest.fixture
def world() -> World:
    """Nine in the morning; the refresh is due at half past."""
    world = World(refresh=DAILY)
    world.save()
    world.deliver_extract(people(3))
    world.tick()
    return world


def tick_at(world: World, moment: datetime) -> None:
    world.clock.reach(moment)
    world.tick()


def half_past(world: World) -> datetime:
    return world.clock.now.replace(minute=30, second=0, microsecond=0)


def test_a_refresh_starts_the_exports_that_follow_it(world: World) -> None:
    tick_at(world, half_past(world) + timedelta(minutes=1))
    world.work()
    (run,) = world.runs()
    assert (run.trigger, run.due_at, run.status) == (Trigger.SCHEDULED, half_past(world), RunStatus.SUCCEEDED)
    assert run.id == "20260302T093000Z-scheduled"
    assert world.on_list() == emails(people(3))


def test_nothing_is_due_before_its_time(world: World) -> None:
    tick_at(world, half_past(world) - timedelta(seconds=5))
    assert world.runs() == []


def test_ticks_that_come_twice_start_one_run(world: World) -> None:
    tick_at(world, half_past(world) + timedelta(minutes=1))
    world.tick()
    world.tick()
    assert len(world.runs()) == 1


def test_a_tick_that_comes_a_day_late_starts_one_run_for_the_last_due_time(world: World) -> None:
    due = half_past(world) + timedelta(days=2)
    tick_at(world, due + timedelta(hours=3))
    (run,) = world.runs()
    assert run.due_at == due


def test_the_very_first_tick_starts_nothing() -> None:
    world = World(refresh=DAILY)
    world.save()
    tick_at(world, half_past(world) + timedelta(minutes=1))
    assert world.runs() == []


def test_an_export_saved_after_a_due_time_waits_for_the_next(world: World) -> None:
    world.clock.reach(half_past(world) + timedelta(minutes=2))
    world.save("late-comer")
    tick_at(world, half_past(world) + timedelta(minutes=5))
    assert world.runs("late-comer") == []
    assert len(world.runs()) == 1


@pytest.mark.parametrize("change", [{"schedule": {"kind": "off"}}, {"enabled": False}], ids=["off", "disabled"])
def test_exports_that_are_off_or_disabled_do_not_run(world: World, change: dict[str, Any]) -> None:
    world.save(**change)
    tick_at(world, half_past(world) + timedelta(minutes=1))
    assert world.runs() == []


def test_an_export_with_its_own_schedule_does_not_follow_the_refresh(world: World) -> None:
    own = {"kind": "cron", "cron": "0 11 * * *", "time_zone": "Europe/Stockholm"}
    world.save("own", schedule=own)
    tick_at(world, half_past(world) + timedelta(minutes=1))
    assert world.runs("own") == []
    tick_at(world, half_past(world) + timedelta(minutes=31))
    assert [run.due_at for run in world.runs("own")] == [half_past(world).replace(hour=10, minute=0)]


def test_without_a_refresh_schedule_nothing_follows_it() -> None:
    world = World()
    world.save()
    world.tick()
    tick_at(world, half_past(world) + timedelta(days=30))
    assert world.runs() == []


def test_fifty_exports_of_one_refresh_all_arrive(world: World) -> None:
    for number in range(50):
        world.save(f"export-{number}")
    world.clock.now += timedelta(days=1)
    tick_at(world, half_past(world) + timedelta(minutes=1))
    world.work()
    runs = [run for number in range(50) for run in world.runs(f"export-{number}")]
    assert [run.status for run in runs] == [RunStatus.SUCCEEDED] * 50


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_tick_cut_off_anywhere_starts_every_export_once_at_the_next(world: World, when: str) -> None:
    for call in range(40):
        world = World(refresh=DAILY)
        for name in ("one", "two"):
            world.save(name)
        world.deliver_extract(people(3))
        world.tick()
        world.crashes.at = {world.crashes.calls + call: when}
        try:
            tick_at(world, half_past(world) + timedelta(minutes=1))
        except CrashError:
            world.tick()
        world.crashes.at = {}
        world.work()
        assert [len(world.runs(name)) for name in ("one", "two")] == [1, 1]
        assert all(run.status is RunStatus.SUCCEEDED for name in ("one", "two") for run in world.runs(name))


def test_a_broken_definition_does_not_keep_the_others_from_running(world: World) -> None:
    world.blobs.upsert("exports/broken.json", b'{"not": "an export"}')
    tick_at(world, half_past(world) + timedelta(minutes=1))
    world.work()
    assert [run.status for run in world.runs()] == [RunStatus.SUCCEEDED]


def test_a_deleted_connection_fails_the_scheduled_run_with_its_reason(world: World) -> None:
    world.blobs.delete("connections/main.json")
    tick_at(world, half_past(world) + timedelta(minutes=1))
    world.work()
    (run,) = world.runs()
    assert run.reason is not None
    assert run.reason.code == "connection_missing"


def test_old_chunks_and_poison_are_deleted_after_their_retention(world: World) -> None:
    world.blobs.upsert("runs/x/20260101T000000Z-a/attempts/aa/chunks/00001.ndjson", b"people")
    world.blobs.upsert("runs/x/20260101T000000Z-a/run.json", b"{}")
    world.blobs.upsert("poison/runs/1.txt", b"{}")
    world.clock.now += timedelta(days=8)
    world.tick()
    assert not [name for name in world.names() if "chunks" in name]
    assert "poison/runs/1.txt" in set(world.names())
    world.clock.now += timedelta(days=23)
    world.tick()
    assert {"runs/x/20260101T000000Z-a/run.json"} <= set(world.names())
    assert "poison/runs/1.txt" not in set(world.names())
