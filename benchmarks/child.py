"""What is measured, each in a process of its own: `python -m benchmarks.child COMMAND PATH [CORES]`.

Writes one JSON object: `seconds` without start and imports, `cpu_seconds`, `peak_rss_mb`, and what was found.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from benchmarks.noting import note_all, note_few, note_first
from benchmarks.shape import COLUMNS, CUSTOM_FIELDS, MAPPING, write_extract

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shared.model.runs import ChunkInfo
    from shared.planning.plan import PlanOutcome, PlanSink

LIST_ID: Final = UUID(int=0)


class RequestSizes:
    """A sink that builds each request's body as it would be sent, and keeps its size only."""

    def __init__(self) -> None:
        self.bodies: list[int] = []
        self.contacts: list[int] = []

    def write_chunk(self, info: ChunkInfo, lines: bytes) -> None:
        """Build the body."""
        from shared.sendgrid.api import upsert_contacts

        self.bodies.append(len(upsert_contacts(LIST_ID, lines).body or b""))
        self.contacts.append(info.contacts)

    def write_rejected(self, csv_part: bytes) -> None:
        """Drop it."""


class Lines:
    """A sink that keeps the contacts."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    def write_chunk(self, info: ChunkInfo, lines: bytes) -> None:
        """Keep them."""
        del info
        self.chunks.append(lines)

    def write_rejected(self, csv_part: bytes) -> None:
        """Drop it."""


class Nowhere:
    """A sink that drops what it is given."""

    def write_chunk(self, info: ChunkInfo, lines: bytes) -> None:
        """Drop it."""

    def write_rejected(self, csv_part: bytes) -> None:
        """Drop it."""


def floor(path: Path, threads: int) -> Callable[[], dict[str, Any]]:
    """Count the values of every column, and nothing more."""
    import duckdb

    connection = duckdb.connect(config={"threads": threads})
    connection.execute("SET enable_progress_bar = false")
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in COLUMNS)
    counts = ", ".join(f'count("{name}")' for name in COLUMNS)
    query = f"""SELECT {counts} FROM read_csv('{path}', columns = {{{columns}}}, auto_detect = false,
        header = true, delim = ',', quote = '"', escape = '"')"""

    def run() -> dict[str, Any]:
        return {"counts": connection.execute(query).fetchone()}

    return run


def planner(path: Path, _: int) -> Callable[[], dict[str, Any]]:
    """Plan the file with the product's planner."""
    run_plan = _plan(path, MAPPING)

    def run() -> dict[str, Any]:
        outcome = run_plan(Nowhere())
        counts = outcome.counts
        return {
            "outcome": {
                "chunks": len(outcome.chunks),
                "bytes": sum(chunk.bytes for chunk in outcome.chunks),
                "rows_read": counts.rows_read,
                "sent": counts.sent,
                "duplicate": counts.duplicate,
                "rejected": counts.rejected,
            },
            "cut": counts.cut,
        }

    return run


def bodies(path: Path, _: int) -> Callable[[], dict[str, Any]]:
    """Plan, and build every request."""
    return _bodies(path, MAPPING)


def wide_bodies(path: Path, _: int) -> Callable[[], dict[str, Any]]:
    """Plan with all columns mapped, and build every request."""
    return _bodies(path, MAPPING | {"custom_fields": CUSTOM_FIELDS})


def _bodies(path: Path, mapping: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    run_plan = _plan(path, mapping)

    def run() -> dict[str, Any]:
        sink = RequestSizes()
        run_plan(sink)
        return {"bodies": sink.bodies, "contacts": sink.contacts}

    return run


def _plan(
    path: Path,
    mapping: Mapping[str, Any],
    **options: Any,  # noqa: ANN401 - passed on
) -> Callable[[PlanSink], PlanOutcome]:
    """A plan that is ready to run: everything is imported."""
    from benchmarks.local_file import LocalFile
    from shared.model.definitions import CustomField, FieldMapping
    from shared.planning.plan import plan

    fields = {
        "customer_id": CustomField(id="e1_T", type="Text"),
        "score": CustomField(id="e2_N", type="Number"),
    }

    def run(sink: PlanSink) -> PlanOutcome:
        with LocalFile(path) as file:
            return plan(
                [file.extract()],
                FieldMapping.model_validate(mapping),
                blobs=file.as_blobs(),
                sink=sink,
                custom_fields=fields,
                **options,
            )

    return run


def baseline(path: Path, _: int) -> Callable[[], dict[str, Any]]:
    """Plan the file in plain Python."""
    from benchmarks.baseline import plan_plainly

    def run() -> dict[str, Any]:
        outcome, cut = plan_plainly(path, MAPPING)
        return {"outcome": outcome, "cut": cut}

    return run


def write(path: Path, rows: int) -> Callable[[], dict[str, Any]]:
    """Write the reference extract."""

    def run() -> dict[str, Any]:
        write_extract(path, rows)
        return {"bytes": path.stat().st_size}

    return run


def members(path: Path, _: int) -> Callable[[], dict[str, Any]]:
    """Note the members as an earlier run had left them: 1 % were otherwise, 0.5 % more were there."""
    from benchmarks.local_file import LocalFile
    from shared.planning.members import Arrivals, RunOutcome, next_generation

    sink = Lines()
    _plan(path, MAPPING)(sink)
    lines = b"".join(sink.chunks).splitlines(keepends=True)
    before = [line.replace(b"{", b'{"x":1,') if n % 100 == 0 else line for n, line in enumerate(lines)]
    before += [b'{"email":"left%d@example.com"}\n' % number for number in range(len(lines) // 200)]
    chunks = [b"".join(before[start : start + 30_000]) for start in range(0, len(before), 30_000)]

    def run() -> dict[str, Any]:
        arrivals = [Arrivals(lines=chunk, absent=frozenset(), certain=True) for chunk in chunks]
        outcome = RunOutcome(run="20260101T000000Z-reference", arrivals=arrivals, gone=(), missing=None)
        data, change = next_generation(None, outcome, blobs=LocalFile(path).as_blobs())
        _members_file(path).write_bytes(data)
        return {"bytes": len(data), "members": change.after}

    return run


def changed(path: Path, _: int) -> Callable[[], dict[str, Any]]:
    """Plan what has changed against those members, and who has left."""
    from benchmarks.local_file import LocalFile
    from shared.model.members import Leavers
    from shared.planning.members import Members

    def run() -> dict[str, Any]:
        with LocalFile(_members_file(path)) as file:
            compared = Members(
                own=file.membership(),
                others=(),
                blobs=file.as_blobs(),
                leave_out_unchanged=True,
                after_missing_runs=1,
            )
            judge_leavers = lambda _counts, _leavers: Leavers.GO  # noqa: E731  # one word
            outcome = _plan(path, MAPPING, members=compared, judge_leavers=judge_leavers)(Nowhere())
        removals = [chunk for chunk in outcome.chunks if chunk.removal]
        requests = len(outcome.chunks) + len(removals)  # a removal is a search, too
        leavers = sum(chunk.contacts for chunk in removals)
        upserts = len(outcome.chunks) - len(removals)
        return {"contacts": outcome.counts.sent, "requests": requests, "upserts": upserts, "leavers": leavers}

    return run


def everybody(path: Path, _: int) -> Callable[[], dict[str, Any]]:
    """Plan to send all."""
    run_plan = _plan(path, MAPPING)

    def run() -> dict[str, Any]:
        outcome = run_plan(Nowhere())
        return {"contacts": outcome.counts.sent, "requests": len(outcome.chunks)}

    return run


def _members_file(path: Path) -> Path:
    return path.with_name("members.parquet")


COMMANDS: Final[dict[str, Callable[[Path, int], Callable[[], dict[str, Any]]]]] = {
    "floor": floor,
    "planner": planner,
    "bodies": bodies,
    "wide_bodies": wide_bodies,
    "baseline": baseline,
    "members": members,
    "note_first": note_first,
    "note_few": note_few,
    "note_all": note_all,
    "changed": changed,
    "all": everybody,
    "write": write,
}


def main(command: str, path: str, number: str) -> None:
    """Run one command and tell what it took."""
    if command.startswith("note_"):
        _stay_on_cores(1)
    elif command != "write":
        _stay_on_cores(int(number))
    run = COMMANDS[command](Path(path), int(number))
    cpu_before = _cpu_seconds()
    before = time.perf_counter()
    found = run()
    seconds = time.perf_counter() - before
    figures = {
        "seconds": seconds,
        "cpu_seconds": _cpu_seconds() - cpu_before,
        "peak_rss_mb": _peak_rss_mb(),
    }
    print(json.dumps(figures | found))


def _stay_on_cores(number: int) -> None:
    """Leave this process so many cores, as an instance has them, for helping threads, too; only Linux can."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-number:])


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _peak_rss_mb() -> float:
    """Of this program only: what getrusage says includes the process that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


if __name__ == "__main__":
    main(*sys.argv[1:])
