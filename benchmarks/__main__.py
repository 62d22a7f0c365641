"""`make bench`: measures, writes one JSON object a line, and a table for people to the error output.

Without ROWS=…, BENCH="plan e2e" and PROFILE=realistic, of the simulator of SendGrid, there are 1,000,000 rows, all
benches and the profile quick; README.md says what the figures mean.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from benchmarks.machine import describe_machine
from benchmarks.report import table_of
from local.sendgrid_simulator.configuration import PROFILES, QUICK

if TYPE_CHECKING:
    from collections.abc import Iterator

BENCHES: Final = ("plan", "cores", "memory", "fill", "changes", "members", "cold", "console", "e2e", "waiting")
DEFAULT_ROWS: Final = 1_000_000
TABLE_WIDTH: Final = 160
"""Characters, where no terminal says it."""


def main(*, rows: int, benches: list[str], profile: str) -> None:
    """Run the benches one after the other; what is measured is told at once."""
    if unknown := set(benches) - set(BENCHES):
        sys.exit(f"BENCH has no {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}.")
    if profile not in PROFILES:
        sys.exit(f"PROFILE={profile} is not known; there are {', '.join(PROFILES)}.")
    machine = describe_machine()
    measured: list[dict[str, Any]] = []
    console = Console(stderr=True, width=None if sys.stderr.isatty() else TABLE_WIDTH)
    try:
        for bench in benches:
            console.print(f"[dim]measuring {bench} …[/dim]")
            for row in _measure(bench, rows, profile):
                print(json.dumps(row | {"machine": machine}), flush=True)
                measured.append(row)
    finally:
        console.print(table_of(measured, machine))


def _measure(bench: str, rows: int, profile: str) -> Iterator[dict[str, Any]]:
    module = importlib.import_module(f"benchmarks.{bench}")
    match bench:
        case "cold" | "console":
            yield from module.measure()
        case "e2e":
            yield from module.measure(tuple(size for size in module.SIZES if size <= rows), profile=profile)
        case _:
            yield from module.measure(rows)


if __name__ == "__main__":
    main(
        rows=int(os.environ.get("ROWS") or DEFAULT_ROWS),
        benches=(os.environ.get("BENCH") or "").replace(",", " ").split() or list(BENCHES),
        profile=os.environ.get("PROFILE") or QUICK,
    )
