"""What is asked of the table `piece`: which of its rows are left out, how they are counted, what is passed on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.extracts.csv_records import BLANK, END
from shared.model.rejections import Rejected, as_cell
from shared.planning.query import CONTACT_BEGINS, seen_column
from shared.planning.value_rules import INTERNATIONAL, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.planning.fields import Field

ABOUT_VALUES: Final = (
    Rejected.VALUE_TOO_LONG,
    Rejected.PHONE_INVALID,
    Rejected.NUMBER_INVALID,
    Rejected.DATE_INVALID,
)
"""Rejections of rows whose address is good."""

INTERNATIONAL_ADDRESSES: Final = f"SELECT row, address FROM piece WHERE verdict = {quoted(INTERNATIONAL)}"

CONVERT_ADDRESSES: Final = f"""
UPDATE piece SET
    address = converted.address,
    verdict = converted.verdict,
    key = key_of(converted.address),
    line = '{CONTACT_BEGINS}' || converted.address
        || substr(line, {len(CONTACT_BEGINS) + 1} + length(piece.address))
FROM (
    SELECT row, address,
        replace(address_verdict(address), '{INTERNATIONAL}', '{Rejected.EMAIL_INVALID}') AS verdict
    FROM (SELECT unnest($rows::BIGINT[]) AS row, unnest($addresses::VARCHAR[]) AS address)
) AS converted
WHERE piece.row = converted.row
"""
"""Put the converted addresses in, and judge them."""

LOOKS_EMPTY: Final = f"""
SELECT count(*) FROM piece
WHERE verdict = {quoted(Rejected.EMAIL_MISSING)} AND strlen(line) <= {len(CONTACT_BEGINS) + 2}
"""
"""Rows without an address and without any mapped value; lines of nothing but delimiters are among them."""
OUTCOMES: Final = "SELECT verdict, count(*) FROM piece GROUP BY verdict"
"""Rows by verdict; NULL are those that may be sent."""

FORGET_DUPLICATES: Final = """
DELETE FROM piece WHERE row IN (
    SELECT row FROM piece SEMI JOIN seen USING (key) WHERE verdict IS NULL
    UNION ALL
    SELECT row FROM piece JOIN (
        SELECT key, min(row) AS first FROM piece WHERE verdict IS NULL GROUP BY key HAVING count(*) > 1
    ) USING (key) WHERE verdict IS NULL AND row > first
)
"""
"""Delete the rows whose address an earlier row has."""

FORGET_UNCHANGED: Final = """
DELETE FROM piece WHERE verdict IS NULL AND row IN (
    SELECT row FROM piece SEMI JOIN known ON known.key = piece.key AND known.hash = fingerprint(piece.line)
    WHERE verdict IS NULL
)
"""
"""Delete the rows whose contacts SendGrid has just so."""
REMEMBER: Final = "INSERT INTO seen SELECT key FROM piece WHERE verdict IS NULL"
_ABOUT_VALUES: Final = f"split_part(verdict, ' ', 1) IN ({', '.join(quoted(reason) for reason in ABOUT_VALUES)})"
REMEMBER_REJECTED: Final = f"INSERT INTO present SELECT key FROM piece WHERE {_ABOUT_VALUES}"
"""Note who is in rows that are rejected for a value."""
REJECTED_INTERNATIONAL: Final = f"""
SELECT address FROM piece WHERE {_ABOUT_VALUES} AND address_verdict(address) = {quoted(INTERNATIONAL)}
"""
"""Their addresses whose domain is not ASCII."""
REMEMBER_CONVERTED: Final = """
INSERT INTO present SELECT key_of(address) FROM (SELECT unnest($addresses::VARCHAR[]) AS address)
"""
NOTES: Final = "SELECT notes, count(*) FROM piece WHERE notes IS NOT NULL AND verdict IS NULL GROUP BY notes"
FIRST_UNDECODABLE: Final = f"SELECT min(row) FROM piece WHERE verdict = {quoted(Rejected.ROW_UNDECODABLE)}"
SOUGHT: Final = """
CREATE TABLE sought AS
SELECT key_of(address) AS key, address FROM (SELECT unnest($addresses::VARCHAR[]) AS address)
"""
"""Addresses whose rows are looked for."""
FOUND: Final = """
SELECT row, sought.address, customer_id FROM piece JOIN sought USING (key) WHERE verdict IS NULL ORDER BY row
"""
"""Rows of the piece that bring one of them."""
LINES: Final = "SELECT line FROM piece WHERE verdict IS NULL"


def seen_in_piece(aliases: Sequence[str]) -> str:
    """Whether any row of the piece has a value under each of the aliases."""
    return f"SELECT {', '.join(f'coalesce(bool_or({seen_column(alias)}), false)' for alias in aliases)} FROM piece"


def rejected_rows(
    *, segment: str, file: str, row_before: int, email_column: str, fields: Sequence[Field], most: int
) -> str:
    """At most so many rejected rows, with the column that each is rejected for.

    Row 1 of the piece is `row_before` + 1.
    """
    columns = " ".join(f"WHEN {quoted(field.name)} THEN {_cell(field.column)}" for field in fields)
    return f"""
    SELECT {_cell(segment)} AS segment, {_cell(file)} AS file, {row_before} + row AS row, customer_id,
        CASE
            WHEN starts_with(verdict, 'row_') THEN NULL
            WHEN starts_with(verdict, 'email_') THEN {_cell(email_column)}
            {f"ELSE CASE split_part(verdict, ' ', 2) {columns} END" if fields else ""}
        END AS "column",
        split_part(verdict, ' ', 1) AS reason
    FROM piece
    WHERE verdict NOT IN ({quoted(BLANK)}, {quoted(END)})
    ORDER BY row
    LIMIT {most}
    """


def _cell(name: str) -> str:
    """A name as rejected.csv shows it, as an SQL literal."""
    return quoted(as_cell(name))


def offer_alternates(base: int) -> str:
    """Note whose columns offer alternate addresses; `base` rows of the plan are before the piece."""
    return f"INSERT INTO offers SELECT {base} + row, address, alternates FROM piece WHERE verdict IS NULL"


def choose_alternates(most: int) -> str:
    """Decide which alternate addresses each contact keeps: an address belongs to one contact only."""
    return f"""
    INSERT INTO alternate_emails
    WITH written AS (
        SELECT row, unnest(regexp_split_to_array(alternates, '[][",;\\s]+')) AS email FROM offers
    ),
    offered AS (
        SELECT row, lower_address(email) AS email FROM written
    ),
    kept AS (
        SELECT email, min(row) AS row FROM offered ANTI JOIN offers USING (email)
        WHERE is_address(email) GROUP BY email
    )
    SELECT row, to_json(list(email ORDER BY email)[:{most}])::VARCHAR FROM kept GROUP BY row
    """
