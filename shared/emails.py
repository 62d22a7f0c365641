"""Addresses whose domain is not ASCII. All others are checked by the plan query itself, by the same rule."""

from __future__ import annotations

import re
from typing import Final

import idna

from shared.limits import EMAIL_MAX
from shared.plan_query import ADDRESS, PARTS_IN_BOUNDS
from shared.rejections import Rejected

RULE: Final = re.compile(ADDRESS)
BOUNDS: Final = re.compile(PARTS_IN_BOUNDS)


def to_ascii(address: str) -> tuple[str | None, Rejected | None]:
    """The address with its domain in A-labels (RFC 5891), or why there is none."""
    local, _, domain = address.rpartition("@")
    try:
        ascii_domain = idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return None, Rejected.EMAIL_INVALID
    converted = f"{local}@{ascii_domain.lower()}"
    if len(converted) > EMAIL_MAX:
        return None, Rejected.EMAIL_TOO_LONG
    if RULE.fullmatch(converted) and BOUNDS.fullmatch(converted):
        return converted, None
    return None, Rejected.EMAIL_INVALID
