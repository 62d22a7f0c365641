"""How telling a target went last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import BlobExistsError, BlobMissingError
from shared.model.notification_codes import NotificationCode
from shared.model.notifications import TargetState
from shared.storage.layout import notification_state_blob

if TYPE_CHECKING:
    from datetime import datetime

    from shared.model.notifications import NotificationOutcome
    from shared.services import Services


def find_state(services: Services, target: str) -> TargetState:
    """How it went; with nothing in it where nothing was told yet."""
    found = services.store.find(notification_state_blob(target), TargetState)
    return found.document if found else TargetState()


def note_outcome(
    services: Services, target: str, outcome: NotificationOutcome, *, is_over: bool, version: datetime | None
) -> None:
    """Note what became of a try, unless something newer was noted; again is as good as once.

    `version` is when the definition was saved that was tried: one whose address is gone is told no more.
    """
    name = notification_state_blob(target)

    def change(state: TargetState) -> TargetState:
        changes: dict[str, object] = {}
        for kind in _kinds(outcome, is_over=is_over):
            noted: NotificationOutcome | None = getattr(state, kind)
            if noted is None or noted.at <= outcome.at:
                changes[kind] = outcome
        if outcome.code is NotificationCode.GONE and version is not None:
            changes["gone"] = version
        return state.model_copy(update=changes)

    try:
        services.store.update(name, TargetState, change)
    except BlobMissingError:
        try:
            services.store.create(name, change(TargetState()))
        except BlobExistsError:
            services.store.update(name, TargetState, change)


def _kinds(outcome: NotificationOutcome, *, is_over: bool) -> tuple[str, ...]:
    if outcome.code is None:
        return ("last_delivery",)
    return ("last_error", "last_lost") if is_over else ("last_error",)
