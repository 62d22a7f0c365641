"""A run as one page that stands alone: the words, figures and pictures of the console's page of a run.

`report.html.j2` is the page, in the order of `console/views/run.js`, and its style is the console's. This module
has what is reckoned for it, as `console/run/outcome.js` and `console/components/stacked-bar.js` do.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from functions.pages import own_style_only, served, template
from shared.model.rejections import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from functions.words import Words
    from shared.runs.views import RunDetails

TEMPLATE: Final = Path(__file__).with_name("report.html.j2")
STYLE: Final = Path(__file__).with_name("console") / "style.css"
OUTCOMES: Final = ("sent", "pending", "unchanged", "duplicate", "rejected", "not_sent")
ALWAYS: Final = frozenset({"sent", "duplicate", "rejected", "not_sent"})
"""Outcomes that are told even if no row had them."""
WIDTH: Final = 800
LEAST: Final = 2
"""Width of a part, so that the few are seen beside the many."""
CHUNKS_SHOWN: Final = 200
REJECTED: Final = {str(each): {"meaning": each.meaning, "action": each.action} for each in Rejected}


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a bar shows of one thing."""

    key: str
    """Gives the colour."""
    label: str
    value: float
    text: str
    """How the value is told."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A part and where it stands, in units of the drawing."""

    part: Part
    x: float
    width: float


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A bar that is divided in proportion; what is none of it is left out."""

    label: str
    drawn: tuple[Drawn, ...]

    @classmethod
    def of(cls, label: str, parts: Sequence[Part]) -> Bar:
        """Reckon where the parts stand."""
        shown = [part for part in parts if part.value > 0]
        total = sum(part.value for part in shown)
        x, drawn = 0.0, []
        for part in shown:
            width = max(LEAST, WIDTH * part.value / total)
            drawn.append(Drawn(part=part, x=round(x, 1), width=round(width, 1)))
            x += width
        return cls(label=label, drawn=tuple(drawn))

    @property
    def width(self) -> float:
        """Of the whole."""
        return self.drawn[-1].x + self.drawn[-1].width

    @property
    def told(self) -> str:
        """The same in words."""
        return f"{self.label}. {'; '.join(f'{each.part.label}: {each.part.text}' for each in self.drawn)}"


@dataclass(frozen=True, kw_only=True)
class Line:
    """An outcome and how many rows had it, or a part of one."""

    label: str
    value: int
    meaning: str
    part: bool = False
    is_code: bool = False
    """Whether the label is a reason's code."""


def render(run: RunDetails, words: Words, *, now: datetime) -> str:
    """Render the page."""
    from markupsafe import Markup

    return template(TEMPLATE).render(
        run=run,
        words=words,
        t=words.t,
        now=now,
        style=Markup(_style()),  # noqa: S704 - a file of our own
        policy=own_style_only(_style()),
        outcomes=_outcomes(run, words),
        lines=tuple(_lines(run, words)),
        stages=_stages(run, words),
        chunks_shown=CHUNKS_SHOWN,
    )


def content_security_policy() -> str:
    """What the report may do: show its own style, in an origin of its own, for it has words of others in it."""
    return f"{served(own_style_only(_style()))}; sandbox"


@functools.cache
def _style() -> str:
    return STYLE.read_text(encoding="utf-8")


def _outcomes(run: RunDetails, words: Words) -> Bar:
    found = [(name, int(getattr(run.counts, name))) for name in OUTCOMES]
    parts = [
        Part(key=name, label=words.t(f"outcome.{name}"), value=count, text=words.number(count))
        for name, count in found
    ]
    return Bar.of(words.t("run.outcome"), parts)


def _stages(run: RunDetails, words: Words) -> tuple[Bar, tuple[Part, ...]]:
    """The bar, and all stages, for those that took no time are told, too."""
    parts = tuple(
        Part(
            key=stage.name,
            label=words.t(f"run_stage.{stage.name}"),
            value=stage.seconds,
            text=words.duration(stage.seconds),
        )
        for stage in run.stages
    )
    return Bar.of(words.t("run.stages"), parts), parts


def _lines(run: RunDetails, words: Words) -> Iterator[Line]:
    for name in OUTCOMES:
        count = int(getattr(run.counts, name))
        if count or name in ALWAYS:
            meaning = words.t(f"outcome_meaning.{name}")
            yield Line(label=words.t(f"outcome.{name}"), value=count, meaning=meaning)
        if name == "rejected":
            yield from _rejections(run, words)
    for key, fields in (("run.cut", run.counts.cut), ("run.unusable", run.counts.unusable)):
        meaning = words.t(f"{key}_meaning")
        for field, count in fields.items():
            yield Line(label=words.t(key, field=field), value=count, meaning=meaning, part=True)


def _rejections(run: RunDetails, words: Words) -> Iterator[Line]:
    """By reason, most first."""
    for code, count in sorted(run.counts.rejected_by_reason.items(), key=lambda each: -each[1]):
        told = words.translated(code) or REJECTED.get(code)
        meaning = f"{told['meaning']} {told['action']}" if told else ""
        yield Line(label=code, value=count, meaning=meaning, part=True, is_code=True)
