"""Connections and exports: who may see and change them, and what keeps them consistent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.definitions.access import Caller, require_administrator, require_use
from shared.errors import (
    BlobChangedError,
    BlobExistsError,
    ConflictError,
    FieldError,
    InvalidInputError,
    NotFoundError,
    PreconditionFailedError,
)
from shared.model.definitions import Connection, Export, Saved
from shared.storage.documents import Versioned
from shared.storage.layout import connection_blob, export_blob, members_folder, membership_blob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.model.documents import Document
    from shared.services import Services


_OTHER_VERSION: Final = "The document is not the version named by If-Match; read it again."
ANY_VERSION: Final = "*"
"""What If-Match says when any version will do, as long as there is one; RFC 9110, section 13.1.1."""


def get_connection(services: Services, connection: str) -> Versioned[Saved[Connection]]:
    """A connection. Raises NotFoundError."""
    return _get(services, connection_blob(connection), Saved[Connection], f"connection {connection}")


def get_export(services: Services, export: str) -> Versioned[Saved[Export]]:
    """An export. Raises NotFoundError."""
    return _get(services, export_blob(export), Saved[Export], f"export {export}")


def list_connections(services: Services) -> Iterator[Saved[Connection]]:
    """All connections, by id."""
    return _list(services, "connections/", Saved[Connection])


def list_exports(services: Services) -> Iterator[Saved[Export]]:
    """All exports, by id."""
    return _list(services, "exports/", Saved[Export])


def put_connection(
    services: Services, connection: str, definition: Connection, *, caller: Caller, etag: str | None
) -> tuple[Versioned[Saved[Connection]], bool]:
    """Save a connection; the saved one, and whether it is new. Raises ForbiddenError, PreconditionFailedError."""
    require_administrator(caller)
    name = connection_blob(connection)
    now = services.clock()
    saved = Saved[Connection](
        id=connection, definition=definition, created_at=now, updated_at=now, updated_by=caller.name
    )
    return _put(services, name, saved, etag)


def put_export(
    services: Services, export: str, definition: Export, *, caller: Caller, etag: str | None
) -> tuple[Versioned[Saved[Export]], bool]:
    """Save an export; the saved one, and whether it is new. Never runs anything.

    Raises ForbiddenError, PreconditionFailedError, and InvalidInputError when there is no such connection.
    """
    connection = services.store.find(connection_blob(definition.connection), Saved[Connection])
    require_use(caller, definition.connection, connection.document.definition if connection else None)
    _require_use_of_old(services, caller, export)
    if connection is None:
        problem = FieldError(field="connection", message="names no connection; create it first")
        raise InvalidInputError("The export names a connection that does not exist.", problem)
    now = services.clock()
    saved = Saved[Export](id=export, definition=definition, created_at=now, updated_at=now, updated_by=caller.name)
    return _put(services, export_blob(export), saved, etag)


def _require_use_of_old(services: Services, caller: Caller, export: str) -> None:
    """Who may not use an export's connection may not lead the export over to another one."""
    old = services.store.find(export_blob(export), Saved[Export])
    if old is not None:
        require_use_of_connection(services, caller, old.document.definition.connection)


def require_use_of_connection(services: Services, caller: Caller, connection: str) -> None:
    """Raises ForbiddenError unless the caller may use the connection, also where there is none."""
    found = services.store.find(connection_blob(connection), Saved[Connection])
    require_use(caller, connection, found.document.definition if found else None)


def require_use_of_export(services: Services, caller: Caller, export: str) -> None:
    """Raises NotFoundError, and ForbiddenError unless the caller may use the export's connection."""
    require_use_of_connection(services, caller, get_export(services, export).document.definition.connection)


def delete_connection(services: Services, connection: str, *, caller: Caller, etag: str | None) -> None:
    """Delete a connection.

    Raises NotFoundError, ForbiddenError, PreconditionFailedError, and ConflictError while it is used.
    """
    require_administrator(caller)
    get_connection(services, connection)
    users = [saved.id for saved in list_exports(services) if saved.definition.connection == connection]
    if users:
        raise ConflictError(f"The connection {connection} is used by the exports {', '.join(users)}.")
    _delete(services, connection_blob(connection), etag)


def delete_export(services: Services, export: str, *, caller: Caller, etag: str | None) -> None:
    """Delete an export and its members; its runs stay to be read, and its list stays as it is.

    Raises NotFoundError, ForbiddenError, PreconditionFailedError.
    """
    require_use_of_export(services, caller, export)
    _delete(services, export_blob(export), etag)
    services.store.blobs.delete(membership_blob(export))
    for item in services.store.blobs.list_blobs(members_folder(export)):
        services.store.blobs.delete(item.name)


def _get[D: Document](services: Services, name: str, kind: type[D], what: str) -> Versioned[D]:
    found = services.store.find(name, kind)
    if found is None:
        raise NotFoundError(f"There is no {what}.")
    return found


def _list[D: Document](services: Services, prefix: str, kind: type[D]) -> Iterator[D]:
    for item in services.store.blobs.list_blobs(prefix):
        found = services.store.find(item.name, kind)
        if found is not None:  # not deleted since it was listed
            yield found.document


def _put[D: (Saved[Connection], Saved[Export])](
    services: Services, name: str, saved: D, etag: str | None
) -> tuple[Versioned[D], bool]:
    old = services.store.find(name, type(saved))
    if old is None:
        return _create(services, name, saved, etag), True
    if etag not in {None, ANY_VERSION, old.etag}:
        raise PreconditionFailedError(_OTHER_VERSION)
    saved = saved.model_copy(update={"created_at": old.document.created_at})
    try:
        return Versioned(document=saved, etag=services.store.replace(name, saved, etag=old.etag)), False
    except BlobChangedError:
        raise PreconditionFailedError(
            "Somebody else saved the document at the same moment; read it again."
        ) from None


def _create[D: Document](services: Services, name: str, saved: D, etag: str | None) -> Versioned[D]:
    if etag is not None:
        raise PreconditionFailedError("There is no such document yet; leave out If-Match to create it.")
    try:
        return Versioned(document=saved, etag=services.store.create(name, saved))
    except BlobExistsError:
        raise PreconditionFailedError(
            "Somebody else created the document at the same moment; read it again."
        ) from None


def _delete(services: Services, name: str, etag: str | None) -> None:
    try:
        services.store.blobs.delete(name, etag=None if etag == ANY_VERSION else etag)
    except BlobChangedError:
        raise PreconditionFailedError(
            "The document is not the version named by If-Match; read it again."
        ) from None
