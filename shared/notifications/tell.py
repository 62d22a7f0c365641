"""Have those who want to know told of a change of state. The one call for whoever makes one.

The notice is written down first, then its message goes out; both again do no harm. Whoever gets False tells it
again later, and keeps in mind until then that it has to.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from shared.errors import BlobExistsError, TransientError
from shared.model.messages import NotificationMessage
from shared.notifications.send_message import send_message
from shared.storage.layout import NOTIFICATION_TARGETS, notice_blob
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from shared.model.notifications import Notice
    from shared.services import Services


def tell(services: Services, notice: Notice) -> bool:
    """Whether all who want to know will be told; not yet, where storage does not answer. Never raises that."""
    try:
        if _has_targets(services):
            _note(services, notice)
            send_message(services, NotificationMessage(notice=notice.id))
    except TransientError as error:
        log_event(
            Event.NOT_TOLD,
            level=logging.WARNING,
            type=notice.types[0],
            export=notice.export,
            run=notice.run,
            why=type(error).__name__,
        )
        return False
    return True


def _has_targets(services: Services) -> bool:
    return any(True for _ in services.store.blobs.list_blobs(NOTIFICATION_TARGETS))


def _note(services: Services, notice: Notice) -> None:
    try:
        services.store.create(notice_blob(notice.id), notice)
    except BlobExistsError:
        return  # told before; what was written first counts
