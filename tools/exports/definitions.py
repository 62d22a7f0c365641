"""What there is files of: connections and exports, as plain documents."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from functions.bodies import validate, without_read_only
from functions.export_drafts import WrittenExport
from shared.model.definitions import ConnectionDraft
from shared.model.notifications import NotificationTarget

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shared.model.documents import Document

type Json = dict[str, Any]


class Kind(StrEnum):
    """A kind of definition; in the order in which they are applied, for each may name those before."""

    CONNECTION = "connection"
    EXPORT = "export"
    NOTIFICATION = "notification"

    @property
    def plural(self) -> str:
        """Its folder, its part of an address, and its member in the API's lists."""
        return f"{self}s"

    @property
    def model(self) -> type[Document]:
        """What the API reads its body by."""
        match self:
            case Kind.CONNECTION:
                return ConnectionDraft
            case Kind.EXPORT:
                return WrittenExport
            case Kind.NOTIFICATION:
                return NotificationTarget


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A member of a definition that is not as it should be."""

    pointer: str
    """Where, by RFC 6901."""
    before: object
    """In the app; None where it is not set."""
    after: object
    """By the file."""


def complete(kind: Kind, document: Mapping[str, Any]) -> Json:
    """A definition with everything it leaves out. Raises InvalidInputError naming each member to change."""
    return validate(kind.model, dict(document)).model_dump(mode="json")


def shortest(kind: Kind, document: Mapping[str, Any]) -> Json:
    """A definition without what is so anyway. Raises InvalidInputError."""
    return validate(kind.model, dict(document)).model_dump(mode="json", exclude_defaults=True)


def definition_of(kind: Kind, answer: Mapping[str, Any]) -> Json:
    """What an answer of the API defines, complete. Raises InvalidInputError where the app knows more than this."""
    return complete(kind, without_read_only(dict(answer)))


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What differs between two complete definitions, member by member; lists are compared as a whole."""
    had, has = dict(_members(before or {})), dict(_members(after))
    return tuple(
        Difference(pointer=pointer, before=had.get(pointer), after=has.get(pointer))
        for pointer in sorted(had.keys() | has.keys())
        if json.dumps(had.get(pointer)) != json.dumps(has.get(pointer))
    )


def _members(document: Mapping[str, Any], pointer: str = "") -> Iterator[tuple[str, object]]:
    for name, value in document.items():
        place = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
        if isinstance(value, dict) and value:
            yield from _members(value, place)
        else:
            yield place, value
