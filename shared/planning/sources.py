"""Where a plan's values come from: the columns of a file, and how the queries read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from shared.errors import RunEndError
from shared.model.reason_codes import ReasonCode
from shared.planning.fields import find_column, optional_column
from shared.planning.query import PieceQuery
from shared.planning.tables import open_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.extracts.csv_records import Sentinels
    from shared.model.definitions import FieldMapping
    from shared.planning.engine import Engine
    from shared.planning.fields import Field
    from shared.planning.ledger import Parts
    from shared.planning.tables import Table
    from shared.storage.interfaces import ReadableBlobs

CUSTOMER_ID: Final = "CustomerId"
"""Column whose value names a rejected row in rejected.csv, if the extract has it."""
FEED_COLUMNS: Final = ("IsDelete", "SinkModifiedOn")
"""What Azure Synapse Link puts into what it appends: every change of a row, its deletion, too, is a row there.

https://learn.microsoft.com/power-apps/maker/data-platform/azure-synapse-link-advanced-configuration
"""
SLASHED: Final = {"auto": "-", "day_first": "%d/%m/%Y", "month_first": "%m/%d/%Y"}
"""Format of a date with slashes; one that none has where each must tell by itself."""


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
    watched: set[str] = field(default_factory=set)
    """Aliases of columns of which no row was seen to have a value, and nobody knows whether one has."""

    first_undecodable: int | None = None
    """Number, for people, of the first row that cannot be decoded."""

    def row(self, number: int) -> int:
        """Number, for people, of a row of the piece, from 1."""
        return self.rows_done + self.table.first_row - 1 + number

    @property
    def base(self) -> int:
        """Rows of the plan before the next piece."""
        return self.rows_before + self.rows_done

    def rows(self, pieces: Sequence[bytes]) -> PieceQuery:
        """How the queries read these pieces of the table."""
        options = self.table.file.source
        values = {alias: self.table.value(position) for alias, position in self.columns.items()}
        email = self.columns.get("email")
        values["email"] = self.table.email(email, self.sentinels.token)
        return PieceQuery(
            relation=self.table.relation(pieces),
            values=values,
            token=self.sentinels.token,
            base=self.base,
            slashed_date=SLASHED[options.date_order],
            decimal_comma=options.decimal_separator == "comma",
            has_unicode_space=any(map(self.table.may_be_odd, pieces)),
            watched=sorted(self.watched),
        )


def alternate_aliases(mapping: FieldMapping) -> list[str]:
    """Names in the queries of the columns with alternate addresses."""
    return [f"alternate_{number}" for number, _ in enumerate(mapping.alternate_emails, 1)]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A column that the mapping takes."""

    alias: str
    """Name of its values in the queries."""
    field: str
    """Of the contact."""
    column: str
    """Of the extract."""


def wanted_columns(mapping: FieldMapping, fields: Sequence[Field]) -> list[Wanted]:
    """What the mapping takes, the e-mail address first."""
    email = Wanted(alias="email", field="email", column=mapping.email)
    of_fields = [Wanted(alias=field.alias, field=field.name, column=field.column) for field in fields]
    alternates = [
        Wanted(alias=alias, field="alternate_emails", column=column)
        for alias, column in zip(alternate_aliases(mapping), mapping.alternate_emails, strict=True)
    ]
    return [email, *of_fields, *alternates]


def find_columns(table: Table, wanted: Sequence[Wanted]) -> dict[str, int]:
    """Alias → position of every mapped column that the table has, and of the customer's id.

    Raises RunEndError when it has several of a name.
    """
    found = {
        each.alias: find_column(table.names, each.column, field=each.field, file=table.file.name)
        for each in wanted
    }
    customer_id = optional_column(table.names, CUSTOMER_ID)
    positions = found | {"customer_id": customer_id}
    return {alias: position for alias, position in positions.items() if position is not None}


def refuse_feed(table: Table) -> None:
    """Raise RunEndError for a feed of changes: its rows are former values, too, and people who were deleted."""
    if table.names_are_told and all(optional_column(table.names, name) is not None for name in FEED_COLUMNS):
        has = " and ".join(FEED_COLUMNS)
        message = f"{table.file.name} is a feed of changes by Azure Synapse Link, for it has the columns {has}; "
        raise RunEndError(ReasonCode.EXTRACT_UNSUPPORTED, message + "only whole segments are read.")


def is_ahead(engine: Engine, blobs: ReadableBlobs, parts: Parts, table: Table, wanted: Wanted) -> bool:
    """Whether another part than `table` has a column, or may have it."""
    for file in parts.files:
        if file is table.file:
            continue
        other = open_table(engine, blobs, file, wanted=[wanted.column], before=parts.header)
        if other is not None and (other.may_have_more or wanted.alias in find_columns(other, [wanted])):
            return True
    return False
