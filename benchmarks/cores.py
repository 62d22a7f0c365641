"""How much faster the planner is on two cores than on one."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any, Final

from benchmarks.measuring import extract, run_child
from benchmarks.shape import FORMATS
from shared.planning.readers import cores_to_use

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS: Final = 5

type Round = tuple[dict[str, Any], dict[str, Any]]
"""What one core took, and what two."""


def measure(rows: int) -> Iterator[dict[str, object]]:
    """Yield a row for each format; nothing where there are no two cores."""
    if cores_to_use() == 1:
        return
    for suffix in FORMATS:
        with extract(rows, suffix) as path:
            rounds = [(run_child("planner", path, 1), run_child("planner", path, 2)) for _ in range(ROUNDS)]
        yield {"bench": "cores", "rows": rows, "format": suffix} | figures(rows, rounds)


def figures(rows: int, rounds: list[Round]) -> dict[str, object]:
    """What the rounds say. Raises RuntimeError if two cores planned something else."""
    for one, two in rounds:
        if one["outcome"] != two["outcome"]:
            raise RuntimeError(f"Two cores plan something else: {two['outcome']}, {one['outcome']}")
    seconds = statistics.median(two["seconds"] for _, two in rounds)
    return {
        "rows_per_second": round(rows / seconds),
        "cores_ratio": round(statistics.median(one["seconds"] / two["seconds"] for one, two in rounds), 2),
        "cores_cpu_ratio": round(
            statistics.median(one["cpu_seconds"] / two["cpu_seconds"] for one, two in rounds), 2
        ),
        "peak_rss_mb": max(round(two["peak_rss_mb"]) for _, two in rounds),
        "seconds": round(seconds, 3),
    }
