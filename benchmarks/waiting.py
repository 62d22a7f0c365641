"""What a run takes over SendGrid's own time, with SendGrid as slow as it was recorded, and how often it asks."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.e2e import TIMEOUT_SECONDS, UPSERT, covered
from benchmarks.shape import MAPPING
from local.cloud import LocalCloud
from local.export_api import ExportApi
from local.extracts.deliveries import put_people
from local.extracts.people import People
from local.playground import CONNECTION, EXPORT, Playground, connection_definition, export_definition
from local.sendgrid_simulator.faults import Fault, FaultKind, WaitForm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local.export_api import Run
    from local.sendgrid_simulator.request_log import LoggedRequest

MOST_ROWS: Final = 100_000
JOB_SECONDS: Final = 30.0
"""From an upsert to the end of its job; this and what follows as 135 live exchanges and later ones had it."""
UPSERT_SECONDS: Final = 0.52
READ_SECONDS: Final = 0.12
UPSERTS_A_MINUTE: Final = 200
KNOWLEDGE: Final = ("jobs unknown", "jobs known")
"""The first run knows nothing of SendGrid's jobs; the second what the first has seen."""


def measure(rows: int) -> Iterator[dict[str, object]]:
    """Yield a row for a run through a connection that was never used, and one for the next run through it."""
    rows = min(rows, MOST_ROWS)
    with tempfile.TemporaryDirectory() as folder, LocalCloud(Path(folder)) as cloud:
        playground = Playground(cloud)
        slow_down(cloud)
        with playground.extracts() as container:
            put_people(container, People(rows=rows), delivered_at=datetime.now(UTC) - timedelta(hours=1))
        host = playground.start_host(tick="0 0 0 1 1 *")
        try:
            with host.client() as client:
                api = ExportApi(client, say=lambda _: None)
                api.put(f"/api/connections/{CONNECTION}", connection_definition())
                definition = export_definition(playground.list_id, MAPPING, schedule="off", max_contacts=rows)
                api.put(f"/api/exports/{EXPORT}?check=false", definition)
                before = 0
                for knowledge in KNOWLEDGE:
                    *_, run = api.follow(api.start_run(EXPORT, force=True), timeout_seconds=TIMEOUT_SECONDS)
                    asked = cloud.simulator.requests()
                    yield {"bench": "waiting", "knowledge": knowledge, "rows": rows} | figures_of(
                        run, asked[before:]
                    )
                    before = len(asked)
        finally:
            host.stop()


def slow_down(cloud: LocalCloud) -> None:
    """Let the simulator take the time that SendGrid was recorded to take."""
    cloud.simulator.configure(
        job_delay_seconds=JOB_SECONDS,
        latency_seconds=READ_SECONDS,
        rate_limit=UPSERTS_A_MINUTE,
        reset_form=WaitForm.SECONDS,
    )
    late = UPSERT_SECONDS - READ_SECONDS
    cloud.simulator.inject(Fault(kind=FaultKind.SLOW, times=None, delay_seconds=late))


def figures_of(run: Run, asked: Sequence[LoggedRequest]) -> dict[str, Any]:
    """The run's time over that in which SendGrid had an upsert or its job in hand, and the requests it took."""
    if run.status != "succeeded" or run.finished_at is None:
        raise RuntimeError(f"The run {run.status}: {run.reason}")
    upserts = [request for request in asked if request.path == UPSERT]
    jobs = covered((each.started, each.started + each.seconds + JOB_SECONDS) for each in upserts)
    polls = sum("/imports/" in request.path for request in asked)
    seconds = (run.finished_at - run.created_at).total_seconds()
    return {
        "seconds": round(seconds, 2),
        "sendgrid_seconds": round(jobs, 2),
        "ours_seconds": round(seconds - jobs, 2),
        "sendgrid_ratio": round(seconds / jobs, 3),
        "requests": len(asked),
        "polls": polls,
        "looks_per_job": round(polls / len(upserts), 2),
    }
