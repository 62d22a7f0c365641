"""Who left the segment is taken off the list by the running app, and nobody else."""

from collections.abc import Iterator

import pytest

from local.cloud import LocalCloud
from tests.support.running_app import Json, RunningApp, SavedExport, eventually

CROWD = [f"person{number}@example.com" for number in range(120)]
PEOPLE = sorted(["o'neill@example.com", "ann+news@example.com", *CROWD])
STAY = PEOPLE[:20]
BY_HAND = "by.hand@example.com"


@pytest.fixture(scope="module")
def running(cloud: LocalCloud) -> Iterator[RunningApp]:
    with RunningApp(cloud) as running:
        running.start_host()
        yield running


@pytest.fixture(scope="module")
def export(running: RunningApp) -> SavedExport:
    return running.export_of(*PEOPLE, leavers="remove", max_removals={"share": 1.0})


@pytest.fixture(scope="module")
def runs(running: RunningApp, export: SavedExport) -> tuple[Json, Json]:
    """A run with everybody, and one with those who stay; in between somebody is put on the list by hand."""
    first = export.run()
    running.cloud.simulator.add_to_list(export.list_id, BY_HAND)
    eventually(lambda: BY_HAND in export.emails())
    running.deliver_emails(*STAY, segment=export.get()["segments"][0], day=2)
    return first, export.run()


def test_both_runs_succeed(runs: tuple[Json, Json]) -> None:
    assert [run["status"] for run in runs] == ["succeeded", "succeeded"]


def test_the_list_is_the_segment_and_who_was_put_there_by_hand(
    export: SavedExport, runs: tuple[Json, Json]
) -> None:
    assert runs
    assert export.emails() == sorted([*STAY, BY_HAND])


def test_members_and_counts_add_up(runs: tuple[Json, Json]) -> None:
    first, second = runs
    assert first["members"] == {"before": 0, "joined": 122, "left": 0, "after": 122}
    assert second["members"] == {"before": 122, "joined": 0, "left": 102, "after": 20}
    assert (second["counts"]["removed"], second["counts"]["not_removed"]) == (102, 0)
    assert second["list_count_after"] == len(STAY) + 1


def test_a_dry_run_tells_what_a_run_would_do_and_does_nothing(
    running: RunningApp, export: SavedExport, runs: tuple[Json, Json]
) -> None:
    assert runs
    running.deliver_emails(*STAY[5:], "new@example.com", segment=export.get()["segments"][0], day=3)
    before = export.emails()
    run = export.post("plan").wait()
    assert run["status"] == "succeeded"
    forecast = run["forecast"]
    assert [forecast[name] for name in ("new", "changed", "unchanged", "leaving", "removed")] == [1, 0, 15, 5, 5]
    assert run["examples"]["new"] == [{"email": "n" + "*" * 11}]
    assert export.emails() == before


def test_removals_beyond_the_limit_are_done_when_they_are_confirmed(
    running: RunningApp, export: SavedExport, runs: tuple[Json, Json]
) -> None:
    assert runs
    definition = export.get() | {"max_removals": {"share": 0.1}}
    running.put(f"/api/exports/{export.id}", definition).raise_for_status()
    run = export.run()
    assert (run["status"], run["removals_to_confirm"]) == ("completed_with_warnings", 5)
    assert set(STAY) <= set(export.emails())
    done = export.post(f"runs/{run['id']}/confirm-removals").wait()
    assert (done["status"], done["counts"]["removed"]) == ("succeeded", 5)
    assert export.emails() == sorted([*STAY[5:], "new@example.com", BY_HAND])


def test_deleting_the_export_deletes_its_members(
    running: RunningApp, export: SavedExport, runs: tuple[Json, Json]
) -> None:
    assert runs
    assert running.read_all(f"members/{export.id}")
    running.api.delete(f"/api/exports/{export.id}").raise_for_status()
    assert not running.read_all(f"members/{export.id}")
