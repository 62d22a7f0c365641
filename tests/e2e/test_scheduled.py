"""The timer starts what is due, once, however often and however late it ticks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from local.cloud import LocalCloud
from tests.support.running_app import RunningApp, SavedExport, eventually

EVERY_TWO_SECONDS = "*/2 * * * * *"
DUE = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=2)
"""When everything was due that comes once a day; always a little while ago."""
DUE_RUN = f"{DUE:%Y%m%dT%H%M%SZ}-scheduled"


def daily(time_zone: str) -> str:
    """Give the cron expression of every day at the hour and minute of `DUE`, as clocks show them there."""
    return f"{DUE.astimezone(ZoneInfo(time_zone)):%M %H} * * *"


@pytest.fixture(scope="module")
def running(cloud: LocalCloud) -> Iterator[RunningApp]:
    """Return an app whose timer ticks all the time and whose refresh was due a moment ago."""
    with RunningApp(cloud) as running:
        running.start_host(tick=EVERY_TWO_SECONDS, refresh_schedule=daily("UTC"))
        yield running


def grow_old(export: SavedExport) -> SavedExport:
    """Make the export three days old: what was due before it was saved is none of its business."""
    name = f"exports/{export.id}.json"
    document = export.running.read_json(name)
    document["created_at"] = (DUE - timedelta(days=3)).isoformat()
    export.running.write(name, document)
    return export


@pytest.fixture(scope="module")
def exports(running: RunningApp) -> dict[str, SavedExport]:
    """Exports of all kinds, over which the timer has looked twice since the refresh was due."""
    segment = running.deliver_emails("ann@example.com")
    connection = running.connection()
    own = {"kind": "cron", "cron": daily("Asia/Kolkata"), "time_zone": "Asia/Kolkata"}
    saved = {
        name: grow_old(
            running.export(segment, connection=connection, schedule=schedule, enabled=name != "disabled")
        )
        for name, schedule in {
            "follows": {"kind": "refresh"},
            "own": own,
            "off": {"kind": "off"},
            "disabled": own,
        }.items()
    }
    saved["young"] = running.export(segment, connection=connection, schedule=own)
    look_back(running, days=2)
    eventually(saved["follows"].runs)
    look_back(running, days=2)
    return saved


def look_back(running: RunningApp, *, days: int) -> None:
    """Have the timer look over the last days, as after a long stop, and wait until it has."""
    eventually(lambda: running.read_all("schedule.json"))
    past = DUE - timedelta(days=days)
    running.write("schedule.json", {"looked_until": past.isoformat()})
    eventually(lambda: datetime.fromisoformat(running.read_json("schedule.json")["looked_until"]) > DUE)


def test_a_refresh_starts_the_exports_that_follow_it(exports: dict[str, SavedExport]) -> None:
    (run,) = exports["follows"].runs()
    assert (run.id, run.get()["trigger"]) == (DUE_RUN, "scheduled")


def test_a_scheduled_run_brings_contacts_onto_the_list(exports: dict[str, SavedExport]) -> None:
    (run,) = exports["follows"].runs()
    assert (run.wait()["status"], exports["follows"].emails()) == ("succeeded", ["ann@example.com"])


def test_an_export_with_a_schedule_of_its_own_runs_once_for_all_that_was_missed(
    exports: dict[str, SavedExport],
) -> None:
    (run,) = exports["own"].runs()
    assert (run.id, run.get()["due_at"]) == (DUE_RUN, f"{DUE:%Y-%m-%dT%H:%M:%SZ}")


@pytest.mark.parametrize("kind", ["off", "disabled"])
def test_an_export_that_is_off_is_not_started(exports: dict[str, SavedExport], kind: str) -> None:
    assert exports[kind].runs() == []


def test_an_export_is_not_started_for_what_was_due_before_it_was_saved(exports: dict[str, SavedExport]) -> None:
    assert exports["young"].runs() == []


def test_ticks_at_the_same_time_start_one_run(running: RunningApp, exports: dict[str, SavedExport]) -> None:
    export = grow_old(running.export(running.deliver_emails("bob@example.com"), schedule={"kind": "refresh"}))
    running.write("schedule.json", {"looked_until": (DUE - timedelta(days=1)).isoformat()})
    for _ in range(4):
        running.tick("refresh_exports")
    (run,) = eventually(export.runs)
    assert (run.id, run.wait()["status"], running.count_upserts(export.list_id)) == (DUE_RUN, "succeeded", 1)
    assert [len(each.runs()) for each in exports.values()] == [1, 1, 0, 0, 0]
