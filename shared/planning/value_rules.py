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
from shared.model.rejections import Rejected

INTERNATIONAL: Final = "international"
"""Interim verdict: the domain of the address is not ASCII and is to be converted outside of the database."""
LETTERS: Final = "[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
LABEL: Final = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
LOCAL_PART: Final = rf"{LETTERS}(?:\.{LETTERS})*"
ADDRESS: Final = rf"{LOCAL_PART}@(?:{LABEL}\.)+[a-z](?:[a-z0-9-]*[a-z0-9])"
LONG_PART: Final = r"^[^@]{65}|[a-z0-9-]{64}(?:[a-z0-9.-]*)$"
"""What an address of more than 64 characters must not have: a local part or a label that is too long."""


def quoted(text: str) -> str:
    """`text` as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


MACROS: Final = rf"""
CREATE TEMP MACRO tidy(value) AS trim(CASE
    WHEN regexp_matches(value, '[\x00-\x1f\x7f-\x{{9f}}]')
        THEN regexp_replace(
            regexp_replace(value, '[\t\n\v\f\r\x{{85}}]', ' ', 'g'), '[\x00-\x1f\x7f-\x{{9f}}]', '', 'g'
        )
    ELSE value
END);

-- What precedes the @ is left alone beyond ASCII, where small letters may be somebody else's.
CREATE TEMP MACRO lower_address(value) AS CASE
    WHEN strlen(split_part(value, '@', 1)) = length(split_part(value, '@', 1)) THEN lower(value)
    ELSE value
END;

-- CASE where AND would do: it leaves out what need not be looked at.
CREATE TEMP MACRO is_address(value) AS CASE
    WHEN strlen(value) <= 64 THEN regexp_full_match(value, {quoted(ADDRESS)})
    WHEN strlen(value) <= {EMAIL_MAX} AND NOT regexp_matches(value, {quoted(LONG_PART)})
        THEN regexp_full_match(value, {quoted(ADDRESS)})
    ELSE false
END;

CREATE TEMP MACRO address_verdict(value) AS CASE
    WHEN value IS NULL OR value = '' THEN '{Rejected.EMAIL_MISSING}'
    WHEN length(value) > {EMAIL_MAX} THEN '{Rejected.EMAIL_TOO_LONG}'
    WHEN is_address(value) THEN NULL
    WHEN strlen(value) > length(value)
        AND regexp_full_match(split_part(value, '@', 1), {quoted(LOCAL_PART)})
        AND NOT contains(split_part(value, '@', 2), '@') THEN '{INTERNATIONAL}'
    ELSE '{Rejected.EMAIL_INVALID}'
END;

CREATE TEMP MACRO phone_of(value) AS
    nullif(regexp_extract(translate(value, ' ().-/' || chr(160), ''), '^\+[1-9][0-9]{{6,14}}$'), '');

-- A JSON number without exponent.
CREATE TEMP MACRO number_of(value) AS CASE
    WHEN regexp_full_match(value, '-?(?:0|[1-9]\d{{0,17}})(?:\.\d{{1,12}})?') THEN value
    WHEN regexp_full_match(value, '[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{{1,3}})?')
        THEN rtrim(rtrim(try_cast(value AS DECIMAL(38, 12))::VARCHAR, '0'), '.')
END;

-- The day as it is written: a time zone would move birthdays.
CREATE TEMP MACRO day_of(value, slashed) AS strftime(CASE
    WHEN regexp_full_match(value, '[1-9]\d{{3}}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?'
            || '(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?')
        THEN try_strptime(left(value, 10), '%Y-%m-%d')
    WHEN regexp_full_match(value, '[1-9]\d{{3}}/\d\d?/\d\d?') THEN try_strptime(value, '%Y/%m/%d')
    WHEN regexp_full_match(value, '[12]\d{{7}}') THEN try_strptime(value, '%Y%m%d')
    WHEN regexp_full_match(value, '\d\d?\.\d\d?\.[1-9]\d{{3}}') THEN try_strptime(value, '%d.%m.%Y')
    WHEN regexp_full_match(value, '\d\d?/\d\d?/[1-9]\d{{3}}(?: [0-9:.]+(?: ?[AaPp][Mm])?)?')
        THEN try_strptime(split_part(value, ' ', 1), slashed)
END, '%m/%d/%Y');
"""
