r"""What a value must look like, as SQL macros and, for addresses, as regular expressions.

E-mail: trimmed and in lower case; a dot-atom (RFC 5322, 3.2.3) of at most 64 characters, `@`, and a domain of
at least two labels of letters, digits and inner hyphens (RFC 1123, 2.1), 63 characters each, of which the last
has two characters at least and begins with a letter; 254 characters in all (RFC 5321, 4.5.3.1). A domain beyond
ASCII is converted first; a local part beyond ASCII is not valid. SendGrid does not publish its own rule; this one
lets nothing through that it could refuse.

Texts: line breaks and tabs become blanks, other control characters go, blanks around the value go.

Dates go to SendGrid as MM/DD/YYYY, the form of its own documentation and of Segment's connector:
https://www.twilio.com/docs/sendgrid/ui/managing-contacts/custom-fields
https://github.com/segmentio/action-destinations/tree/main/packages/destination-actions/src/destinations/sendgrid
"""

from __future__ import annotations

from typing import Final

from shared.limits import EMAIL_MAX
from shared.model.rejections import FORMULA, Rejected

INTERNATIONAL: Final = "international"
"""Interim verdict: the domain of the address is not ASCII and is to be converted outside of the database."""
LETTERS: Final = "[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
LABEL: Final = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
LOCAL_PART: Final = rf"{LETTERS}(?:\.{LETTERS})*"
ADDRESS: Final = rf"{LOCAL_PART}@(?:{LABEL}\.)+[a-z](?:[a-z0-9-]*[a-z0-9])"
LONG_PART: Final = r"^[^@]{65}|[a-z0-9-]{64}(?:[a-z0-9.-]*)$"
"""What an address of more than 64 characters must not have: a local part or a label that is too long."""


TIME_OF_DAY: Final = (
    r"(?:(?:[T,]| ,?| *, *) ?\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?[AaPp]\.?[Mm]\.?)?"
    r"(?: ?(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?))?(?:\[[\w/+-]+\])?)?"
)
"""What may follow a day."""
BLANKS: Final = "".join(
    map(chr, (0x20, 0xA0, 0xAD, 0x1680, 0x180E, *range(0x2000, 0x2010), *range(0x2028, 0x2030), 0x205F))
) + "".join(map(chr, (*range(0x2060, 0x2065), 0x3000, 0xFEFF)))
"""Blanks and characters without width, as they stand around addresses that were copied from pages."""


def quoted(text: str) -> str:
    """`text` as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """`name` as a name in SQL."""
    return '"' + name.replace('"', '""') + '"'


MACROS: Final = rf"""
CREATE MACRO tidy(value) AS trim(CASE
    WHEN regexp_matches(value, '[\x00-\x1f\x7f-\x{{9f}}]')
        THEN regexp_replace(
            regexp_replace(value, '[\t\n\v\f\r\x{{85}}]', ' ', 'g'), '[\x00-\x1f\x7f-\x{{9f}}]', '', 'g'
        )
    ELSE value
END);

-- DuckDB's hash takes a text eight bytes at a time and mixes the last ones of each eight hardly at all: among a
-- million addresses that are numbered twice, dozens share one. Moved by four bytes, those are well mixed.
CREATE MACRO fingerprint(value) AS xor(hash(value), hash('....' || value));

-- Blanks of any kind around an address are no part of it.
CREATE MACRO bare(value) AS trim(value, {quoted(BLANKS)});

-- What precedes the @ is left alone beyond ASCII, where small letters may be somebody else's.
CREATE MACRO lower_address(value) AS CASE
    WHEN strlen(split_part(value, '@', 1)) = length(split_part(value, '@', 1)) THEN lower(value)
    ELSE value
END;

-- CASE where AND would do: it leaves out what need not be looked at.
CREATE MACRO is_address(value) AS CASE
    WHEN strlen(value) <= 64 THEN regexp_full_match(value, {quoted(ADDRESS)})
    WHEN strlen(value) <= {EMAIL_MAX} AND NOT regexp_matches(value, {quoted(LONG_PART)})
        THEN regexp_full_match(value, {quoted(ADDRESS)})
    ELSE false
END;

CREATE MACRO address_verdict(value) AS CASE
    WHEN value IS NULL OR value = '' THEN '{Rejected.EMAIL_MISSING}'
    WHEN length(value) > {EMAIL_MAX} THEN '{Rejected.EMAIL_TOO_LONG}'
    WHEN is_address(value) THEN NULL
    WHEN strlen(value) > length(value)
        AND regexp_full_match(split_part(value, '@', 1), {quoted(LOCAL_PART)})
        AND NOT contains(split_part(value, '@', 2), '@') THEN '{INTERNATIONAL}'
    ELSE '{Rejected.EMAIL_INVALID}'
END;

CREATE MACRO as_cell(value) AS CASE
    WHEN regexp_matches(value, {quoted(FORMULA)}) THEN concat('''', value)
    ELSE value
END;

CREATE MACRO phone_of(value) AS
    nullif(regexp_extract(translate(value, ' ().-/' || chr(160), ''), '^\+[1-9][0-9]{{6,14}}$'), '');

-- A JSON number without exponent.
CREATE MACRO number_of(value) AS CASE
    WHEN regexp_full_match(value, '-?(?:0|[1-9]\d{{0,17}})(?:\.\d{{1,12}})?') THEN value
    WHEN regexp_full_match(value, '[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{{1,3}})?')
        THEN rtrim(rtrim(try_cast(value AS DECIMAL(38, 12))::VARCHAR, '0'), '.')
END;

-- Of SAP and MySQL.
CREATE MACRO is_no_day(value) AS
    value = ''
    OR regexp_full_match(value, '0{{8}}|0{{14}}|0{{4}}-00-00(?:[T ]00:00:00(?:\.0+)?Z?)?|00[./]00[./]0000');

-- Day and month with slashes, where both orders may be meant: only if one of them is a day at all.
CREATE MACRO either_day(value) AS CASE
    WHEN try_strptime(value, '%d/%m/%Y') IS NULL THEN try_strptime(value, '%m/%d/%Y')
    WHEN coalesce(try_strptime(value, '%m/%d/%Y'), try_strptime(value, '%d/%m/%Y'))
        = try_strptime(value, '%d/%m/%Y') THEN try_strptime(value, '%d/%m/%Y')
END;

-- The day as it is written: a time zone would move birthdays.
CREATE MACRO day_of(value, slashed) AS strftime(CASE
    WHEN strlen(value) = 10 AND regexp_full_match(value, '[1-9]\d{{3}}-\d\d-\d\d')
        THEN try_strptime(value, '%Y-%m-%d')
    WHEN regexp_full_match(value, '[1-9]\d{{3}}-\d\d?-\d\d?{TIME_OF_DAY}')
        THEN try_strptime(regexp_extract(value, '^[0-9]+-[0-9]+-[0-9]+'), '%Y-%m-%d')
    WHEN regexp_full_match(value, '[1-9]\d{{3}}/\d\d?/\d\d?{TIME_OF_DAY}')
        THEN try_strptime(regexp_extract(value, '^[0-9/]+'), '%Y/%m/%d')
    WHEN regexp_full_match(value, '[12]\d{{7}}(?:T\d{{4}}(?:\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?')
        THEN try_strptime(left(value, 8), '%Y%m%d')
    WHEN regexp_full_match(value, '\d\d?\.\d\d?\.[1-9]\d{{3}}{TIME_OF_DAY}')
        THEN try_strptime(regexp_extract(value, '^[0-9.]+'), '%d.%m.%Y')
    WHEN regexp_full_match(value, '\d\d?[/-]\d\d?[/-][1-9]\d{{3}}{TIME_OF_DAY}')
        THEN CASE WHEN slashed = '-' THEN either_day(translate(regexp_extract(value, '^[0-9/-]+'), '-', '/'))
            ELSE try_strptime(translate(regexp_extract(value, '^[0-9/-]+'), '-', '/'), slashed) END
    WHEN regexp_full_match(value, '(?:\d\d?[- ]?[A-Za-z]{{3,9}}\.?[-, ]{{0,2}}|[A-Za-z]{{3,9}}\.? \d\d?,? )'
            || '[1-9]\d{{3}}{TIME_OF_DAY}|[1-9]\d{{3}}[- ][A-Za-z]{{3,9}}[- ]\d\d?{TIME_OF_DAY}')
        THEN try_strptime(
            regexp_replace(regexp_replace(value, '{TIME_OF_DAY}$', ''), '[-., ]+', ' ', 'g'),
            ['%d %b %Y', '%d %B %Y', '%b %d %Y', '%B %d %Y', '%Y %b %d', '%d%b%Y'])
END, '%m/%d/%Y');
"""
