"""Why a row was not sent. The codes stand in rejected.csv and in the counts of a run."""

from __future__ import annotations

import re
from typing import Final

from shared.model.codes import ExplainedCode

REJECTED_COLUMNS: Final = ("segment", "file", "row", "customer_id", "column", "reason")
"""Of rejected.csv."""
FORMULA: Final = r"^(?:[\t\r\n\x00]|[\x00-\x20\xa0]*[=+@\x{ff1d}\x{ff0b}\x{ff20}\x{ff0d}-])"
"""How a value begins that a spreadsheet may run, as RE2 writes it: blanks, then a sign or its full-width form.

https://owasp.org/www-community/attacks/CSV_Injection
"""
_FORMULA: Final = re.compile(re.sub(r"\\x\{(....)\}", r"\\u\1", FORMULA))


def as_cell(value: str) -> str:
    """`value` as a cell that no spreadsheet runs: a formula gets an apostrophe in front."""
    return f"'{value}" if _FORMULA.match(value) else value


class Rejected(ExplainedCode):
    """Reason of a rejection, with a phrase that says what to do about it."""

    ROW_MALFORMED = (
        "row_malformed",
        "The row has too many or too few values, or a quotation mark is not closed.",
        "Have the file written as CSV writes it, or declare source.quoting, escape or delimiter.",
    )
    ROW_UNDECODABLE = (
        "row_undecodable",
        "The row has bytes that are not valid in the file's encoding.",
        "Have the file written in its encoding, or declare source.encoding.",
    )
    ROW_TOO_LONG = (
        "row_too_long",
        "The row is longer than a megabyte.",
        "Look at the file there: a quotation mark may be missing.",
    )
    EMAIL_MISSING = (
        "email_missing",
        "The row has no e-mail address.",
        "Nothing, or have the source deliver the address; check which column the mapping's email names.",
    )
    EMAIL_INVALID = (
        "email_invalid",
        "The e-mail address is not valid.",
        "Correct the address in the source.",
    )
    EMAIL_TOO_LONG = (
        "email_too_long",
        "The e-mail address is longer than 254 characters.",
        "Correct the address in the source.",
    )
    VALUE_TOO_LONG = (
        "value_too_long",
        "A value is longer than SendGrid takes, and it must not be cut.",
        "Shorten it in the source, or let the mapping's over_long cut it.",
    )
    PHONE_INVALID = (
        "phone_invalid",
        "The phone number is not in international form, such as +46701234567.",
        "Write it in international form in the source.",
    )
    NUMBER_INVALID = (
        "number_invalid",
        "A value for a number field is not a number.",
        "Correct it in the source, or let the mapping's unusable drop it.",
    )
    DATE_INVALID = (
        "date_invalid",
        "A value for a date field is not a date, or day and month may be confused.",
        "Write it as 2026-01-31 in the source, or declare source.date_order.",
    )
    REFUSED_BY_SENDGRID = (
        "refused_by_sendgrid",
        "SendGrid refused the contact when it was sent.",
        "Look at the contact: SendGrid does not take its address or one of its values.",
    )
    SENDGRID_IMPORT_ERROR = (
        "sendgrid_import_error",
        "SendGrid took the contact in and failed it in its import job.",
        "Look at the contact: SendGrid does not take one of its values.",
    )
