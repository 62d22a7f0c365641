"""The most memory and temporary disk that planning takes, for each format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measuring import extract, run_child
from benchmarks.shape import FORMATS
from shared.planning.readers import cores_to_use

if TYPE_CHECKING:
    from collections.abc import Iterator


def measure(rows: int) -> Iterator[dict[str, object]]:
    """Yield a row for each format, planned once on one core and once on two, which takes more."""
    for suffix in FORMATS:
        with extract(rows, suffix) as path:
            for cores in range(1, cores_to_use() + 1):
                took = run_child("planner", path, cores)
                yield {
                    "bench": "memory",
                    "rows": rows,
                    "format": suffix,
                    "threads": cores,
                    "rows_per_second": round(rows / took["seconds"]),
                    "peak_rss_mb": round(took["peak_rss_mb"]),
                    "peak_disk_mb": round(took["peak_disk_mb"], 1),
                    "seconds": round(took["seconds"], 3),
                    "cpu_seconds": round(took["cpu_seconds"], 3),
                }
