"""The plan's SQL: what becomes of the rows of a piece of text, told from top to bottom.

`read_piece` turns a piece into the table `piece`, which has for every row the contact as a line of JSON, the key
of its address, and perhaps a verdict: the reason why the row is not sent. What is asked of the table then is
in `piece_queries.py`.

Almost every value is plain: no blanks around it, no control characters, nothing to escape in JSON, not too long.
A few cheap tests for the whole row find the others, and only they are taken apart.

Names and texts that come from outside are quoted by `quoted` and by `Field.alias`; everything else is ours.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.model.rejections import Rejected
from shared.planning.fields import Field, Kind
from shared.planning.value_rules import INTERNATIONAL, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

UNUSABLE_MARK: Final = "?"
"""No name of a field begins with it."""
CONTACT_BEGINS: Final = '{"email":"'
CUSTOMER_ID_FORM: Final = r"^[{(]?[0-9A-Za-z][\w.:-]{0,99}[)}]?$"
"""An id as rejected.csv shows it: no address, and nothing that a spreadsheet takes for a formula."""
BEYOND_ASCII: Final = "CASE WHEN verdict IS NULL THEN NULL WHEN strlen(address) > length(address) THEN address END"
"""Addresses of rows that are not sent as they are, of which some must be converted."""
ODD_CHARACTERS: Final = r"[\x7f-\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]"
"""Blanks and control characters beyond ASCII."""


_BARE_EMAIL: Final = "CASE WHEN strlen(email) = length(email) THEN tidy(email) ELSE bare(tidy(email)) END"
"""The address without what stands around it; blanks beyond ASCII are looked for only where something is."""


@dataclass(frozen=True, kw_only=True)
class PieceQuery:
    """A piece of text as the queries read it."""

    relation: str
    """What to read from."""
    values: dict[str, str]
    """Alias → expression: `email`, `customer_id`, alternate addresses, and every field."""
    token: str
    """Begins the e-mail value of a row that is none, and says what it is."""
    base: int
    """Rows of the plan before these."""
    slashed_date: str
    """Format of a date with slashes."""
    decimal_comma: bool = False
    has_unicode_space: bool = False
    """Whether the text may hold blanks and control characters beyond ASCII."""
    watched: Sequence[str] = ()
    """Aliases of which nobody knows yet whether any row has a value."""


TABLES: Final = """
-- Addresses that have a contact, as hashes.
CREATE TABLE seen (key UBIGINT);
-- Addresses of rows that are rejected for a value: whoever is in them has not left.
CREATE TABLE present (key UBIGINT);
-- Rows that may be sent, with what is in their columns of alternate addresses.
CREATE TABLE offers (row BIGINT, email VARCHAR, alternates VARCHAR);
-- The alternate addresses of a row's contact, as a list in JSON.
CREATE TABLE alternate_emails (row BIGINT, list VARCHAR);
"""


def read_piece(
    rows: PieceQuery, fields: Sequence[Field], alternates: Sequence[str], *, every_id: bool = False
) -> str:
    """Make the table `piece`: one row for each of the text's rows, in their order.

    With `every_id` it has the customer's id of every row, and else of those that are not sent.
    """
    return f"""
    CREATE TEMP TABLE piece AS
    WITH source AS ({_source(rows, fields, alternates)}),
    with_email AS ({_with_email(rows, alternates)}),
    classified AS ({_classified(rows, fields)}),
    normalised AS ({_normalised(rows)}),
    judged AS ({_judged(rows, fields, alternates)})
    {_told(rows, fields, alternates, every_id=every_id)}
    """


def _source(rows: PieceQuery, fields: Sequence[Field], alternates: Sequence[str]) -> str:
    """The text's rows, numbered from 1, with the values that are needed."""
    columns = ", ".join(
        f"{rows.values.get(alias, 'NULL::VARCHAR')} AS {alias}"
        for alias in ["email", "customer_id", *alternates, *(field.alias for field in fields)]
    )
    return f"""
        SELECT row_number() OVER () AS row, {columns} FROM {rows.relation}
    """


def _with_email(rows: PieceQuery, alternates: Sequence[str]) -> str:
    """The address in small letters, and the alternate addresses that were chosen for it."""
    chosen = f"LEFT JOIN alternate_emails ON alternate_emails.row = {rows.base} + source.row"
    return f"""
        SELECT source.*, lower(email) AS lowered{", list" if alternates else ""}
        FROM source {chosen if alternates else ""}
    """


def _classified(rows: PieceQuery, fields: Sequence[Field]) -> str:
    """What is cheap to know of a row as a whole, and the values that are no text."""
    texts = _texts(fields)
    values = "".join(
        f", {_value(field, rows)} AS {_value_of(field)}" for field in fields if field.kind is not Kind.TEXT
    )
    return f"""
        SELECT *, strlen(email) = length(email) AND is_address(lowered) AS addressable,
            {_fit(texts)} AS within_limits, {_probe(texts)} AS joined_text{values}
        FROM with_email
    """


def _normalised(rows: PieceQuery) -> str:
    """The address as it is sent, and whether all texts go into JSON as they are."""
    return f"""
        SELECT *,
            CASE WHEN addressable THEN lowered ELSE lower_address({_BARE_EMAIL}) END AS address,
            within_limits AND {_is_plain(has_unicode_space=rows.has_unicode_space)} AS needs_no_escaping
        FROM classified
    """


def _judged(rows: PieceQuery, fields: Sequence[Field], alternates: Sequence[str]) -> str:
    """The verdict: why the row is not sent; NULL if it may be."""
    return f"""
        SELECT *, {_plain_line(fields, alternates)} AS plain_line, CASE
            WHEN addressable THEN {_about_fields(fields)}
            WHEN starts_with(email, {quoted(rows.token)}) THEN substr(email, {len(rows.token) + 1})
            ELSE coalesce(nullif(address_verdict(address), {quoted(INTERNATIONAL)}), {_about_fields(fields)},
                address_verdict(address))
        END AS verdict
        FROM normalised
    """


def _told(rows: PieceQuery, fields: Sequence[Field], alternates: Sequence[str], *, every_id: bool) -> str:
    """What the table `piece` has of a row."""
    watched = "".join(f"{alias} IS NOT NULL AS {seen_column(alias)}, " for alias in rows.watched)
    return f"""SELECT
        {watched}row,
        verdict,
        key_of(address) AS key,
        CASE WHEN needs_no_escaping THEN plain_line ELSE {_careful_line(fields, alternates)} END AS line,
        {_notes(fields)} AS notes,
        CASE WHEN {"true" if every_id else "verdict IS NOT NULL"}
            THEN nullif(regexp_extract(trim(customer_id), {quoted(CUSTOMER_ID_FORM)}), '') END AS customer_id,
        {"address" if alternates else BEYOND_ASCII} AS address
        {f", concat_ws(',', {', '.join(alternates)}) AS alternates" if alternates else ""}
    FROM judged
    {"ORDER BY row" if alternates else ""}"""


def _texts(fields: Sequence[Field]) -> list[Field]:
    return [field for field in fields if field.kind is Kind.TEXT]


# --- values -------------------------------------------------------------------------------------------------


def _value(field: Field, rows: PieceQuery) -> str:
    """The value of a field that is no text, as it stands in the contact; NULL if it is none."""
    value = f"tidy({field.alias})"
    match field.kind:
        case Kind.PHONE:
            return f"phone_of({value})"
        case Kind.NUMBER if rows.decimal_comma:
            return f"number_of(replace(replace({value}, '.', '?'), ',', '.'))"
        case Kind.NUMBER:
            return f"number_of({value})"
        case _:
            return f"day_of({value}, {quoted(rows.slashed_date)})"


def _value_of(field: Field) -> str:
    """Name of that value."""
    return f'"value {field.number}"'


def _about_fields(fields: Sequence[Field]) -> str:
    """The verdict on a row with a good address; it names the field that rejects it."""
    reasons = {
        Kind.TEXT: Rejected.VALUE_TOO_LONG,
        Kind.PHONE: Rejected.PHONE_INVALID,
        Kind.NUMBER: Rejected.NUMBER_INVALID,
        Kind.DATE: Rejected.DATE_INVALID,
    }
    cases = [
        f"WHEN {_is_unusable(field)} THEN {quoted(f'{reasons[field.kind]} {field.name}')}"
        for field in fields
        if field.can_reject
    ]
    return f"CASE {' '.join(cases)} END" if cases else "NULL"


def _is_unusable(field: Field) -> str:
    """Condition under which a value rejects its row."""
    if field.kind is Kind.TEXT:
        return _is_over_long(field)
    empty = f"is_no_day(tidy({field.alias}))" if field.kind is Kind.DATE else f"tidy({field.alias}) = ''"
    return f"{_value_of(field)} IS NULL AND {field.alias} <> '' AND NOT {empty}"


def _is_over_long(field: Field) -> str:
    """Condition; most values are not even over-long as bytes, and are left alone."""
    return f"CASE WHEN strlen({field.alias}) > {field.limit} THEN length(tidy({field.alias})) > {field.limit} END"


def _fit(texts: Sequence[Field]) -> str:
    """Condition under which no text has more bytes than it may have characters."""
    return " AND ".join(f"strlen(coalesce({field.alias}, '')) <= {field.limit}" for field in texts) or "true"


def _probe(texts: Sequence[Field]) -> str:
    """All texts in one, a blank before and behind each."""
    return f"concat_ws(' ', '', {', '.join(field.alias for field in texts)}, '')" if texts else "''"


def _is_plain(*, has_unicode_space: bool) -> str:
    """Condition under which a row's texts, if they fit, go into JSON as they are."""
    conditions = [
        # nothing escaped: no quotes, no control characters
        "strlen(to_json(joined_text)::VARCHAR) = strlen(joined_text) + 2",
        "NOT contains(joined_text, '  ')",  # no text begins or ends with a blank
    ]
    if has_unicode_space:
        conditions.append(f"NOT regexp_matches(joined_text, {quoted(ODD_CHARACTERS)})")
    return " AND ".join(conditions)


def _notes(fields: Sequence[Field]) -> str:
    """Names of the fields whose values are cut, and, behind UNUSABLE_MARK, of those whose values are left out."""
    texts = [field for field in _texts(fields) if not field.can_reject]
    others = [field for field in fields if field.kind is not Kind.TEXT and not field.can_reject]
    names = [f"CASE WHEN {_is_over_long(field)} THEN {quoted(field.name)} END" for field in texts]
    names += [f"CASE WHEN {_is_unusable(field)} THEN {quoted(UNUSABLE_MARK + field.name)} END" for field in others]
    if not names:
        return "NULL::VARCHAR"
    suspicious = ["NOT within_limits", *(f"{_value_of(field)} IS NULL" for field in others)]
    return f"CASE WHEN {' OR '.join(suspicious)} THEN nullif(concat_ws(' ', {', '.join(names)}), '') END"


# --- contacts -----------------------------------------------------------------------------------------------


def _plain_line(fields: Sequence[Field], alternates: Sequence[str]) -> str:
    """A contact all of whose texts go into JSON as they are."""
    pieces = [quoted(CONTACT_BEGINS), "address"]
    for field in fields:
        if field.kind is Kind.TEXT and not field.custom:
            begins = quoted('"' + _begins(field, '"'))
            pieces += [f"if({field.alias} IS NULL, '', {begins})", field.alias]
    custom = [
        _member(field, field.alias if field.kind is Kind.TEXT else _value_of(field))
        for field in fields
        if field.custom
    ]
    return _concat([*pieces, """'"'""", *_other_members(fields, alternates), *_custom_fields(custom)])


def _careful_line(fields: Sequence[Field], alternates: Sequence[str]) -> str:
    """A contact whose texts are cut and escaped."""
    reserved = [_careful_member(field) for field in fields if field.kind is Kind.TEXT and not field.custom]
    custom = [
        _careful_member(field) if field.kind is Kind.TEXT else _member(field, _value_of(field))
        for field in fields
        if field.custom
    ]
    email = [quoted(CONTACT_BEGINS), "address", """'"'"""]
    return _concat([*email, *reserved, *_other_members(fields, alternates), *_custom_fields(custom)])


def _concat(pieces: Sequence[str]) -> str:
    """A JSON object of these pieces; those that are NULL are left out."""
    return f"concat({', '.join(pieces)}, '}}')"


def _careful_member(field: Field) -> str:
    value = f"to_json(nullif(rtrim(left(tidy({field.alias}), {field.limit})), ''))"
    return f"{quoted(_begins(field))} || {value}"


def _other_members(fields: Sequence[Field], alternates: Sequence[str]) -> list[str]:
    """Reserved members that are no text, and alternate addresses."""
    others = [field for field in fields if field.kind is not Kind.TEXT and not field.custom]
    members = [_member(field, _value_of(field)) for field in others]
    return [*members, """',"alternate_emails":' || list"""] if alternates else members


def _member(field: Field, value: str) -> str:
    """A member of JSON; NULL if the value is."""
    mark = "" if field.kind is Kind.NUMBER else '"'
    return f"{quoted(_begins(field, mark))} || {value} || '{mark}'"


def _begins(field: Field, mark: str = "") -> str:
    """What precedes a value: a comma, and the field's key as JSON writes it."""
    return f",{json.dumps(field.key)}:{mark}"


def _custom_fields(members: Sequence[str]) -> list[str]:
    """The member `custom_fields`, left out when it would be empty."""
    if not members:
        return []
    return [f"""',"custom_fields":{{' || substr(nullif(concat({", ".join(members)}), ''), 2) || '}}'"""]


def seen_column(alias: str) -> str:
    """Name of the column that says whether a row has a value."""
    return '"seen ' + alias.replace('"', "") + '"'
