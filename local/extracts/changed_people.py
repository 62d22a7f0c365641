"""The people of a later refresh: some have left the segment, some have moved, some are new."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import count, islice
from typing import TYPE_CHECKING, Final

from local.extracts.expectation import Expectation
from local.extracts.people import CITY, NOT_SENT, Kind, People, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

LEAVERS_SHARE: Final = 20
"""One of so many has left."""
MOVED: Final = 3
"""Of each hundred, who live elsewhere now."""
NEWCOMERS_SHARE: Final = 50
"""One for so many is new."""
ELSEWHERE: Final = "Elsewhere"


@dataclass(frozen=True, kw_only=True)
class ChangedPeople:
    """What has become of `before`: its last twentieth has left, three of a hundred have moved, two are new."""

    before: People

    @cached_property
    def stay(self) -> People:
        """Who has not left. Rows that say the same again only ever say it of earlier rows."""
        return People(rows=self.before.rows - self.before.rows // LEAVERS_SHARE, seed=self.before.seed)

    @cached_property
    def _moved(self) -> frozenset[int]:
        """Rows of each cycle whose people have moved."""
        return frozenset(islice(self.before.places(Kind.PLAIN), MOVED))

    @cached_property
    def _newcomers(self) -> tuple[int, ...]:
        """Rows of people who were in no extract before."""
        later = (number for number in count(self.before.rows * 2) if self.before.kind(number) not in NOT_SENT)
        return tuple(islice(later, self.before.rows // NEWCOMERS_SHARE))

    @property
    def rows(self) -> int:
        """How many there are."""
        return self.stay.rows + len(self._newcomers)

    def slice(self, start: int, stop: int) -> Iterator[Row]:
        """Make the rows from number `start` up to, not including, `stop`."""
        return (self._row(number) for number in range(start, stop))

    def _row(self, number: int) -> Row:
        if number >= self.stay.rows:
            return self.before.row(self._newcomers[number - self.stay.rows])
        row = self.stay.row(number)
        if self._has_moved(number):
            row[CITY] = ELSEWHERE
        return row

    def _has_moved(self, number: int) -> bool:
        return self.before.place(number) in self._moved

    def emails(self) -> Iterator[str]:
        """Every address that must be on the list, once."""
        yield from self.stay.emails()
        yield from map(self.before.email, self._newcomers)

    def expectation(self) -> Expectation:
        """What becomes of the rows when those before were sent."""
        all_of_stay = self.stay.expectation()
        moved = sum(self._has_moved(number) for number in range(self.stay.rows))
        return Expectation(
            rows=self.rows,
            contacts=moved + len(self._newcomers),
            unchanged=all_of_stay.contacts - moved,
            duplicates=all_of_stay.duplicates,
            rejected=all_of_stay.rejected,
            cut=self.before.cuts(self._newcomers),
        )
