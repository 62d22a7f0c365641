"""What a deployment costs a month, added up from quantities and prices: `python -m tools.costs` prints the table.

Queues, alerts and private endpoints are counted in what the template would deploy. The table stands in
docs/deploy.md, and a test holds it there.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tools.bicep import NOT_FOUND, ROOT, find_compiler, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.deployment import Plan

HOURS: Final = 730
SECONDS: Final = 30 * 24 * 60 * 60
GB: Final = 2
"""Memory of an instance."""
TICKS: Final = 2 * SECONDS // 30
"""Two timers, each every 30 s, for a second."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What is sent in a month, and what that takes."""

    name: str
    seconds: int
    """Of execution, beside the ticks."""
    executions: int
    blob_writes: int
    blob_reads: int
    stored_gb: int
    logs_gb: float
    events: int
    """Blobs of extracts that become whole."""


LOADS: Final = (
    # 1 plan (5 s), 4 chunks (10 s), 4 x 5 looks at import jobs (1 s)
    Load(
        name="100,000 contacts",
        seconds=65,
        executions=25,
        blob_writes=400_100,
        blob_reads=800_000,
        stored_gb=1,
        logs_gb=1.5,
        events=200,
    ),
    # ten runs of a million: 10 x 10 s + 340 x 15 s + 340 x 5 x 1 s
    Load(
        name="10 million contacts",
        seconds=6_900,
        executions=2_050,
        blob_writes=410_000,
        blob_reads=900_000,
        stored_gb=5,
        logs_gb=2.5,
        events=2_000,
    ),
)
FREE_GB_SECONDS: Final = 100_000
FREE_EXECUTIONS: Final = 250_000
FREE_LOGS_GB: Final = 5
FREE_EVENTS: Final = 100_000


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the table."""

    words: str
    prices: tuple[float, ...]
    """In US dollars, by load."""


def table(private: Plan) -> str:
    """The table in Markdown, for what is deployed with a private network."""
    everywhere, network = list(_everywhere(private)), [_network(private)]
    public = _sum("sum, public network", everywhere)
    lines = [
        f"| a month | {' | '.join(load.name for load in LOADS)} |",
        "|---|" + "---|" * len(LOADS),
        *map(_line, everywhere),
        _line(public),
        *map(_line, network),
        _line(_sum("sum, private network", [public, *network])),
    ]
    return "\n".join(lines)


def _everywhere(plan: Plan) -> Iterator[Row]:
    """What every deployment pays."""
    gb_seconds = [GB * (TICKS + load.seconds) for load in LOADS]
    yield _row(
        f"executing: {_and(gb_seconds)} GB-s at 0.000026, of which {FREE_GB_SECONDS:,} are free",
        [0.000026 * max(0, each - FREE_GB_SECONDS) for each in gb_seconds],
    )
    executions = [TICKS + load.executions for load in LOADS]
    yield _row(
        f"executions: {_and(executions)} at 0.40 a million, of which {FREE_EXECUTIONS:,} are free",
        [0.40e-6 * max(0, each - FREE_EXECUTIONS) for each in executions],
    )
    queues = len(plan.of_type("Microsoft.Storage/storageAccounts/queueServices/queues"))
    polls = queues * SECONDS
    yield _row(
        f"queue transactions: {queues} queues, polled every second at most: {polls / 1e6:.1f} million at 0.04",
        [0.04e-6 * polls for _ in LOADS],
    )
    yield _row(
        f"blob writes, most by timers: {_and([load.blob_writes for load in LOADS])}, at 0.055 per 10,000",
        [0.055e-4 * load.blob_writes for load in LOADS],
    )
    yield _row(
        f"blob reads and lists: {_and([load.blob_reads for load in LOADS])}, at 0.0044 per 10,000",
        [0.0044e-4 * load.blob_reads for load in LOADS],
    )
    yield _row(
        f"data at rest: {_and([load.stored_gb for load in LOADS])} GB, at 0.02",
        [0.02 * load.stored_gb for load in LOADS],
    )
    yield _row("Key Vault: 10,000 operations, at 0.03 per 10,000", [0.03 for _ in LOADS])
    yield _row(
        f"logs, most of them who used storage: {' and '.join(str(load.logs_gb) for load in LOADS)} GB at 2.30, "
        f"of which {FREE_LOGS_GB} a billing account are free",
        [2.30 * max(0.0, load.logs_gb - FREE_LOGS_GB) for load in LOADS],
    )
    yield _row(
        f"Event Grid: {_and([load.events for load in LOADS])} events; the first {FREE_EVENTS:,} are free",
        [0.60e-6 * max(0, load.events - FREE_EVENTS) for load in LOADS],
    )
    logs = len(plan.of_type("Microsoft.Insights/scheduledQueryRules"))
    metrics = len(plan.of_type("Microsoft.Insights/metricAlerts"))
    yield _row(
        f"alerts: {logs} on logs, each quarter of an hour or less often, at 0.50; {metrics} on a metric, at 0.10",
        [0.50 * logs + 0.10 * metrics for _ in LOADS],
    )


def _network(plan: Plan) -> Row:
    """What a private network costs besides."""
    endpoints = len(plan.of_type("Microsoft.Network/privateEndpoints"))
    zones = len(plan.of_type("Microsoft.Network/privateDnsZones"))
    return _row(
        f"{endpoints} private endpoints at {HOURS} h at 0.01, {zones} zones at 0.50",
        [endpoints * HOURS * 0.01 + zones * 0.50 for _ in LOADS],
    )


def _row(words: str, prices: list[float]) -> Row:
    return Row(words=words, prices=tuple(round(each, 2) for each in prices))


def _sum(words: str, rows: list[Row]) -> Row:
    return _row(words, [sum(each) for each in zip(*(row.prices for row in rows), strict=True)])


def _and(numbers: list[int]) -> str:
    return " and ".join(f"{each:,}" for each in numbers)


def _line(row: Row) -> str:
    bold = "**" if row.words.startswith("sum") else ""
    return f"| {bold}{row.words}{bold} | " + " | ".join(f"{bold}{each:.2f}{bold}" for each in row.prices) + " |"


def main() -> int:
    """Print the table; 1 without a compiler."""
    found = find_compiler()
    if found is None:
        print(NOT_FOUND, file=sys.stderr)
        return 1
    with running(found) as compiler:
        print(table(compiler.plan(ROOT / "infra" / "main.bicep", {"network": "private"})))
    return 0


if __name__ == "__main__":
    sys.exit(main())
