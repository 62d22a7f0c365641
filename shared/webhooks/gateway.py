"""Signs a message and posts it, a few at a time: the one way to a notification target."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final

from shared.errors import SettingsError, VaultUnavailableError
from shared.limits import NOTIFY_AT_ONCE
from shared.model.notification_codes import NotificationCode
from shared.model.web_address import parse_web_address
from shared.webhooks.client import Posted
from shared.webhooks.signature import signed_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from shared.model.notifications import NotificationTarget
    from shared.webhooks.client import Poster
    from shared.webhooks.secrets import SigningSecrets

USER_AGENT: Final = "segment-exports-notifications"


class WebhookGateway:
    """Holds the secrets and the way out."""

    def __init__(
        self,
        *,
        client: Poster,
        secrets: SigningSecrets,
        clock: Callable[[], datetime],
        places: int = NOTIFY_AT_ONCE,
    ) -> None:
        self.client = client
        self.secrets = secrets
        self._clock = clock
        self._places = threading.BoundedSemaphore(places)

    @contextlib.contextmanager
    def place(self) -> Iterator[bool]:
        """Whether one of the places of this process was free; it is held meanwhile."""
        is_free = self._places.acquire(blocking=False)
        try:
            yield is_free
        finally:
            if is_free:
                self._places.release()

    def post(self, target: NotificationTarget, *, message_id: str, body: bytes, seconds: float) -> Posted:
        """Sign the message as of now, and post it. Raises nothing for what target, vault and network do."""
        address = parse_web_address(target.url)
        if address is None:
            return Posted(code=NotificationCode.TARGET_NOT_ALLOWED)
        try:
            keys = self.secrets.keys(target.secret_name)
        except (VaultUnavailableError, SettingsError):
            keys = ()
        if not keys:
            return Posted(code=NotificationCode.SECRET_UNAVAILABLE)
        headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
        signed = signed_headers(keys, message_id=message_id, at=self._clock(), body=body)
        return self.client.post(address, body, headers | signed, seconds=seconds)
