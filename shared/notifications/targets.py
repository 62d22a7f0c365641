"""Notification targets: who is told. Administrators' alone, for an address outside is told of what is within."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.definitions import saved
from shared.model.definitions import Saved
from shared.model.notifications import NotificationTarget
from shared.storage.layout import NOTIFICATION_TARGETS, notification_state_blob, notification_target_blob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.access.callers import Caller
    from shared.definitions.saved import Put
    from shared.services import Services
    from shared.storage.documents import Versioned


def get_target(services: Services, target: str) -> Versioned[Saved[NotificationTarget]]:
    """A target. Raises NotFoundError."""
    name = notification_target_blob(target)
    return saved.get(services, name, Saved[NotificationTarget], f"notification target {target}")


def find_target(services: Services, target: str) -> Saved[NotificationTarget] | None:
    """A target; None where there is none. Raises ConflictError."""
    found = saved.find(services, notification_target_blob(target), Saved[NotificationTarget])
    return found.document if found else None


def list_targets(services: Services) -> Iterator[Saved[NotificationTarget]]:
    """All targets, by id."""
    return saved.list_all(services, NOTIFICATION_TARGETS, Saved[NotificationTarget])


def put_target(
    services: Services,
    target: str,
    definition: NotificationTarget,
    *,
    caller: Caller,
    etag: str | None,
    only_new: bool = False,
) -> Put[NotificationTarget]:
    """Save a target. Raises PreconditionFailedError."""
    name = notification_target_blob(target)
    old = saved.find(services, name, Saved[NotificationTarget])
    saved.require_new(old, only_new=only_new)
    new = saved.next_version(services, Saved[NotificationTarget], target, definition, old=old, caller=caller)
    return saved.put(services, name, new, old, etag)


def delete_target(services: Services, target: str, *, etag: str | None) -> None:
    """Delete a target, and how telling it went. Raises NotFoundError, PreconditionFailedError."""
    saved.delete(services, notification_target_blob(target), f"notification target {target}", etag)
    services.store.blobs.delete(notification_state_blob(target))
