"""How fast the planner is, beside the least that any planner must do and beside plain Python."""

from __future__ import annotations

import os
import statistics
from typing import TYPE_CHECKING, Any, Final

from benchmarks.measuring import extract, run_child

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROUNDS: Final = 5
ROUNDS_OF_MANY: Final = 3
MANY: Final = 2_000_000

type Round = dict[str, dict[str, Any]]
"""Command → what it took."""


def measure(rows: int) -> Iterator[dict[str, object]]:
    """Yield a row for one thread on one core, which is what an instance has, and one for all cores."""
    cores = os.cpu_count() or 1
    with extract(rows) as path:
        rounds = [_round(path, cores) for _ in range(ROUNDS if rows <= MANY else ROUNDS_OF_MANY)]
    for threads in sorted({1, cores}):
        yield {"bench": "plan", "rows": rows, "threads": threads} | figures(rows, rounds, threads)


def _round(path: Path, cores: int) -> Round:
    """Each command once, so that whatever else the machine does touches all of them alike."""
    took: Round = {"baseline": run_child("baseline", path)}
    for threads in sorted({1, cores}):
        took[f"floor {threads}"] = run_child("floor", path, threads)
        took[f"planner {threads}"] = run_child("planner", path, threads)
        _compare(took["baseline"], took[f"planner {threads}"])
    return took


def _compare(baseline: dict[str, Any], planner: dict[str, Any]) -> None:
    """Figures of work that is not the same would say nothing."""
    for what in ("outcome", "cut"):
        if baseline[what] != planner[what]:
            raise RuntimeError(f"The planner and the baseline disagree: {planner[what]}, {baseline[what]}")


def figures(rows: int, rounds: list[Round], threads: int) -> dict[str, object]:
    """What the rounds say about one number of threads."""
    floor, planner = f"floor {threads}", f"planner {threads}"
    seconds, cpu_seconds = _median(rounds, planner, "seconds"), _median(rounds, planner, "cpu_seconds")
    return {
        "rows_per_second": round(rows / seconds),
        "rows_per_cpu_second": round(rows / cpu_seconds),
        "floor_ratio": _ratio(rounds, planner, floor, "seconds"),
        "floor_cpu_ratio": _ratio(rounds, planner, floor, "cpu_seconds"),
        "baseline_ratio": _ratio(rounds, "baseline", planner, "seconds"),
        "baseline_cpu_ratio": _ratio(rounds, "baseline", planner, "cpu_seconds"),
        "peak_rss_mb": round(_median(rounds, planner, "peak_rss_mb")),
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu_seconds, 3),
    }


def _median(rounds: list[Round], command: str, figure: str) -> float:
    return statistics.median(float(took[command][figure]) for took in rounds)


def _ratio(rounds: list[Round], command: str, other: str, figure: str) -> float:
    """Median of the ratios within each round."""
    ratios = (float(took[command][figure]) / float(took[other][figure]) for took in rounds)
    return round(statistics.median(ratios), 2)
