"""Connections and exports: who may see and change them, and what keeps them consistent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.definitions import saved
from shared.errors import (
    ConflictError,
    FieldError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    PreconditionFailedError,
)
from shared.limits import NAME_MAX
from shared.model.arrival import Awaited
from shared.model.definitions import (
    LAYOUT_NAMES_SEGMENT,
    Connection,
    ConnectionDraft,
    Consent,
    ConsentText,
    Export,
    Off,
    Saved,
)
from shared.storage.layout import (
    awaited_blob,
    connection_blob,
    export_blob,
    export_watch_blob,
    freshness_blob,
    members_folder,
    membership_blob,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.access.callers import Caller
    from shared.definitions.saved import Put
    from shared.services import Services
    from shared.storage.documents import Versioned


def get_connection(services: Services, connection: str) -> Versioned[Saved[Connection]]:
    """A connection. Raises NotFoundError."""
    return saved.get(services, connection_blob(connection), Saved[Connection], f"connection {connection}")


def get_export(services: Services, export: str) -> Versioned[Saved[Export]]:
    """An export. Raises NotFoundError."""
    return saved.get(services, export_blob(export), Saved[Export], f"export {export}")


def list_connections(services: Services) -> Iterator[Saved[Connection]]:
    """All connections, by id."""
    return saved.list_all(services, "connections/", Saved[Connection])


def list_exports(services: Services) -> Iterator[Saved[Export]]:
    """All exports, by id."""
    return saved.list_all(services, "exports/", Saved[Export])


def list_export_ids(services: Services, *, after: str | None) -> list[str]:
    """Ids of the exports after one, or of all, in order."""
    names = (item.name for item in services.store.blobs.list_blobs("exports/"))
    ids = (name.removeprefix("exports/").removesuffix(".json") for name in names)
    return sorted(each for each in ids if after is None or each > after)


def read_listed_export(services: Services, export: str) -> Saved[Export] | None:
    """An export that was listed; None where it is gone, or cannot be read, which must not hide the others."""
    return saved.read_listed(services, export_blob(export), Saved[Export])


def put_connection(
    services: Services,
    connection: str,
    draft: ConnectionDraft,
    *,
    caller: Caller,
    etag: str | None,
    only_new: bool = False,
) -> Put[Connection]:
    """Save a connection. Raises PreconditionFailedError.

    A consent is the caller's, and given now, unless its text and version are those that were agreed to before.
    """
    name = connection_blob(connection)
    old = saved.find(services, name, Saved[Connection])
    consent = _consent(services, draft.consent, old.document.definition.consent if old else None, caller)
    definition = Connection.model_validate({**dict(draft), "consent": consent})
    saved.require_new(old, only_new=only_new)
    new = saved.next_version(services, Saved[Connection], connection, definition, old=old, caller=caller)
    return saved.put(services, name, new, old, etag)


def _consent(
    services: Services, wanted: ConsentText | None, given: Consent | None, caller: Caller
) -> Consent | None:
    if wanted is None:
        return None
    if given is not None and (given.text, given.version) == (wanted.text, wanted.version):
        return given
    return Consent(text=wanted.text, version=wanted.version, given_by=caller.actor, given_at=services.clock())


def put_export(
    services: Services,
    export: str,
    definition: Export,
    *,
    caller: Caller,
    etag: str | None,
    only_new: bool = False,
) -> Put[Export]:
    """Save an export. Never runs anything.

    Raises NotFoundError where the id is that of an export through a connection that the caller may not use,
    ForbiddenError where the new connection is such a one, PreconditionFailedError, and InvalidInputError when
    there is no such connection, or it may not export one of the segments.
    """
    name = export_blob(export)
    old = saved.find(services, name, Saved[Export])
    _require_usable(services, export, old, definition, caller)
    saved.require_new(old, only_new=only_new)
    new = saved.next_version(services, Saved[Export], export, definition, old=old, caller=caller)
    if definition.is_awaiting and (old is None or not old.document.definition.is_awaiting):
        # what lies there already starts nothing
        services.store.upsert(awaited_blob(export), Awaited.since(new.updated_at, uid=new.uid))
    return saved.put(services, name, new, old, etag)


def require_usable(services: Services, export: str | None, definition: Export, *, caller: Caller) -> None:
    """Raises what `put_export` raises where the caller may not save the export; one without an id is a new one."""
    old = saved.find(services, export_blob(export), Saved[Export]) if export is not None else None
    _require_usable(services, export or "", old, definition, caller)


def _require_usable(
    services: Services,
    export: str,
    old: Versioned[Saved[Export]] | None,
    definition: Export,
    caller: Caller,
) -> None:
    if old is not None and not caller.may_use(find_connection(services, old.document.definition.connection)):
        raise NotFoundError(f"There is no export {export}.")
    if definition.connection is None:
        if not caller.is_administrator:
            raise ForbiddenError("An export without a connection is an administrator's to save.")
        return
    connection = find_connection(services, definition.connection)
    if not caller.may_use(connection):
        raise ForbiddenError(f"You are not among the users of the connection {definition.connection}.")
    if connection is None:
        problem = FieldError(field="connection", message="names no connection; create it first")
        raise InvalidInputError("The export names a connection that does not exist.", problem)
    if missing := connection.definition.missing_segments(definition.segments):
        problem = FieldError(field="segments", message=f"may not hold {', '.join(missing)}")
        raise InvalidInputError("The connection may not export every segment of the export.", problem)
    if not connection.definition.may_read(definition.source):
        raise InvalidInputError("The connection may export some segments only.", layout_problem("source.layout"))


def layout_problem(field: str) -> FieldError:
    """A layout that may find files of other segments than may be read."""
    return FieldError(field=field, message=LAYOUT_NAMES_SEGMENT, pointer="/" + field.replace(".", "/"))


def duplicate_export(
    services: Services, export: str, new: str, *, name: str | None, caller: Caller
) -> Put[Export]:
    """Save an export under another id, with its schedule off.

    Raises ConflictError when there is one of that id, ForbiddenError for a key of another export, and what
    `put_export` raises.
    """
    if caller.only_export not in {None, new}:
        raise ForbiddenError(f"The key is one of the export {caller.only_export}, and makes no other.")
    definition = get_export(services, export).document.definition
    changes = {"name": name or f"Copy of {definition.name}"[:NAME_MAX], "schedule": Off(kind="off")}
    copy = definition.model_copy(update=changes)
    try:
        return put_export(services, new, copy, caller=caller, etag=None, only_new=True)
    except PreconditionFailedError:
        raise ConflictError(f"There is an export {new} already; choose another id.") from None


def find_connection(services: Services, connection: str | None) -> Saved[Connection] | None:
    """A connection; None where there is none, such as that of a detached export. Raises ConflictError."""
    if connection is None:
        return None
    found = saved.find(services, connection_blob(connection), Saved[Connection])
    return found.document if found else None


def find_export(services: Services, export: str) -> Saved[Export] | None:
    """An export; None where there is none. Raises ConflictError."""
    found = saved.find(services, export_blob(export), Saved[Export])
    return found.document if found else None


def delete_connection(services: Services, connection: str, *, etag: str | None) -> None:
    """Delete a connection. Raises NotFoundError, PreconditionFailedError, and ConflictError while it is used."""
    users = [each.id for each in list_exports(services) if each.definition.connection == connection]
    if users:
        raise ConflictError(
            f"The connection {connection} is used by the exports {', '.join(users)}. Detach them "
            '(PATCH {"connection": null}), lead them through another connection, or delete them.'
        )
    saved.delete(services, connection_blob(connection), f"connection {connection}", etag)


def delete_export(services: Services, export: str, *, etag: str | None) -> None:
    """Delete an export and its members; its runs stay to be read, and its list stays as it is.

    Raises NotFoundError, PreconditionFailedError.
    """
    saved.delete(services, export_blob(export), f"export {export}", etag)
    for name in (awaited_blob(export), freshness_blob(export), export_watch_blob(export), membership_blob(export)):
        services.store.blobs.delete(name)
    for item in services.store.blobs.list_blobs(members_folder(export)):
        services.store.blobs.delete(item.name)
