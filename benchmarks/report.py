"""The figures as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.table import Table

from benchmarks.goals import goals_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

VARIANTS: Final = ("threads", "format", "mapping", "profile", "knowledge", "sent")
"""Keys that tell rows of one bench apart."""
COLUMNS: Final[dict[str, tuple[str, Callable[[Any], str]]]] = {
    "rows": ("rows", "{:,}".format),
    "rows_per_second": ("rows/s", "{:,}".format),
    "floor_ratio": ("of floor", "{:.2f}".format),
    "baseline_ratio": ("of baseline", "{:.2f}".format),
    "cores_ratio": ("of one core", "{:.2f}".format),
    "contacts_share": ("contacts", "{:.1%}".format),
    "upserts_share": ("upserts", "{:.1%}".format),
    "requests_share": ("requests", "{:.1%}".format),
    "sendgrid_ratio": ("of SendGrid's", "{:.2f}".format),
    "full_ratio": ("of sending all", "{:.2f}".format),
    "peak_rss_mb": ("memory MB", "{:,}".format),
    "peak_disk_mb": ("disk MB", "{:,}".format),
    "fill": ("fill", "{:.1%}".format),
    "seconds": ("seconds", "{:.2f}".format),
    "ours_seconds": ("ours", "{:.2f}".format),
    "requests": ("requests", "{:,}".format),
    "looks_per_job": ("looks a job", "{:.1f}".format),
    "cpu_seconds": ("CPU seconds", "{:.2f}".format),
}
"""Key → heading, and how its figures are written."""


def table_of(rows: Sequence[Mapping[str, Any]], machine: str) -> Table:
    """A line for each row, with its goals and whether they are met."""
    used = {key: column for key, column in COLUMNS.items() if any(key in row for row in rows)}
    table = Table(title=machine, box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("bench")
    for heading, _ in used.values():
        table.add_column(heading, justify="right")
    table.add_column("goals")
    for row in rows:
        cells = (write(row[key]) if key in row else "" for key, (_, write) in used.items())
        table.add_row(_name(row), *cells, _goals(row))
    return table


def _name(row: Mapping[str, Any]) -> str:
    variants = (
        f"{row[key]} thread{'s' * (row[key] > 1)}" if key == "threads" else row[key]
        for key in VARIANTS
        if key in row
    )
    return ", ".join([row["bench"], *variants])


def _goals(row: Mapping[str, Any]) -> str:
    return "\n".join(
        f"{'[green]✓[/green]' if goal.met(row) else '[red]✗[/red]'} {goal}" for goal in goals_for(row)
    )
