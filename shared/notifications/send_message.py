"""Put a message about a notification on its queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared import trace
from shared.model.messages import NOTIFICATIONS_QUEUE

if TYPE_CHECKING:
    from shared.model.messages import NotificationMessage
    from shared.services import Services


def send_message(services: Services, message: NotificationMessage, *, delay: float = 0) -> None:
    """Put it there, visible after `delay` seconds; it carries the trace on."""
    if here := trace.current():
        message = message.model_copy(update={"traceparent": here.traceparent})
    services.queues.send(NOTIFICATIONS_QUEUE, message.model_dump_json(exclude_defaults=True), delay=delay)
