"""Which addresses of files are followed: those of hosts that SendGrid is known to keep files at. No I/O.

SendGrid's answers name files by whole addresses: error files of import jobs, and exports of contacts. Whoever can
answer in SendGrid's place could name any address that this app reaches and others do not.
"""

from __future__ import annotations

import re
from typing import Final

ADDRESS_MAX: Final = 8_000
"""Longest address, in characters; one that is signed has two thousand at most."""
_OWN: Final = r"(?:[a-z0-9-]+\.)*(?:sendgrid\.com|sendgrid\.net|twilio\.com)"
_S3: Final = r"(?:[a-z0-9.-]+\.)?s3(?:[.-][a-z0-9-]+){0,3}\.amazonaws\.com"
"""SendGrid's exports have the form of its signed addresses; their host is not published.

https://docs.aws.amazon.com/general/latest/gr/s3.html
"""
KNOWN: Final = re.compile(rf"https://(?:{_OWN}|{_S3})(?::443)?(?:[/?][!-\[\]-~]*)?", re.IGNORECASE | re.ASCII)
"""A whole address; a host that is followed by a slash, and by nothing before, is read alike by everybody."""


def known_file_address(value: object) -> str | None:
    """The address if it leads over HTTPS to a known host, and names no user; None for anything else."""
    if not isinstance(value, str) or len(value) > ADDRESS_MAX:
        return None
    return value if KNOWN.fullmatch(value) else None
