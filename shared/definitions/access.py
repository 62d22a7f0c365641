"""Who may see and change what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import BlobMissingError, ForbiddenError
from shared.model.definitions import Connection, Saved
from shared.storage.layout import connection_blob

if TYPE_CHECKING:
    from shared.services import Services


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


def require_use(services: Services, caller: Caller, connection: str) -> None:
    """Raises ForbiddenError unless the caller may export through the connection."""
    if caller.is_administrator:
        return
    try:
        found = services.store.get(connection_blob(connection), Saved[Connection]).document.definition
    except BlobMissingError:
        found = None
    if found is None or not caller.may_use(found):
        raise ForbiddenError(f"You are not among the users of the connection {connection}.")
