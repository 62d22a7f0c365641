"""A host that dies in the middle of a run costs time and nothing else."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from local.cloud import LocalCloud
from local.faults.scale import SCALED, write_app
from shared.limits import CONTACTS_PER_REQUEST
from tests.support.running_app import CONTACTS_PER_CHUNK, Json, RunningApp, SavedExport, StartedRun, eventually

LEASE_SECONDS = 18
"""Half of it is longer than a worker's death takes to bring its messages back: so a dead host is told from it."""
TICK = "*/2 * * * * *"
CHUNKS = 3
EMAILS = sorted(f"person{number}@example.com" for number in range((CHUNKS - 1) * CONTACTS_PER_CHUNK + 20))
SLOW_SECONDS = 1.0
"""SendGrid takes its time, so that the host dies while it waits for an answer."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_app(tmp_path_factory.mktemp("scaled"))


@pytest.fixture(scope="module")
def running(cloud: LocalCloud, app: Path) -> Iterator[RunningApp]:
    with RunningApp(cloud) as running:
        start(running, app)
        cloud.simulator.configure(latency_seconds=SLOW_SECONDS)
        yield running
        cloud.simulator.configure(latency_seconds=0)


def start(running: RunningApp, app: Path) -> None:
    """Start a host for which time passes faster, but with chunks as large as in Azure."""
    limits = json.dumps({**SCALED, "CONTACTS_PER_REQUEST": CONTACTS_PER_REQUEST})
    running.start_host(app=app, lease_seconds=LEASE_SECONDS, tick=TICK, FAULT_LIMITS=limits)


def is_planning(run: StartedRun) -> bool:
    return b'"status":"planning"' in run.reach("run.json")


def is_planned(run: StartedRun) -> bool:
    return bool(run.running.read_all(run.folder + "plan.json"))


def is_sending(run: StartedRun) -> bool:
    return bool(run.running.read_all(run.folder + "deliveries/"))


def is_partly_accepted(run: StartedRun) -> bool:
    deliveries = run.running.read_all(run.folder + "deliveries/").values()
    return any(json.loads(each)["accepted"] for each in deliveries)


def is_imported_in_part(run: StartedRun) -> bool:
    return bool(run.running.read_all(run.folder + "results/"))


MOMENTS = (is_planning, is_planned, is_sending, is_partly_accepted, is_imported_in_part)


@pytest.fixture(scope="module")
def export(running: RunningApp) -> SavedExport:
    return running.large_export(EMAILS)


@pytest.fixture(scope="module")
def run(running: RunningApp, export: SavedExport, app: Path) -> Json:
    """A run whose host was killed and started again at each of the moments in turn."""
    started = export.start()
    for moment in MOMENTS:
        eventually(partial(moment, started))
        running.host.kill()
        start(running, app)
    return started.wait()


def test_the_run_succeeds_all_the_same(run: Json) -> None:
    assert (run["status"], run["reason"]["code"]) == ("succeeded", "done")


def test_the_counts_add_up(run: Json) -> None:
    counts = run["counts"]
    assert (counts["rows_read"], counts["sent"], counts["not_sent"]) == (len(EMAILS), len(EMAILS), 0)


def test_everybody_is_on_the_list_once(export: SavedExport, run: Json) -> None:
    assert run
    assert export.emails() == EMAILS


def test_every_chunk_has_one_result(running: RunningApp, run: Json) -> None:
    results = running.read_all(f"runs/{run['export']}/{run['id']}/results/")
    assert len(results) == run["chunks"]["finished"] == CHUNKS


def test_the_next_run_is_not_held_up(export: SavedExport, run: Json) -> None:
    assert run
    assert export.run()["reason"]["code"] == "unchanged"
