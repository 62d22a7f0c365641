"""Addresses whose domain is not ASCII."""

from __future__ import annotations

import idna


def with_ascii_domain(address: str) -> str:
    """The address with its domain in A-labels (RFC 5891); as it is if the domain has none."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode('ascii').lower()}"
    except (idna.IDNAError, UnicodeError):
        return address
