"""Who may see and change what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import ForbiddenError

if TYPE_CHECKING:
    from shared.model.definitions import Connection


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who makes a request."""

    name: str
    object_id: str = ""
    is_administrator: bool = False
    """May create connections and use all of them."""

    def may_use(self, connection: Connection) -> bool:
        """Whether the caller may export through the connection."""
        return self.is_administrator or bool({self.name, self.object_id} & set(connection.users))


def require_administrator(caller: Caller) -> None:
    """Raises ForbiddenError unless the caller is an administrator."""
    if not caller.is_administrator:
        raise ForbiddenError("Only an administrator may manage connections.")


def require_use(caller: Caller, name: str, connection: Connection | None) -> None:
    """Raises ForbiddenError unless the caller may export through the connection of that name.

    A connection that does not exist is nobody's but an administrator's, so that no name can be probed.
    """
    if caller.is_administrator or (connection is not None and caller.may_use(connection)):
        return
    raise ForbiddenError(f"You are not among the users of the connection {name}.")
