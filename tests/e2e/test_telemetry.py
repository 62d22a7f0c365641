"""What alerts and workbook read in the log is really written there."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.azure.environment import AUDIT_CONTAINER
from local.faults.scale import SCALED, write_app
from local.sendgrid_simulator.faults import Fault
from shared.model.definitions import Actor
from shared.model.runs import Run, Trigger
from shared.storage.layout import RunBlobs
from tests.support.running_app import RunningApp, eventually
from tools.bicep import NOT_FOUND, find_compiler, running
from tools.telemetry_queries import alert_queries, events_named, facts_read, workbook_queries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.cloud import LocalCloud

INFRA = Path(__file__).parents[2] / "infra"
COMPILER = find_compiler()


def _queries() -> list[str]:
    """Those of the workbook, and those of the alerts where the template can be compiled."""
    if COMPILER is None:
        return workbook_queries(INFRA)
    with running(COMPILER) as compiler:
        return [*alert_queries(compiler.plan(INFRA / "main.bicep", {})), *workbook_queries(INFRA)]


QUERIES = _queries()
ELSEWHERE = {"not_told"}
"""Storage must fail at one write of many for it: tests/unit/shared/notifications/test_told.py does that."""
EVENTS = sorted(set().union(*map(events_named, QUERIES)) - ELSEWHERE)
SWEEP_AFTER = 2.0
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def log(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app's log after a good run, a throttled one, a refused key, a poison message, and a sweep."""
    app = write_app(tmp_path_factory.mktemp("scaled"))
    own = {"SWEEP_AFTER": SWEEP_AFTER, "LIST_COUNT_LAG": 6.0, "OVERDUE_EVERY": 0.0}
    limits = json.dumps({**SCALED, **own, "NOTIFY_WAITS": (1.0,), "NOTIFY_DEADLINE": 3.0})
    with RunningApp(cloud) as running:
        running.start_host(app=app, FAULT_LIMITS=limits)
        yield everything_that_is_watched(cloud, running)


def everything_that_is_watched(cloud: LocalCloud, running: RunningApp) -> str:
    running.tick("refresh_exports")
    cloud.simulator.inject(
        Fault(kind="answer", method="PUT", path="/v3/marketing/contacts", status=429, retry_after_seconds=1)
    )
    running.export_of("one@example.com", "two@example.com").run()
    start_in_a_trace(running)
    reject_far_more_than_usual(running)
    look_at_a_count_that_lags(cloud, running)
    be_overdue(running)
    unknown_key = running.connection(secret_name=running.secret("SG.no-such-key"))
    refused = running.export_of("three@example.com", connection=unknown_key)
    assert refused.run()["reason"]["code"] == "key_refused"
    running.send("runs", "not a message of ours")
    abandon_a_run(running)
    running.write("active/newsletter/20260101T000000Z-broken", {})
    running.write("runs/newsletter/20260101T000000Z-broken/run.json", {"not": "a run"})
    tell_in_vain(cloud, running)
    be_refused(running)
    time.sleep(SWEEP_AFTER + 1)
    running.tick("sweep")
    running.tick("refresh_exports")
    return eventually(
        lambda: text if all(f"event={name} " in (text := running.log()) for name in EVENTS) else None
    )


def start_in_a_trace(running: RunningApp) -> None:
    """Start a run over HTTP as somebody whose own trace it is part of."""
    export = running.export_of("six@example.com")
    headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    started = running.api.post(export.runs_path, json={}, headers=headers).raise_for_status().json()
    eventually(lambda: running.get(f"{export.runs_path}/{started['id']}")["list_ready"] == "ready" or None)


def reject_far_more_than_usual(running: RunningApp) -> None:
    export = running.export_of("good@example.com", *(f"no address {number}" for number in range(20)))
    earlier = [{"run": f"r{number}", "share": 0.01} for number in range(3)]
    running.write(f"freshness/{export.id}.json", {"export_uid": export.get()["uid"], "rejected": earlier})
    assert export.run()["warnings"]


def look_at_a_count_that_lags(cloud: LocalCloud, running: RunningApp) -> None:
    """Have a run whose contacts SendGrid does not count before the looks after its list are over."""
    cloud.simulator.configure(count_lag_seconds=600)
    try:
        export = running.export_of("seven@example.com")
        run = export.run()
        path = f"{export.runs_path}/{run['id']}"
        assert eventually(lambda: running.get(path)["list_not_confirmed"])["code"] == "fewer_than_expected"
    finally:
        cloud.simulator.configure(count_lag_seconds=0)


def be_overdue(running: RunningApp) -> None:
    """An export that has been watched for years, and never ran."""
    export = running.export_of("eight@example.com", expect_every="P1D")
    watch = {"export_uid": export.get()["uid"], "watched_since": "2020-01-01T00:00:00Z"}
    running.write(f"overdue/{export.id}.json", watch)
    running.tick("sweep")
    assert eventually(lambda: export.get()["overdue"])["code"] == "no_success"
    export.run()
    running.tick("sweep")
    assert eventually(lambda: export.get()["overdue"] is None or None)


def be_refused(running: RunningApp) -> None:
    """Call as one whom the app does not know; then change something that the audit log cannot hold."""
    assert running.api.get("/api/exports", headers={"x-ms-client-principal": "e30="}).status_code == 401
    export = running.export_of("five@example.com")
    with running.cloud.blob_service(running.account) as blobs:
        blobs.delete_container(AUDIT_CONTAINER)
        assert running.api.delete(f"/api/exports/{export.id}").status_code == 500
        blobs.create_container(AUDIT_CONTAINER)


def tell_in_vain(cloud: LocalCloud, running: RunningApp) -> None:
    """A target takes nothing until it is given up."""
    definition = {
        "name": "Operations",
        "url": cloud.receiver.url,
        "events": ["run.ended"],
        "secret_name": running.secret(cloud.receiver.secret),
    }
    running.put("/api/notifications/ops", definition)
    cloud.receiver.status = 500
    try:
        running.export_of("nine@example.com").run()
        assert eventually(lambda: running.get("/api/notifications/ops")["last_lost"])["code"] == "refused"
    finally:
        cloud.receiver.status = 204


def abandon_a_run(running: RunningApp) -> None:
    """A run that was started, but whose message is lost."""
    from datetime import UTC, datetime

    export = running.export_of("four@example.com")
    run = Run(
        id="20260101T000000Z-abandoned",
        export=export.id,
        export_uid=export.get()["uid"],
        connection=export.get()["connection"],
        connection_uid=None,
        trigger=Trigger.ON_DEMAND,
        requested_by="test",
        acts_for=Actor(id="admin", name="admin", is_administrator=True),
        created_at=datetime.now(UTC),
    )
    blobs = RunBlobs(export=run.export, run=run.id)
    running.write(blobs.document, run.model_dump(mode="json", exclude_none=True))
    running.write(blobs.marker, {})


def test_alerts_are_among_the_queries() -> None:
    if COMPILER is None:
        pytest.skip(NOT_FOUND)
    assert len(QUERIES) > len(workbook_queries(INFRA))


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_that_is_watched_is_logged(log: str, event: str) -> None:
    assert f"event={event} " in log


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_every_fact_that_a_query_reads_is_logged(log: str, query: str) -> None:
    lines = [line for line in log.splitlines() if any(f"event={name} " in line for name in events_named(query))]
    written = {word.split("=")[0] for line in lines for word in line.split() if "=" in word}
    assert facts_read(query) <= written


def test_one_run_is_one_trace_from_the_call_that_starts_it_to_the_look_after_its_list(log: str) -> None:
    lines = [line for line in log.splitlines() if f"trace={TRACE}" in line]
    (run,) = {word.removeprefix("run=") for line in lines for word in line.split() if word.startswith("run=")}
    about = [line for line in log.splitlines() if f"run={run} " in line and "event=" in line]
    events = {word.removeprefix("event=") for line in about for word in line.split() if word.startswith("event=")}
    stages = {"run_started", "run_planned", "chunk_accepted", "chunk_finished", "run_finished", "list_checked"}
    assert events >= stages
    assert [line for line in about if f"trace={TRACE}" not in line] == []
    operations = {
        word for line in about for word in line.split() if word.startswith("operation_id=") and TRACE not in word
    }
    assert len(operations) >= 3
