"""Addresses of the web that something is sent to: in a form that everybody reads alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

HTTPS_PORT: Final = 443
PORT_MAX: Final = 65_535
FORM: Final = re.compile(
    r"https://(?P<host>(?:[a-z0-9-]{1,63}\.)*[a-z0-9-]{1,63}|\[[0-9a-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>/[!\"$-\[\]-~]*)?",
    re.IGNORECASE | re.ASCII,
)
"""A host, perhaps a port, and a path: nobody's name in front of the host, no fragment, no backslash, no blank."""


@dataclass(frozen=True, kw_only=True)
class WebAddress:
    """An https:// address in its parts."""

    host: str
    """In lower case; of an IPv6 address without its brackets."""
    port: int
    target: str
    """Path and query: what a request asks the host for."""


@dataclass(frozen=True, kw_only=True)
class AllowedHost:
    """A host that may be told although it is not of the internet."""

    host: str
    port: int = HTTPS_PORT


def parse_allowed_hosts(text: str) -> tuple[AllowedHost, ...] | None:
    """Hosts with commas between, each perhaps with a port; None where one is none."""
    addresses = [parse_web_address(f"https://{each.strip()}") for each in text.split(",") if each.strip()]
    found = [each for each in addresses if each is not None and each.target == "/"]
    if len(found) < len(addresses):
        return None
    return tuple(AllowedHost(host=each.host, port=each.port) for each in found)


def parse_web_address(text: str) -> WebAddress | None:
    """The parts of an address; None unless it is of the form above."""
    found = FORM.fullmatch(text)
    port = int(found["port"] or HTTPS_PORT) if found else 0
    if found is None or not 0 < port <= PORT_MAX:
        return None
    return WebAddress(host=found["host"].lower().strip("[]"), port=port, target=found["target"] or "/")
