"""Access keys of HTTP functions: who may call what.

See https://learn.microsoft.com/azure/azure-functions/function-keys-how-to.
"""

import secrets
from dataclasses import dataclass, field
from enum import IntEnum

from starlette.requests import Request


class Level(IntEnum):
    """What a key entitles to, and what a function asks for."""

    ANONYMOUS = 0
    FUNCTION = 1
    ADMIN = 2


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The keys of the app; without any, nothing is asked for, as with ``func start``."""

    master: str | None = None
    host: tuple[str, ...] = ()
    """Those that open every function but those of level admin."""
    functions: dict[str, str] = field(default_factory=dict)

    def level_of(self, request: Request, function_name: str = "") -> Level:
        """Return what the request's key entitles to, for one function or, without a name, the host."""
        if not (self.master or self.host or self.functions):
            return Level.ADMIN
        # The header wins over the query, as in the real host's AuthenticationLevelHandler.
        key = request.headers.get("x-functions-key", request.query_params.get("code", ""))
        if _same(key, self.master):
            return Level.ADMIN
        own = self.functions.get(function_name)
        if _same(key, own) or any(_same(key, each) for each in self.host):
            return Level.FUNCTION
        return Level.ANONYMOUS


def _same(given: str, key: str | None) -> bool:
    return bool(key) and secrets.compare_digest(given.encode(), (key or "").encode())
