"""From the request for a run to the last chunk accepted, through the local cloud, and how much of it is ours."""

from __future__ import annotations

import math
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.shape import MAPPING
from local.cloud import LocalCloud
from local.export_api import ExportApi
from local.extracts.deliveries import put_people
from local.extracts.people import People
from local.playground import CONNECTION, EXPORT, Playground, connection_definition, export_definition
from local.sendgrid_simulator.configuration import QUICK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from local.export_api import Run

SIZES: Final = (10_000, 100_000, 1_000_000)
TIMEOUT_SECONDS: Final = 900.0
UPSERT: Final = "/v3/marketing/contacts"


def measure(sizes: tuple[int, ...] = SIZES, *, profile: str = QUICK) -> Iterator[dict[str, object]]:
    """Yield a row for each size: seconds to the last acceptance, and the part that is not SendGrid's answering."""
    with tempfile.TemporaryDirectory() as folder, LocalCloud(Path(folder), profile=profile) as cloud:
        for rows in sizes:
            yield _measure(cloud, rows)


def _measure(cloud: LocalCloud, rows: int) -> dict[str, object]:
    playground = Playground(cloud)
    with playground.extracts() as container:
        put_people(container, People(rows=rows), delivered_at=datetime.now(UTC) - timedelta(hours=1))
    host = playground.start_host(tick="0 0 0 1 1 *")
    try:
        with host.client() as client:
            run = _run(ExportApi(client, say=lambda _: None), playground, rows)
    finally:
        host.stop()
    profile = cloud.simulator.configure().title()
    return {"bench": "e2e", "profile": profile, "rows": rows} | _figures(run, _answering_seconds(cloud))


def _run(api: ExportApi, playground: Playground, rows: int) -> Run:
    api.put(f"/api/connections/{CONNECTION}", connection_definition())
    definition = export_definition(playground.list_id, MAPPING, schedule="off", max_contacts=max(rows, 1))
    api.put(f"/api/exports/{EXPORT}?check=false", definition)
    *_, run = api.follow(api.start_run(EXPORT), timeout_seconds=TIMEOUT_SECONDS)
    return run


def _answering_seconds(cloud: LocalCloud) -> float:
    """Seconds during which the simulator had at least one upsert of this run to answer."""
    upserts = [request for request in cloud.simulator.requests() if request.path == UPSERT]
    cloud.simulator.reset()
    return covered((request.started, request.started + request.seconds) for request in upserts)


def covered(intervals: Iterable[tuple[float, float]]) -> float:
    """Length of what intervals cover together."""
    total, until = 0.0, -math.inf
    for start, end in sorted(intervals):
        total += max(end - max(start, until), 0.0)
        until = max(until, end)
    return total


def _figures(run: Run, answering: float) -> dict[str, Any]:
    if run.status != "succeeded" or run.importing_at is None:
        raise RuntimeError(f"The run {run.status}: {run.reason}")
    seconds = (run.importing_at - run.created_at).total_seconds()
    return {
        "seconds": round(seconds, 2),
        "rows_per_second": round(run.counts.rows_read / seconds),
        "sendgrid_seconds": round(answering, 2),
        "ours_seconds": round(max(seconds - answering, 0), 2),
        "status": run.status,
    }
