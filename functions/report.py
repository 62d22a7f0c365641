"""The details of a run as one self-contained HTML page: no scripts, nothing loaded from elsewhere.

report.html.j2 is the page; this module computes the geometry of its bars.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Template

    from shared.runs.views import RunDetails

TEMPLATE: Final = Path(__file__).with_name("report.html.j2")
COLOURS: Final = {
    "sent": "#1a7f37",
    "unchanged": "#8c959f",
    "pending": "#0969da",
    "duplicate": "#6e7781",
    "rejected": "#bf8700",
    "not_sent": "#cf222e",
    "queued": "#6e7781",
    "waiting_for_extract": "#bf8700",
    "planning": "#8250df",
    "uploading": "#0969da",
    "importing": "#1a7f37",
}
WIDTH: Final = 800
BAR: Final = 28
CHUNKS_SHOWN: Final = 200


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a bar, and its entry in the legend."""

    x: str
    width: str
    left: int
    """Where its entry in the legend begins."""
    colour: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar, divided in proportion, with a legend below; lengths in units of the drawing."""

    parts: tuple[Part, ...]
    width: int = WIDTH
    bar: int = BAR
    height: int = BAR + 34


def render(run: RunDetails) -> str:
    """Render the page."""
    outcomes = ("sent", "unchanged", "pending", "duplicate", "rejected", "not_sent")
    return template(TEMPLATE).render(
        run=run,
        outcomes=_bar([(name, getattr(run.counts, name)) for name in outcomes]),
        stages=_bar([(stage.name, stage.seconds) for stage in run.stages]),
        chunks_shown=CHUNKS_SHOWN,
    )


@functools.cache
def template(file: Path) -> Template:
    """A page's template."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(file.parent), autoescape=True, undefined=StrictUndefined)
    environment.filters["words"] = lambda name: str(name).replace("_", " ")
    environment.filters["count"] = lambda number: f"{number:,}"
    return environment.get_template(file.name)


def content_security_policy() -> str:
    """What the report may do: show its own style, in an origin of its own, for it has words of others in it."""
    return f"{own_style_only(TEMPLATE)}; sandbox"


@functools.cache
def own_style_only(file: Path) -> str:
    """The policy of a page that shows its own style, and does nothing else."""
    style = file.read_text(encoding="utf-8").partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    own_style = f"style-src 'sha256-{digest}'"
    return f"default-src 'none'; {own_style}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def _bar(sizes: Sequence[tuple[str, float]]) -> Bar:
    total = sum(size for _, size in sizes) or 1
    step = WIDTH / max(len(sizes), 1)
    x, parts = 0.0, []
    for index, (name, size) in enumerate(sizes):
        width = WIDTH * size / total
        label = f"{name.replace('_', ' ')} {size:,.10g}"
        left = round(index * step)
        parts.append(Part(x=f"{x:.1f}", width=f"{width:.1f}", left=left, colour=COLOURS[name], label=label))
        x += width
    return Bar(parts=tuple(parts))
