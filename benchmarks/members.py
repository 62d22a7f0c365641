"""What it costs to note the members at the end of a run."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measuring import run_child

if TYPE_CHECKING:
    from collections.abc import Iterator


def measure(rows: int) -> Iterator[dict[str, object]]:
    """Yield a row for a first run, for one that sent few, and for one that sent all again."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "generation.parquet"
        for command in ("note_first", "note_few", "note_all"):
            noted = run_child(command, path, rows)
            yield {
                "bench": "members",
                "sent": {"note_first": "first run", "note_few": "few sent", "note_all": "all sent"}[command],
                "rows": rows,
                "rows_per_second": round(rows / noted["seconds"]),
                "peak_rss_mb": round(noted["peak_rss_mb"]),
                "peak_disk_mb": round(noted["peak_disk_mb"]),
                "seconds": round(noted["seconds"], 2),
                "cpu_seconds": round(noted["cpu_seconds"], 2),
            }
