"""Try whether a target takes what it is told: one message at once, and what became of it."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING

from shared.errors import TooManyRequestsError
from shared.limits import NOTIFY_TEST_SECONDS, NOTIFY_TESTS_AT_ONCE
from shared.model.documents import Document
from shared.model.notification_codes import NotificationCode
from shared.model.notifications import Notice, NoticeId, NoticeType, notice_id
from shared.notifications.payload import body_of
from shared.notifications.targets import get_target

if TYPE_CHECKING:
    from shared.services import Services


class Tried(Document):
    """What became of a test."""

    taken: bool
    """Whether the target answered 200 to 299."""
    notice: NoticeId
    """The webhook-id that was sent, if any was."""
    status: int | None = None
    """What the target answered, if it did."""
    code: NotificationCode | None = None
    """Why it was not taken."""


class TryGate:
    """Lets a few tests of this process wait for their targets at a time."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(NOTIFY_TESTS_AT_ONCE)

    def try_target(self, services: Services, target: str) -> Tried:
        """Send a test now, whatever the target asks for. Raises NotFoundError, TooManyRequestsError."""
        definition = get_target(services, target).document.definition
        if not self._places.acquire(blocking=False):
            message = "So many tests of notification targets are under way; ask again soon."
            raise TooManyRequestsError(message, retry_after=NOTIFY_TEST_SECONDS)
        try:
            notice = Notice(
                id=notice_id(NoticeType.TEST, uuid.uuid4().hex), types=(NoticeType.TEST,), at=services.clock()
            )
            body = body_of(notice, NoticeType.TEST, app=services.settings.app_address)
            posted = services.webhooks.post(
                definition, message_id=notice.id, body=body, seconds=NOTIFY_TEST_SECONDS
            )
        finally:
            self._places.release()
        return Tried(taken=posted.code is None, notice=notice.id, status=posted.status, code=posted.code)
