"""What the figures should be."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


SMALL: Final = 1_000_000
"""Rows up to which the lower bound on memory holds."""


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A bound on one figure."""

    figure: str
    """Key in the row."""
    at_most: bool
    bound: float

    def met(self, row: Mapping[str, Any]) -> bool:
        """Whether the row's figure is within the bound."""
        compare: Callable[[float, float], bool] = operator.le if self.at_most else operator.ge
        return compare(row[self.figure], self.bound)

    def __str__(self) -> str:
        return f"{self.figure} {'≤' if self.at_most else '≥'} {self.bound:,g}"


ALWAYS: Final = {
    "changes": [
        Goal(figure="contacts_share", at_most=True, bound=0.03),
        Goal(figure="upserts_share", at_most=True, bound=0.1),
        Goal(figure="full_ratio", at_most=True, bound=1.3),
        Goal(figure="peak_rss_mb", at_most=True, bound=500),
    ],
    "members": [
        Goal(figure="peak_rss_mb", at_most=True, bound=1_000),
        Goal(figure="peak_disk_mb", at_most=True, bound=500),
    ],
}
"""Goals that hold for every row of a bench."""


def goals_for(row: Mapping[str, Any]) -> list[Goal]:
    """The goals that apply to a row."""
    match row["bench"]:
        case "plan":
            speed = [Goal(figure="rows_per_second", at_most=False, bound=500_000)] if row["threads"] == 1 else []
            return [
                *speed,
                Goal(figure="floor_ratio", at_most=True, bound=3),
                Goal(figure="baseline_ratio", at_most=False, bound=3),
            ]
        case "cores":
            return [Goal(figure="cores_ratio", at_most=False, bound=1.6)]
        case "memory":
            small = row["rows"] <= SMALL
            return [
                Goal(figure="peak_rss_mb", at_most=True, bound=400 if small else 1_200),
                Goal(figure="peak_disk_mb", at_most=True, bound=800),
            ]
        case "waiting" if row["knowledge"] == "jobs known":
            return [
                Goal(figure="sendgrid_ratio", at_most=True, bound=1.2),
                Goal(figure="looks_per_job", at_most=True, bound=3),
            ]
        case "fill" if "fill" in row:
            # the limit that is reached first
            figure = max("fill", "contact_fill", key=lambda name: float(row[name]))
            return [Goal(figure=figure, at_most=False, bound=0.95)]
    return ALWAYS.get(row["bench"], [])
