r"""The plan's SQL: two passes over each file, told from top to bottom.

`judge` reads only what can decide about a row: its e-mail address, and fields that may reject it. Every row gets
a verdict; none means that the row may be sent. Between the passes duplicates are found. `contacts` reads the
file again and writes the rows that are left as JSON, one contact a line.

Almost every value is plain: no blanks around it, no control characters, nothing to escape in JSON, not too long.
One cheap test for the whole row finds the others, and only they are taken apart.

Names and texts that come from outside are quoted by `quoted` and `identifier`; everything else is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.csv_records import BLANK
from shared.limits import EMAIL_MAX
from shared.plan_fields import Field, Kind
from shared.rejections import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTE: Final = "\x02"
"""Encloses, ahead of a contact's line, the names of the fields that were cut; never part of a value."""
INTERNATIONAL: Final = "international"
"""Interim verdict: the domain is not ASCII and is converted outside of the database."""
LETTERS: Final = "[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
LABEL: Final = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
LOCAL_PART: Final = rf"{LETTERS}(?:\.{LETTERS})*"
ADDRESS: Final = rf"{LOCAL_PART}@(?:{LABEL}\.)+[a-z](?:[a-z0-9-]*[a-z0-9])"
r"""An e-mail address in lower case: a dot-atom (RFC 5322, 3.2.3), and a domain of at least two labels of letters,
digits and inner hyphens (RFC 1123, 2.1) of which the last begins with a letter."""
PARTS_IN_BOUNDS: Final = r"[^@]{1,64}@(?:[^.]{1,63}\.)+[^.]{1,63}"
"""RFC 5321, 4.5.3.1 and RFC 1035, 2.3.4; nothing of an address of up to 64 characters can exceed them."""

MACROS: Final = rf"""
CREATE TEMP MACRO tidy(value) AS
    trim(regexp_replace(regexp_replace(value, '[\t\n\x0b\f\r\x{{85}}]+', ' ', 'g'), '\p{{Cc}}+', '', 'g'));

CREATE TEMP MACRO is_address(value) AS
    regexp_full_match(value, '{ADDRESS.replace("'", "''")}')
    AND (strlen(value) <= 64 OR strlen(value) <= {EMAIL_MAX} AND regexp_full_match(value, '{PARTS_IN_BOUNDS}'));

CREATE TEMP MACRO address_verdict(value) AS CASE
    WHEN value IS NULL OR value = '' THEN '{Rejected.EMAIL_MISSING}'
    WHEN length(value) > {EMAIL_MAX} THEN '{Rejected.EMAIL_TOO_LONG}'
    WHEN is_address(value) THEN NULL
    WHEN regexp_full_match(value, '{LOCAL_PART.replace("'", "''")}@[^@]*[^\x00-\x7f@][^@]*') THEN '{INTERNATIONAL}'
    ELSE '{Rejected.EMAIL_INVALID}'
END;

CREATE TEMP MACRO phone_of(value) AS
    regexp_extract(regexp_replace(tidy(value), '[ ().\x{{a0}}/-]', '', 'g'), '^\+[1-9][0-9]{{6,14}}$');

-- A JSON number without exponent.
CREATE TEMP MACRO number_of(value) AS CASE
    WHEN regexp_full_match(value, '-?(?:0|[1-9]\d{{0,17}})(?:\.\d{{1,12}})?') THEN value
    WHEN regexp_full_match(value, '[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{{1,3}})?')
        THEN rtrim(rtrim(try_cast(value AS DECIMAL(38, 12))::VARCHAR, '0'), '.')
END;

-- The day as it is written: a time zone would move birthdays.
CREATE TEMP MACRO day_of(value, slashed) AS CASE
    WHEN regexp_full_match(value, '[1-9]\d{{3}}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?'
            || '(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?')
        THEN try_strptime(left(value, 10), '%Y-%m-%d')
    WHEN regexp_full_match(value, '[1-9]\d{{3}}/\d\d?/\d\d?') THEN try_strptime(value, '%Y/%m/%d')
    WHEN regexp_full_match(value, '[12]\d{{7}}') THEN try_strptime(value, '%Y%m%d')
    WHEN regexp_full_match(value, '\d\d?\.\d\d?\.[1-9]\d{{3}}') THEN try_strptime(value, '%d.%m.%Y')
    WHEN regexp_full_match(value, '\d\d?/\d\d?/[1-9]\d{{3}}(?: [0-9:.]+(?: ?[AaPp][Mm])?)?')
        THEN try_strptime(split_part(value, ' ', 1), slashed)
END;
"""


def quoted(text: str) -> str:
    """`text` as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True, kw_only=True)
class Rows:
    """One file as the queries read it."""

    relation: str
    """What to read from."""
    values: dict[str, str]
    """Alias → expression: `email`, `customer_id`, alternate addresses, and every field."""
    mark: str
    """Begins the e-mail value of a row that stands for a malformed one."""
    base: int
    """Rows of all the files before this one."""
    slashed_date: str
    """Format of a date with slashes."""
    decimal_comma: bool = False
    most: int | None = None
    """Read no more rows than this."""


def verdicts(fields: Sequence[Field]) -> list[str]:
    """All verdicts there can be; those about a field end with its name."""
    about_fields = [f"{rejected} {field.name}" for field in fields for rejected in _may_reject(field)]
    return [BLANK, INTERNATIONAL, *Rejected, *about_fields]


def _may_reject(field: Field) -> Sequence[Rejected]:
    match field.kind:
        case Kind.TEXT:
            return (Rejected.VALUE_TOO_LONG,) if field.reject_over_long else ()
        case Kind.PHONE:
            return (Rejected.PHONE_INVALID,)
        case Kind.NUMBER:
            return (Rejected.NUMBER_INVALID,)
        case Kind.DATE:
            return (Rejected.DATE_INVALID,)


def create_tables(fields: Sequence[Field]) -> str:
    """What the passes leave for each other."""
    codes = ", ".join(quoted(verdict) for verdict in dict.fromkeys(verdicts(fields)))
    return f"""
    CREATE TYPE verdict AS ENUM ({codes});
    CREATE TEMP TABLE judged (row BIGINT, email VARCHAR, verdict verdict, customer_id VARCHAR, alternates VARCHAR);
    CREATE TEMP TABLE excluded (row BIGINT);
    CREATE TEMP TABLE international (row BIGINT, email VARCHAR);
    CREATE TEMP TABLE alternate_emails (row BIGINT, list VARCHAR);
    """


def judge(rows: Rows, fields: Sequence[Field], alternates: Sequence[str]) -> str:
    """Pass one: give every row of the file its verdict."""
    judging = [field for field in fields if field.can_reject]
    columns = ["email", "customer_id", *alternates, *(field.alias for field in judging)]
    unusable = "".join(
        f"\n            WHEN {_unusable(field, rows)} THEN {quoted(f'{_may_reject(field)[0]} {field.name}')}"
        for field in judging
    )
    offered = "NULL"
    if alternates:
        offered = (
            f"CASE WHEN verdict IS NULL OR verdict = {quoted(INTERNATIONAL)} "
            f"THEN concat_ws(',', {', '.join(alternates)}) END"
        )
    return f"""
    INSERT INTO judged
    WITH source AS (
        {_source(rows, columns)}
    ),
    addressed AS (
        SELECT *, CASE WHEN is_address(lower(trim(email))) THEN lower(trim(email)) END AS plain_address
        FROM source
    ),
    tidied AS (
        SELECT *, coalesce(plain_address, lower(tidy(email))) AS address
        FROM addressed
    ),
    verdicts AS (
        SELECT *, CASE
            WHEN plain_address IS NULL AND starts_with(email, {quoted(rows.mark)})
                THEN substr(email, {len(rows.mark) + 1})
            WHEN plain_address IS NULL AND address_verdict(address) <> {quoted(INTERNATIONAL)}
                THEN address_verdict(address){unusable}
            WHEN plain_address IS NULL THEN address_verdict(address)
        END AS verdict
        FROM tidied
    )
    SELECT
        {rows.base} + row,
        CASE WHEN verdict IS NULL OR verdict = {quoted(INTERNATIONAL)} THEN address END,
        verdict,
        CASE WHEN verdict IS NOT NULL THEN
            nullif(regexp_extract(trim(customer_id), '^[{{(]?[0-9A-Za-z][\\w.:-]{{0,99}}[)}}]?$'), '')
        END,
        {offered}
    FROM verdicts
    """


def _source(rows: Rows, aliases: Sequence[str]) -> str:
    chosen = ", ".join(f"{rows.values[alias]} AS {alias}" for alias in aliases if alias in rows.values)
    missing = "".join(f", NULL AS {alias}" for alias in aliases if alias not in rows.values)
    relation = rows.relation if rows.most is None else f"(FROM {rows.relation} LIMIT {rows.most})"
    return f"SELECT row_number() OVER () AS row, {chosen}{missing} FROM {relation}"


def _unusable(field: Field, rows: Rows) -> str:
    """Condition under which a value rejects its row."""
    if field.kind is Kind.TEXT:
        return f"length(tidy({field.alias})) > {field.limit}"
    return f"tidy({field.alias}) <> '' AND nullif({_member_value(field, rows)}, '') IS NULL"


def _member_value(field: Field, rows: Rows) -> str:
    """The value of a field that is no text, as it stands in the contact; NULL if it is none."""
    value = field.alias
    match field.kind:
        case Kind.PHONE:
            return f"nullif(phone_of({value}), '')"
        case Kind.NUMBER if rows.decimal_comma:
            return f"number_of(replace(replace(tidy({value}), '.', '?'), ',', '.'))"
        case Kind.NUMBER:
            return f"number_of(tidy({value}))"
        case Kind.DATE:
            return f"strftime(day_of(tidy({value}), {quoted(rows.slashed_date)}), '%m/%d/%Y')"
        case Kind.TEXT:
            raise ValueError(field.name)


def rejected_rows(
    *, segment: str, file: str, base: int, first_row: int, email_column: str, fields: Sequence[Field]
) -> str:
    """The rejected rows of one file, with the column that each is rejected for."""
    columns = " ".join(f"WHEN {quoted(field.name)} THEN {quoted(field.column)}" for field in fields)
    return f"""
    SELECT
        {quoted(segment)} AS segment,
        {quoted(file)} AS file,
        row - {base} + {first_row - 1} AS row,
        customer_id,
        CASE
            WHEN starts_with(verdict, 'row_') THEN NULL
            WHEN starts_with(verdict, 'email_') THEN {quoted(email_column)}
            {f"ELSE CASE split_part(verdict, ' ', 2) {columns} END" if fields else ""}
        END AS "column",
        split_part(verdict, ' ', 1) AS reason
    FROM judged
    WHERE row > {base} AND verdict <> {quoted(BLANK)}
    ORDER BY row
    """


def find_duplicates(part: int, parts: int) -> str:
    """Exclude every row whose address an earlier row has; for one of several parts of all the addresses."""
    among = f"email IS NOT NULL AND hash(email) % {parts} = {part}" if parts > 1 else "email IS NOT NULL"
    return f"""
    INSERT INTO excluded
    WITH repeated AS (
        SELECT email, min(row) AS first FROM judged WHERE {among} GROUP BY email HAVING count(*) > 1
    )
    SELECT row FROM judged JOIN repeated USING (email) WHERE row > first
    """


EXCLUDE_REJECTED: Final = "INSERT INTO excluded SELECT row FROM judged WHERE verdict IS NOT NULL"


def choose_alternates(most: int) -> str:
    """Decide which alternate addresses each contact keeps: an address belongs to one contact only."""
    return f"""
    INSERT INTO alternate_emails
    WITH sent AS (
        SELECT * FROM judged ANTI JOIN excluded USING (row)
    ),
    offered AS (
        SELECT row, unnest(regexp_split_to_array(lower(alternates), '[][",;\\s]+')) AS email FROM sent
    ),
    kept AS (
        SELECT email, min(row) AS row FROM offered ANTI JOIN sent USING (email)
        WHERE is_address(email)
        GROUP BY email
    )
    SELECT row, to_json(list(email ORDER BY email)[:{most}])::VARCHAR FROM kept GROUP BY row
    """


def contacts(rows: Rows, fields: Sequence[Field], *, international: bool, alternates: bool, odd: bool) -> str:
    """Pass two: one line of JSON for every row that is left.

    Args:
        rows: the file.
        fields: what is mapped beside e-mail addresses.
        international: whether the file has addresses with a converted domain.
        alternates: whether alternate addresses are mapped.
        odd: whether the file may hold blanks and control characters beyond ASCII.
    """
    texts = [field for field in fields if field.kind is Kind.TEXT]
    columns = ["email", *(field.alias for field in fields)]
    converted = "international.email" if international else "NULL"
    listed = "alternate_emails.list" if alternates else "NULL"
    return f"""
    WITH source AS (
        {_source(rows, columns)}
    ),
    winners AS (
        SELECT source.* REPLACE (coalesce({converted}, source.email) AS email), {listed} AS alternates
        FROM source
        ANTI JOIN (SELECT row - {rows.base} AS row FROM excluded WHERE row > {rows.base}) USING (row)
        {f"LEFT JOIN international ON international.row = {rows.base} + source.row" if international else ""}
        {f"LEFT JOIN alternate_emails ON alternate_emails.row = {rows.base} + source.row" if alternates else ""}
    ),
    probed AS (
        SELECT *, concat(email, '~', {", '~', ".join([*(field.alias for field in texts), "''"])}) AS probe
        FROM winners
    ),
    sorted_out AS (
        SELECT *, {_is_plain(texts, odd=odd)} AS plain
        FROM probed
    )
    SELECT CASE
        WHEN plain THEN {_plain_line(fields, rows)}
        ELSE {_careful_line(fields, rows)}
    END
    FROM sorted_out
    """


def _is_plain(texts: Sequence[Field], *, odd: bool) -> str:
    """Condition under which no text of a row needs to be touched."""
    conditions = [
        "strlen(to_json(probe)::VARCHAR) = strlen(probe) + 2",  # nothing escaped: no quotes, no control characters
        "NOT contains(probe, ' ~')",
        "NOT contains(probe, '~ ')",
    ]
    if texts:
        excess = ", ".join(f"strlen({field.alias}) - {field.limit}" for field in texts)
        conditions.append(f"coalesce(greatest({excess}, 0), 0) = 0")
    if odd:
        conditions.append(
            r"NOT regexp_matches(probe, '[\x7f-\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]')"
        )
    return " AND ".join(conditions)


def _plain_line(fields: Sequence[Field], rows: Rows) -> str:
    """A contact all of whose texts go into JSON as they are."""
    pieces = ["""'{"email":"'""", "lower(trim(email))"]
    for field in fields:
        if field.kind is Kind.TEXT and not field.custom:
            pieces += [f"""if({field.alias} IS NULL, '', '","{field.key}":"')""", field.alias]
    pieces += ["""'"'""", *_other_members(fields, rows)]
    members = [
        f"""',"{field.key}":"' || {field.alias} || '"'""" if field.kind is Kind.TEXT else _member(field, rows)
        for field in fields
        if field.custom
    ]
    return f"concat({', '.join([*pieces, *_custom_fields(members)])}, '}}')"


def _careful_line(fields: Sequence[Field], rows: Rows) -> str:
    """A contact whose texts are tidied, cut and escaped, behind a note of what was cut."""
    texts = [field for field in fields if field.kind is Kind.TEXT]
    cut = [
        f"CASE WHEN length(tidy({field.alias})) > {field.limit} THEN {quoted(field.name)} END" for field in texts
    ]
    note = f"""'{NOTE}' || nullif(concat_ws(' ', {", ".join(cut)}), '') || '{NOTE}'""" if cut else "NULL"
    pieces = [note, """'{"email":"'""", "lower(tidy(email))", """'"'"""]
    pieces += [_careful_member(field) for field in texts if not field.custom]
    pieces += _other_members(fields, rows)
    members = [
        _careful_member(field) if field.kind is Kind.TEXT else _member(field, rows)
        for field in fields
        if field.custom
    ]
    return f"concat({', '.join([*pieces, *_custom_fields(members)])}, '}}')"


def _careful_member(field: Field) -> str:
    tidied = f"trim(left(tidy({field.alias}), {field.limit}))"
    return f"""',"{field.key}":' || to_json(nullif({tidied}, ''))"""


def _other_members(fields: Sequence[Field], rows: Rows) -> list[str]:
    """Reserved members that are no text, and alternate addresses."""
    members = [_member(field, rows) for field in fields if field.kind is not Kind.TEXT and not field.custom]
    return [*members, """',"alternate_emails":' || alternates"""]


def _member(field: Field, rows: Rows) -> str:
    mark = "" if field.kind is Kind.NUMBER else '"'
    return f"""',"{field.key}":{mark}' || {_member_value(field, rows)} || '{mark}'"""


def _custom_fields(members: Sequence[str]) -> list[str]:
    """The member `custom_fields`, left out when it would be empty."""
    if not members:
        return []
    return [f"""',"custom_fields":{{' || substr(nullif(concat({", ".join(members)}), ''), 2) || '}}'"""]
