"""Where a plan's values come from: the columns of a file, and how the queries read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.planning.fields import find_column, optional_column
from shared.planning.query import PieceQuery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.extracts.csv_records import Sentinels
    from shared.model.definitions import FieldMapping
    from shared.planning.fields import Field
    from shared.planning.tables import Table

CUSTOMER_ID: Final = "CustomerId"
"""Column whose value names a rejected row in rejected.csv, if the extract has it."""
SLASHED: Final = {"auto": "-", "day_first": "%d/%m/%Y", "month_first": "%m/%d/%Y"}
"""Format of a date with slashes; one that none has, where it may be either."""


@dataclass(kw_only=True, eq=False)
class Source:
    """A file that is being planned."""

    segment: str
    table: Table
    sentinels: Sentinels
    """What stands for records of the table that are no rows."""
    columns: dict[str, int]
    """Alias in the queries → position of the column."""
    rows_before: int
    """Of the files before this one; blank lines count."""
    rows_done: int = 0
    """Of this file."""

    @property
    def base(self) -> int:
        """Rows of the plan before the next piece."""
        return self.rows_before + self.rows_done

    def rows(self, pieces: Sequence[bytes]) -> PieceQuery:
        """How the queries read these pieces of the table."""
        options = self.table.file.source
        values = {alias: self.table.value(position) for alias, position in self.columns.items()}
        values["email"] = self.table.email(self.columns["email"], self.sentinels.token)
        return PieceQuery(
            relation=self.table.relation(),
            values=values,
            token=self.sentinels.token,
            base=self.base,
            slashed_date=SLASHED[options.date_order],
            decimal_comma=options.decimal_separator == "comma",
            has_unicode_space=any(map(self.table.may_be_odd, pieces)),
        )


def alternate_aliases(mapping: FieldMapping) -> list[str]:
    """Names in the queries of the columns with alternate addresses."""
    return [f"alternate_{number}" for number, _ in enumerate(mapping.alternate_emails, 1)]


def find_columns(table: Table, mapping: FieldMapping, fields: Sequence[Field]) -> dict[str, int]:
    """Alias → position of every mapped column, and of the customer's id. Raises RunEndError if one is missing."""
    wanted = {"email": ("email", mapping.email)}
    wanted |= {field.alias: (field.name, field.column) for field in fields}
    wanted |= {
        alias: ("alternate_emails", column)
        for alias, column in zip(alternate_aliases(mapping), mapping.alternate_emails, strict=True)
    }
    columns = {
        alias: find_column(table.names, column, field=name, file=table.file.name)
        for alias, (name, column) in wanted.items()
    }
    customer_id = optional_column(table.names, CUSTOMER_ID)
    return columns if customer_id is None else columns | {"customer_id": customer_id}
