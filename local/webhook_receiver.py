"""A notification target on this machine: checks each message by the library of Standard Webhooks, and keeps it."""

import asyncio
import base64
import json
import secrets
from dataclasses import dataclass
from typing import Any, Final

from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

HOST: Final = "localhost"
PATH: Final = "/told"


@dataclass(frozen=True, kw_only=True)
class Told:
    """A message that arrived and is genuine.

    Attributes:
        id: Its webhook-id.
        body: What it says.
        signatures: How many there were.
    """

    id: str
    body: dict[str, Any]
    signatures: int


def new_secret() -> str:
    """Make up a signing secret."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


class WebhookReceiver:
    """Takes messages over TLS, once it is served.

    Attributes:
        secret: What messages are to be signed with; exchange it to rotate.
        status: What is answered to a genuine message.
        delay_seconds: How long an answer takes.
        told: Genuine messages that were taken.
        arrived: Every genuine message, taken or not.
        forged: How many were not genuine; they are answered 401.
        application: The ASGI application.
        port: Where it listens, once it does.
    """

    def __init__(self) -> None:
        self.secret = new_secret()
        self.status = 204
        self.delay_seconds = 0.0
        self.told: list[Told] = []
        self.arrived: list[Told] = []
        self.forged = 0
        self.port = 0
        self.application = Starlette(routes=[Route(PATH, self._receive, methods=["POST"])])

    @property
    def url(self) -> str:
        """What to save as the target's address."""
        return f"https://{HOST}:{self.port}{PATH}"

    @property
    def allowed_host(self) -> str:
        """What NOTIFICATION_ALLOWED_HOSTS must name."""
        return f"{HOST}:{self.port}"

    async def _receive(self, request: Request) -> Response:
        body = await request.body()
        try:
            Webhook(self.secret).verify(body, dict(request.headers))
        except WebhookVerificationError:
            self.forged += 1
            return Response(status_code=401)
        message = Told(
            id=request.headers["webhook-id"],
            body=json.loads(body),
            signatures=len(request.headers["webhook-signature"].split()),
        )
        self.arrived.append(message)
        status = self.status
        await asyncio.sleep(self.delay_seconds)
        if status < 300:  # noqa: PLR2004 - HTTP's number
            self.told.append(message)
        return Response(status_code=status)
