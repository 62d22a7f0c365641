"""Bicep's functions, as far as templates here use them, for working out what would be deployed."""

from __future__ import annotations

import functools
import hashlib
import ipaddress
import json
import uuid
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN_LENGTH = 13


class UnknownFunctionError(Exception):
    """The function has no value here; add it to CALLS."""


def _unique_string(*parts: str) -> str:
    return hashlib.sha256("-".join(parts).encode()).hexdigest()[:_TOKEN_LENGTH]


def _guid(*parts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "-".join(parts)))


def _cidr_subnet(network: str, length: int, index: int) -> str:
    return str(list(ipaddress.ip_network(network).subnets(new_prefix=length))[index])


def _merge(first: Any, second: Any) -> Any:  # noqa: ANN401 - JSON values
    if isinstance(first, dict):
        return {**first, **second}
    return [*first, *(each for each in second if each not in first)]


def _items(of: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": of[key]} for key in sorted(of)]


def _resource_id(below: str, kind: str, *names: str) -> str:
    namespace, *segments = kind.split("/")
    path = "/".join(f"{segment}/{name}" for segment, name in zip(segments, names, strict=True))
    return f"{below}/providers/{namespace}/{path}"


def _environment() -> dict[str, Any]:
    return {
        "name": "AzureCloud",
        "suffixes": {"storage": "core.windows.net", "keyvaultDns": ".vault.azure.net"},
        "authentication": {"loginEndpoint": "https://login.microsoftonline.com/"},
    }


CALLS: Final[dict[str, Callable[..., Any]]] = {
    "cidrSubnet": _cidr_subnet,
    "concat": lambda *parts: functools.reduce(lambda left, right: left + right, parts),
    "contains": lambda of, what: what in of,
    "empty": lambda of: not of,
    "environment": _environment,
    "first": lambda of: of[0],
    "format": lambda text, *values: text.format(*values),
    "guid": _guid,
    "items": _items,
    "join": lambda parts, between: between.join(parts),
    "length": len,
    "loadJsonContent": json.loads,
    "loadTextContent": lambda text: text,
    "replace": lambda text, old, new: text.replace(old, new),
    "resourceId": _resource_id,
    "string": str,
    "subscriptionResourceId": _resource_id,
    "take": lambda of, count: of[:count],
    "tenant": lambda: {"tenantId": "00000000-0000-0000-0000-0000000000bb"},
    "toLower": str.lower,
    "union": lambda *parts: functools.reduce(_merge, parts),
    "uniqueString": _unique_string,
    "utcNow": lambda _format="": "2026-11-01",
}
"""`loadJsonContent` and `loadTextContent` get the file's text; the ID functions the ID they start from."""
