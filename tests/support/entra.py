"""Callers with real tokens: the local Entra signs them, and the app's own code looks at them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import httpx

from local.azure.entra import APP_REGISTRATION, HOST, Entra
from local.azure.tokens import TENANT_ID
from shared.access.signing_keys import SigningKeys
from shared.access.tokens import TokenHolders
from shared.settings import Entra as EntraSettings

if TYPE_CHECKING:
    from collections.abc import Callable

SETTINGS = EntraSettings(tenant_id=TENANT_ID, client_id=APP_REGISTRATION, authority=f"https://{HOST}")


@cache
def the_entra() -> Entra:
    """One for all tests that roll no keys over: making a key takes a moment."""
    return Entra()


def published_keys(
    entra: Entra,
    clock: Callable[[], datetime] | None = None,
    *,
    answer: Callable[[], httpx.Response] | None = None,
) -> SigningKeys:
    """The keys that an Entra publishes, or what else is answered."""

    def handle(_request: httpx.Request) -> httpx.Response:
        entra.requests += 1
        return answer() if answer else httpx.Response(200, content=json.dumps(entra.published()))

    client = httpx.Client(transport=httpx.MockTransport(handle))
    return SigningKeys("https://entra.example/keys", clock or (lambda: datetime.now(UTC)), client)


def token_holders(entra: Entra | None = None) -> TokenHolders:
    """Those who have a token of the local Entra."""
    return TokenHolders(SETTINGS, published_keys(entra or the_entra()))


def bearing(token: str) -> dict[str, str]:
    """The headers of a request with a token."""
    return {"authorization": f"Bearer {token}"}
