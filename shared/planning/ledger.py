"""What a plan in the making keeps account of: rows, parts, places; and where it all goes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from shared.errors import RunEndError
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import RunStatus
from shared.model.runs import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.extracts.extract import ExtractFile


@dataclass(frozen=True, kw_only=True)
class Sinks:
    """Where a plan goes."""

    lines: Callable[[bytes], None]
    """Takes contacts, one a line."""
    rejected: Callable[[bytes], None]
    """Takes the list of rejected rows."""
    max_contacts: int | None
    """With more of them, no contact is passed on any more."""


@dataclass(kw_only=True)
class Tally:
    """What became of the rows so far."""

    sent: int = 0
    unchanged: int = 0
    duplicate: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    rejected_by_field: Counter[str] = field(default_factory=Counter)
    """Rows that are rejected for a value of a field, by its name."""
    cut: Counter[str] = field(default_factory=Counter)
    unusable: Counter[str] = field(default_factory=Counter)
    listed: int = 0
    """Rejected rows that are listed."""

    @property
    def rows(self) -> int:
        """How many there were."""
        return self.sent + self.unchanged + self.duplicate + self.reasons.total()

    def counts(self) -> Counts:
        """The same, as a run's document tells it."""
        rejected = self.reasons.total()
        return Counts(
            rows_read=self.rows,
            sent=self.sent,
            unchanged=self.unchanged,
            duplicate=self.duplicate,
            rejected=rejected,
            rejected_by_reason=dict(sorted(self.reasons.items())),
            rejected_not_listed=rejected - self.listed,
            cut=dict(sorted(self.cut.items())),
            unusable=dict(sorted(self.unusable.items())),
        )


def require_few(tally: Tally, rows: int, file: ExtractFile, *, max_contacts: int | None) -> None:
    """Raise RunEndError when rows, up to somewhere in `file`, or contacts are more than the export allows."""
    limit = file.source.limits.rows
    if rows > limit:
        message = f"There are more than {limit:,} rows; {file.name} was read up to there."
        raise RunEndError(ReasonCode.TOO_MANY_ROWS, message)
    if max_contacts is not None and tally.sent > max_contacts:
        message = (
            f"The extract has at least {tally.sent:,} contacts, more than the export's max_contacts of"
            f" {max_contacts:,}; nothing was sent. Raise max_contacts if that is meant to be."
        )
        raise RunEndError(ReasonCode.TOO_MANY_CONTACTS, message, status=RunStatus.SKIPPED)


@dataclass(kw_only=True)
class Parts:
    """What is known of the parts of one extract."""

    segment: str
    files: Sequence[ExtractFile]
    header: tuple[str, ...] = ()
    """Names in the first header; later parts may lack one."""
    missing: dict[str, RunEndError] = field(default_factory=dict)
    """Alias → the error, of columns that no part had so far."""
    found: set[str] = field(default_factory=set)
    """Aliases of columns that some part has."""


class Located(NamedTuple):
    """The row that brought a contact."""

    segment: str
    file: str
    row: int
    """As people count: the first line of the file is 1."""
    address: str
    customer_id: str | None

    def __repr__(self) -> str:
        """Tell the place, and nothing of the person."""
        return f"Located({self.segment}, {self.file}, {self.row})"
