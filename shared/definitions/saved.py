"""Definitions as they rest in the store: read, listed, saved over the version that was looked at, deleted."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from shared.errors import (
    BlobChangedError,
    BlobExistsError,
    ConflictError,
    NotFoundError,
    PreconditionFailedError,
)
from shared.model.definitions import Connection, Export, Saved
from shared.model.documents import Document
from shared.model.notifications import NotificationTarget
from shared.storage.documents import Versioned
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.access.callers import Caller
    from shared.services import Services

_OTHER_VERSION: Final = "The document is not the version named by If-Match; read it again."
ANY_VERSION: Final = "*"
"""What If-Match says when any version will do, as long as there is one; RFC 9110, section 13.1.1."""


@dataclass(frozen=True, kw_only=True)
class Put[D: Document]:
    """What a PUT has done."""

    versioned: Versioned[Saved[D]]
    before: D | None
    """What was there before; None if it is new."""

    @property
    def is_new(self) -> bool:
        """Whether nothing was there."""
        return self.before is None


def get[D: Document](services: Services, name: str, kind: type[D], what: str) -> Versioned[D]:
    """A definition. Raises NotFoundError that says what is missing, ConflictError where it cannot be read."""
    found = find(services, name, kind)
    if found is None:
        raise NotFoundError(f"There is no {what}.")
    return found


def find[D: Document](services: Services, name: str, kind: type[D]) -> Versioned[D] | None:
    """A definition; None where there is none. Raises ConflictError where it cannot be read."""
    try:
        return services.store.find(name, kind)
    except ValidationError:
        raise ConflictError(
            f"This version of the app cannot read the document {name}, or the machine does not know its time "
            "zone; delete it and save it anew."
        ) from None


def list_all[D: Document](services: Services, prefix: str, kind: type[D]) -> Iterator[D]:
    """All definitions of a kind, by id, but for those that cannot be read."""
    for item in services.store.blobs.list_blobs(prefix):
        if (found := read_listed(services, item.name, kind)) is not None:
            yield found


def read_listed[D: Document](services: Services, name: str, kind: type[D]) -> D | None:
    """A document that was listed; None where it is gone, or cannot be read, which must not hide the others."""
    try:
        found = services.store.find(name, kind)
    except ValidationError:
        log_event(Event.DEFINITION_UNREADABLE, level=logging.ERROR, document=name)
        return None
    return found.document if found else None


def require_new(old: object, *, only_new: bool) -> None:
    """Raises PreconditionFailedError where something is there that must not be."""
    if only_new and old is not None:
        raise PreconditionFailedError("It is there already, and If-None-Match says that it must not be.")


def next_version[D: (Connection, Export, NotificationTarget)](
    services: Services,
    kind: type[Saved[D]],
    identity: str,
    definition: D,
    *,
    old: Versioned[Saved[D]] | None,
    caller: Caller,
) -> Saved[D]:
    """A definition as it rests next."""
    now = services.clock()
    if old is not None:
        changes = {"definition": definition, "updated_at": now, "updated_by": caller.actor}
        return old.document.model_copy(update=changes)
    return kind(
        id=identity,
        uid=uuid.uuid4().hex,
        definition=definition,
        created_at=now,
        created_by=caller.actor,
        updated_at=now,
        updated_by=caller.actor,
    )


def put[D: (Connection, Export, NotificationTarget)](
    services: Services, name: str, saved: Saved[D], old: Versioned[Saved[D]] | None, etag: str | None
) -> Put[D]:
    """Write a definition over the version that was looked at, or as the first one."""
    if old is None:
        return Put(versioned=_create(services, name, saved, etag), before=None)
    if etag not in {None, ANY_VERSION, old.etag}:
        raise PreconditionFailedError(_OTHER_VERSION)
    try:
        written = services.store.replace(name, saved, etag=old.etag)
    except BlobChangedError:
        raise PreconditionFailedError(
            "Somebody else saved the document at the same moment; read it again."
        ) from None
    return Put(versioned=Versioned(document=saved, etag=written), before=old.document.definition)


def _create[D: Document](services: Services, name: str, saved: D, etag: str | None) -> Versioned[D]:
    if etag is not None:
        raise PreconditionFailedError("There is no such document yet; leave out If-Match to create it.")
    try:
        return Versioned(document=saved, etag=services.store.create(name, saved))
    except BlobExistsError:
        raise PreconditionFailedError(
            "Somebody else created the document at the same moment; read it again."
        ) from None


def delete(services: Services, name: str, what: str, etag: str | None) -> None:
    """Delete a definition. Raises NotFoundError, PreconditionFailedError."""
    if not any(item.name == name for item in services.store.blobs.list_blobs(name)):
        raise NotFoundError(f"There is no {what}.")
    try:
        services.store.blobs.delete(name, etag=None if etag == ANY_VERSION else etag)
    except BlobChangedError:
        raise PreconditionFailedError(
            "The document is not the version named by If-Match; read it again."
        ) from None
