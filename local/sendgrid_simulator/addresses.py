"""The simulator's own rule for e-mail addresses and phone numbers; shares nothing with the product's."""

import re
from typing import Final

MAX_LOCAL_PART: Final = 64
MAX_DOMAIN: Final = 255

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@((?:{_LABEL}\.)+(?!\d+\Z){_LABEL})")
_PHONE_NUMBER = re.compile(r"\+[1-9]\d{1,14}")


def is_email_address(text: str) -> bool:
    """Says whether text is a mailbox as RFC 5321 section 4.1.2 has it, without quoted or non-ASCII parts.

    The lengths are those of section 4.5.3.1; a domain has at least two labels and its last one is not a
    number.
    """
    match = _ADDRESS.fullmatch(text)
    return match is not None and match.end(1) <= MAX_LOCAL_PART and len(text) - match.start(2) <= MAX_DOMAIN


def is_phone_number(text: str) -> bool:
    """Says whether text is a number in E.164 form, such as +4930901820."""
    return _PHONE_NUMBER.fullmatch(text) is not None
