"""Addresses whose domain is not ASCII."""

from __future__ import annotations

import functools

import idna


def with_ascii_domain(address: str) -> str:
    """The address with its domain in A-labels (RFC 5891); as it is if the domain has none."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{_ascii_domain(domain)}"


@functools.lru_cache(maxsize=1000)
def _ascii_domain(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return domain
