"""What a run of which little changed costs, beside one that sends all: 1 % changed, 0.5 % left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from benchmarks.measuring import extract, run_child

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS: Final = 3


def measure(rows: int) -> Iterator[dict[str, object]]:
    """Yield a row; the members are noted first, and then the same extract is planned in both ways in turn."""
    with extract(rows) as path:
        noted = run_child("members", path)
        rounds = [(run_child("all", path), run_child("changed", path)) for _ in range(ROUNDS)]
    full, changed = min(rounds, key=lambda both: float(both[1]["seconds"]))
    yield {
        "bench": "changes",
        "rows": rows,
        "contacts_share": round(changed["contacts"] / full["contacts"], 4),
        "upserts_share": round(changed["upserts"] / full["requests"], 3),
        "requests_share": round(changed["requests"] / full["requests"], 3),
        "full_ratio": _median([both[1]["seconds"] / both[0]["seconds"] for both in rounds]),
        "members_seconds": round(noted["seconds"], 2),
        "members_mb": round(noted["bytes"] / 1e6, 1),
        "members_rss_mb": round(noted["peak_rss_mb"]),
        "peak_rss_mb": round(changed["peak_rss_mb"]),
        "seconds": round(changed["seconds"], 3),
        "cpu_seconds": round(changed["cpu_seconds"], 3),
    }


def _median(ratios: list[Any]) -> float:
    return round(float(sorted(ratios)[len(ratios) // 2]), 2)
