"""The first rows of a table, column by column: of which kind their values are, and some of them, masked.

Rows are told apart as a plan tells them apart. Of what is shown nothing says which values stand in one row.
"""

from __future__ import annotations

import secrets
from codecs import BOM_UTF8
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from shared.extracts.csv_records import END
from shared.extracts.streams import unreadable
from shared.planning.engine import QueryError
from shared.planning.mask import mask
from shared.planning.sources import SLASHED
from shared.planning.text_pieces import Pieces, Reading, UntellableError
from shared.planning.value_rules import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.planning.engine import Engine
    from shared.planning.tables import Table
    from shared.storage.interfaces import ReadableBlobs

LOOK_BYTES: Final = 256 * 1024
"""Bytes of text that are read at a time until there are enough rows."""
COLUMNS_MOST: Final = 500
"""So many columns of a table are looked into: each costs memory for thousands of rows."""
SAMPLES: Final = 3
"""Masked values of a column that are shown."""


class ValueKind(StrEnum):
    """What all values of a column are that were looked at."""

    EMAIL = "email"
    PHONE = "phone"
    DATE = "date"
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True, kw_only=True)
class ColumnLook:
    """What the first rows say of a column."""

    name: str
    kind: ValueKind | None
    """None where no row has a value, or the column was not looked into."""
    samples: tuple[str, ...]
    """Masked, and in an order that is not that of the rows."""


@dataclass(frozen=True, kw_only=True)
class FirstRowsLook:
    """What the first rows say of a table."""

    rows: int
    """How many were looked at."""
    columns: tuple[ColumnLook, ...]
    """Those that have a name."""


def look_at_first_rows(engine: Engine, blobs: ReadableBlobs, table: Table, *, rows: int) -> FirstRowsLook:
    """Look at so many rows of a table at most. Raises what reading its file raises."""
    named = [position for position, name in enumerate(table.names) if name]
    looked = named[:COLUMNS_MOST]
    found = _Rows(engine=engine, table=table, positions=looked, most=rows)
    found.read(blobs)
    values = {position: [value for row in found.rows if (value := row[at])] for at, position in enumerate(looked)}
    kinds = _kinds(engine, table, values)
    columns = tuple(
        ColumnLook(
            name=table.names[position],
            kind=kinds.get(position),
            samples=_samples(values.get(position, ())),
        )
        for position in named
    )
    return FirstRowsLook(rows=len(found.rows), columns=columns)


def _samples(values: Sequence[str]) -> tuple[str, ...]:
    """Some of the values, masked; sorted, so that nobody can put those of one row together."""
    masked: set[str] = set()
    for value in values:
        masked.add(mask(value))
        if len(masked) == SAMPLES:
            break
    return tuple(sorted(masked))


@dataclass(kw_only=True)
class _Rows:
    """The first rows of a table, as they are read."""

    engine: Engine
    table: Table
    positions: Sequence[int]
    most: int
    rows: list[Sequence[str | None]] = field(default_factory=list, repr=False)
    token: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)
    """Begins what says that a record of the text is no row."""

    def read(self, blobs: ReadableBlobs) -> None:
        """Read until there are enough, or no more."""
        self._sentinels = self.table.sentinels(self.token, None)
        pieces = Pieces(self._begin, sentinels=self._sentinels, size=LOOK_BYTES)

        def take(block: bytes) -> bool:
            for start in range(0, len(block), LOOK_BYTES):
                pieces.take(block[start : start + LOOK_BYTES])
                if self._has_enough():
                    return False
            return True

        try:
            self.table.read(blobs, take, positions=frozenset(self.positions), rows=self.most)
            pieces.close()
        except UntellableError:
            raise unreadable(self.table.file, "cannot be told into rows") from None

    def _has_enough(self) -> bool:
        return len(self.rows) >= self.most

    def _begin(self, pieces: Sequence[bytes]) -> Reading:
        return Reading(finish=partial(self._finish, pieces), drop=lambda: None)

    def _finish(self, pieces: Sequence[bytes]) -> bool:
        """Whether the pieces were read up to the end mark behind them; if so, their rows are kept."""
        if self._has_enough():
            return True
        relation, mark = self.table.relation(pieces), self.table.email(None, self.token)
        # the reader takes a byte order mark for none of the text's own, so it gets one of ours
        texts = [BOM_UTF8, *pieces, self._sentinels.line(END).encode()]
        end = quoted(self.token + END)
        checked = self._query(f"SELECT count(*) FILTER (WHERE {mark} = {end}) FROM {relation}", texts)
        if checked is None or not checked[0][0]:
            return False
        values = ", ".join(map(self.table.value, self.positions))
        left = self.most - len(self.rows)
        query = f"SELECT {values} FROM (SELECT *, {mark} AS mark FROM {relation}) WHERE mark IS NULL LIMIT {left}"
        self.rows += self._query(query, texts) or () if values else ()
        return True

    def _query(self, query: str, texts: Sequence[bytes]) -> list[tuple[Any, ...]] | None:
        """What a query of some texts gives; None if there is fault with them."""
        self.engine.files.text = texts
        try:
            return self.engine.rows(query)
        except QueryError as error:
            if error.is_about_input:
                return None
            raise
        finally:
            self.engine.files.text = ()


KINDS: Final = """
SELECT position, bool_and(is_email), bool_and(is_phone), bool_and(is_date), bool_and(is_number)
FROM (
    SELECT position,
        is_address(lower_address(bare(value))) AS is_email,
        phone_of(value) IS NOT NULL AS is_phone,
        is_no_day(value) OR day_of(value, $slashed) IS NOT NULL AS is_date,
        number_of({number}) IS NOT NULL AS is_number
    FROM (SELECT unnest($positions) AS position, tidy(unnest($texts)) AS value)
    WHERE value <> ''
)
GROUP BY position
"""
DECIMAL_COMMA: Final = "replace(replace(value, '.', '?'), ',', '.')"


def _kinds(engine: Engine, table: Table, values: dict[int, list[str]]) -> dict[int, ValueKind]:
    """Of the columns that have values, by position: the first kind that all of them are."""
    options = table.file.source
    pairs = [(position, value) for position, found in values.items() for value in found]
    if not pairs:
        return {}
    query = KINDS.format(number=DECIMAL_COMMA if options.decimal_separator == "comma" else "value")
    told = {
        "positions": [position for position, _ in pairs],
        "texts": [value for _, value in pairs],
        "slashed": SLASHED[options.date_order],
    }
    narrow = (ValueKind.EMAIL, ValueKind.PHONE, ValueKind.DATE, ValueKind.NUMBER)
    return {
        position: next((kind for kind, is_so in zip(narrow, judged, strict=True) if is_so), ValueKind.TEXT)
        for position, *judged in engine.rows(query, told)
    }
