"""Who makes a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.model.definitions import Actor
from shared.model.roles import Role

if TYPE_CHECKING:
    from shared.model.definitions import Connection, Saved


class Relation(StrEnum):
    """How a caller stands to a connection, and to all that goes through it."""

    OWN = "own"
    """The caller made it."""
    SHARED = "shared"
    """The caller is among its users."""
    FOREIGN = "foreign"


class CallerKind(StrEnum):
    """What has proven who the caller is."""

    KEY = "key"
    PERSON = "person"
    APPLICATION = "application"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Somebody whose key or token was checked."""

    id: str
    """What they are known by: the object ID of a person or an application in the tenant, or the key's name."""
    name: str = field(repr=False)
    """For people to read; nobody is ever told apart by it."""
    kind: CallerKind
    roles: frozenset[Role]
    only_export: str | None = None
    """The one export that a system's key is bound to."""

    @property
    def is_administrator(self) -> bool:
        """Whether all connections are the caller's."""
        return Role.ADMINISTRATOR in self.roles and self.only_export is None

    @property
    def actor(self) -> Actor:
        """The caller as kept in documents."""
        return Actor(id=self.id, name=self.name, is_administrator=self.is_administrator)

    def may_use(self, connection: Saved[Connection] | None) -> bool:
        """Whether the caller may export through a connection; one that is not there is an administrator's."""
        return self.is_administrator or self.relation_to(connection) is not Relation.FOREIGN

    def relation_to(self, connection: Saved[Connection] | None) -> Relation:
        """How the caller stands to a connection; one that is not there is foreign to everybody."""
        if connection is None:
            return Relation.FOREIGN
        return relation_of(self.actor, connection)


def relation_of(actor: Actor, connection: Saved[Connection]) -> Relation:
    """How somebody stands to a connection, by what its document says now."""
    if connection.created_by.id == actor.id:
        return Relation.OWN
    return Relation.SHARED if actor.id in connection.definition.users else Relation.FOREIGN


def may_send(actor: Actor, connection: Saved[Connection]) -> bool:
    """Whether what somebody asked for may still go out through a connection."""
    return actor.is_administrator or relation_of(actor, connection) is not Relation.FOREIGN
