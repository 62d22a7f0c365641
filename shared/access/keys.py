"""Callers who show a key.

The Functions host lets in whose key it knows, and does not tell Python its name. So the name is in the key: its
value is `name.` and random characters. Whoever sets keys chooses the value, and nobody else can change the name
without changing the value, which the host then does not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.access.callers import Caller, CallerKind
from shared.errors import UnauthenticatedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.settings import Keys

SECRET_MIN: Final = 32
"""Least characters after the name."""
PRINCIPAL: Final = "x-ms-client-principal"
"""Begin of the headers in which App Service authentication says who calls."""


class KeyHolders:
    """Knows callers by their keys' names."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def identify(self, headers: Mapping[str, str], query: Mapping[str, str]) -> Caller:
        """Who calls. Header names are in lower case. Raises UnauthenticatedError."""
        if any(name.startswith(PRINCIPAL) for name in headers):
            raise UnauthenticatedError(
                "App Service authentication vouches for somebody, but the app setting AUTHENTICATION is keys. "
                "Set it to entra, or switch App Service authentication off."
            )
        # as in the host, the header wins over the query
        name, _, secret = headers.get("x-functions-key", query.get("code", "")).partition(".")
        found = self._keys.roles.get(name)
        if found is None or len(secret) < SECRET_MIN:
            raise UnauthenticatedError(
                "The key has no name that the app knows. A key's value is a name of the app setting KEY_ROLES, "
                f"a dot, and at least {SECRET_MIN} random characters."
            )
        return Caller(
            id=name, name=name, kind=CallerKind.KEY, roles=frozenset({found.role}), only_export=found.export
        )
