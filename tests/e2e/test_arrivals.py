"""An extract that arrives starts its export, once, whatever becomes of the events about it."""

import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from local.cloud import LocalCloud
from tests.support.events import an_event
from tests.support.running_app import RunningApp, SavedExport, StartedRun, csv_text, eventually

EVENTS = "extract-events"
AT_ONCE = {"kind": "arrival"}
MANY = 1_000


@pytest.fixture(scope="module")
def running(cloud: LocalCloud) -> Iterator[RunningApp]:
    """Return an app that is told of its extracts."""
    with RunningApp(cloud) as running:
        running.start_host()
        cloud.send_events(running.account)
        yield running


@pytest.fixture(scope="module")
def deaf(cloud: LocalCloud) -> Iterator[RunningApp]:
    """Return an app that is told of nothing unless a test does."""
    with RunningApp(cloud) as running:
        running.start_host()
        yield running


def the_run(export: SavedExport) -> StartedRun:
    (run,) = eventually(export.runs)
    return run


def looks(running: RunningApp) -> int:
    """How often the app has looked for arrivals."""
    return running.log().count("event=arrival_look")


def look_late(running: RunningApp) -> None:
    """Let the timer tick, long after the last look."""
    running.tick("refresh_exports")
    eventually(lambda: running.read_all("look-out.json"))
    hours_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    running.write("look-out.json", {"at": hours_ago, "looked_at": hours_ago})
    running.tick("refresh_exports")


def test_an_extract_that_arrives_brings_its_people_onto_the_list(running: RunningApp) -> None:
    segment = running.name("Segment")
    export = running.export(segment, schedule=AT_ONCE)
    running.deliver_emails("ann@example.com", segment=segment)
    run = the_run(export)
    assert (run.get()["trigger"], run.wait()["status"]) == ("arrival", "succeeded")
    assert export.emails() == ["ann@example.com"]
    assert export.get()["waits_for"].startswith(f"A complete delivery of {segment}, since ")


def test_two_segments_in_two_folders_make_one_run(running: RunningApp) -> None:
    first, second = running.name("Segment"), running.name("Segment")
    export = running.export(first, segments=[first, second], schedule=AT_ONCE)
    running.deliver_emails("ann@example.com", segment=first)
    before = looks(running)
    eventually(lambda: looks(running) > before)
    assert export.runs() == []
    running.deliver_emails("bo@example.com", segment=second)
    assert the_run(export).wait()["status"] == "succeeded"
    assert export.emails() == ["ann@example.com", "bo@example.com"]


def test_a_thousand_events_in_disorder_make_one_run_and_few_looks(deaf: RunningApp) -> None:
    segments = [deaf.name("Segment") for _ in range(3)]
    exports = [deaf.export(segment, schedule=AT_ONCE) for segment in segments]
    for segment in segments:
        deaf.deliver_emails(f"{segment}@example.com", segment=segment)
    events = [
        json.dumps(an_event(f"{segment}/2026-01-01/{segment}_1.csv", account=deaf.account))
        for segment in segments
        for _ in range(MANY // 3 + 1)
    ]
    random.Random(11).shuffle(events)  # noqa: S311 - the same disorder each time
    before, began = looks(deaf), datetime.now(UTC)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda event: deaf.send(EVENTS, event), events))
    eventually(lambda: deaf.count_messages(EVENTS) == 0)
    runs = [the_run(export) for export in exports]
    assert [run.wait()["status"] for run in runs] == ["succeeded"] * 3
    seconds = (datetime.now(UTC) - began).total_seconds()
    assert 0 < looks(deaf) - before <= seconds / 5 + 3
    assert [len(export.runs()) for export in exports] == [1, 1, 1]


def test_an_arrival_without_an_event_is_found_by_the_timer(deaf: RunningApp) -> None:
    segment = deaf.name("Segment")
    export = deaf.export(segment, schedule=AT_ONCE)
    deaf.deliver_emails("ann@example.com", segment=segment)
    look_late(deaf)
    assert the_run(export).wait()["status"] == "succeeded"


def test_what_is_no_event_of_ours_is_dropped_without_its_words(deaf: RunningApp) -> None:
    deaf.send(EVENTS, "Call poisonmark@example.com back, please.")
    deaf.send(EVENTS, an_event("poisonmark.csv", container="others", account=deaf.account))
    eventually(lambda: deaf.log().count("event=extract_event_dropped") >= 2)
    assert "poisonmark" not in deaf.log()
    assert deaf.count_messages(f"{EVENTS}-poison") == 0


def test_a_version_that_replaces_one_has_a_run_of_its_own(running: RunningApp) -> None:
    segment = running.name("Segment")
    export = running.export(segment, schedule=AT_ONCE)
    running.deliver_emails("ann@example.com", segment=segment)
    assert the_run(export).wait()["status"] == "succeeded"
    running.extracts.upload_blob(
        f"{segment}/2026-01-01/{segment}_1.csv", csv_text(["EMail"], [["bo@example.com"]]), overwrite=True
    )
    newest, _ = eventually(lambda: runs if len(runs := export.runs()) > 1 else None)
    assert newest.wait()["status"] == "succeeded"
    assert export.emails() == ["ann@example.com", "bo@example.com"]
