"""A notification target in memory, and the vault with its secret; every message is checked by another library."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import standardwebhooks.webhooks as independent
from pydantic import SecretStr

from shared.webhooks.client import Posted
from shared.webhooks.gateway import WebhookGateway
from shared.webhooks.secrets import SigningSecrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from shared.model.notification_codes import NotificationCode
    from shared.model.notifications import NotificationTarget
    from shared.model.web_address import WebAddress

URL: Final = "https://hooks.example/told"
SECRET_NAME: Final = "signing-secret"


def a_secret(number: int = 1) -> str:
    return "whsec_" + base64.b64encode(bytes([number]) * 32).decode()


class FakeVault:
    """One secret and the one before it."""

    def __init__(self) -> None:
        self.values: tuple[str, ...] = (a_secret(),)

    def read_versions(self, name: str, *, older_until: datetime) -> tuple[SecretStr, ...]:
        del name, older_until
        return tuple(SecretStr(value) for value in self.values)


class FakeReceiver:
    """Takes what it is told, unless `answers` says otherwise.

    Attributes:
        answers: What to answer next; when there is nothing more, all is taken.
        told: The body of each message that was taken, …
        posts: … and the webhook-id of every one, taken or not.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.secret = a_secret()
        self.answers: list[Posted] = []
        self.always: Posted | None = None
        self.told: list[dict[str, Any]] = []
        self.posts: list[str] = []
        self.sent_at: list[datetime] = []
        self.signatures = 0
        self.found: dict[str, NotificationCode] = {}

    def post(self, address: WebAddress, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Posted:
        del address, seconds
        self.verify(body, headers)
        self.posts.append(headers["webhook-id"])
        self.sent_at.append(self._clock())
        answer = self.always or (self.answers.pop(0) if self.answers else Posted(status=204))
        if answer.code is None:
            self.told.append(json.loads(body))
        return answer

    def look_up(self, address: WebAddress) -> list[str] | NotificationCode:
        return self.found.get(address.host, ["203.0.113.5"])

    def verify(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Raises WebhookVerificationError, as the independent library does; by this receiver's clock."""
        now = self._clock()
        self.signatures = len(headers["webhook-signature"].split())
        with patch.object(independent, "datetime") as clock:
            clock.now.return_value = now
            clock.fromtimestamp.side_effect = type(now).fromtimestamp
            independent.Webhook(self.secret).verify(body, dict(headers))


def a_webhook_gateway(clock: Callable[[], datetime], receiver: FakeReceiver | None = None) -> WebhookGateway:
    return WebhookGateway(
        client=receiver or FakeReceiver(clock), secrets=SigningSecrets(FakeVault(), clock), clock=clock
    )


def a_target(**changes: object) -> NotificationTarget:
    from shared.model.notifications import NotificationTarget

    usual = {"name": "Operations", "url": URL, "events": ("run.ended",), "secret_name": SECRET_NAME}
    return NotificationTarget.model_validate(usual | changes)
