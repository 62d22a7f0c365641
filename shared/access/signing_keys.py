"""The public keys with which Microsoft Entra ID signs tokens, kept for a day.

https://learn.microsoft.com/entra/identity-platform/signing-key-rollover
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import httpx
import jwt

from shared.errors import TransientError
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LIFETIME: Final = timedelta(hours=24)
LEAST_BETWEEN: Final = timedelta(minutes=1)
"""Between two requests, so that tokens with made-up key ids cost nothing."""
TIMEOUT: Final = 5.0
"""Seconds."""
BYTES_MAX: Final = 1_000_000
UNREADABLE: Final = (httpx.HTTPError, jwt.PyJWTError, ValueError, TypeError, AttributeError, RecursionError)
"""What is raised where there are no keys to be read, or something else in their place."""


class SigningKeys:
    """Finds keys by their ids."""

    def __init__(self, address: str, clock: Callable[[], datetime], client: httpx.Client | None = None) -> None:
        """Keep the keys that are published at `address`."""
        self._address = address
        self._clock = clock
        self._client = client or httpx.Client(timeout=TIMEOUT, follow_redirects=False)
        self._lock = threading.Lock()
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched: datetime | None = None
        self._asked: datetime | None = None

    def find(self, key_id: str) -> jwt.PyJWK | None:
        """The key of that id; None when there is no such key. Raises TransientError when that cannot be told."""
        with self._lock:
            now = self._clock()
            is_old = self._fetched is None or now - self._fetched > LIFETIME
            may_ask = self._asked is None or now - self._asked > LEAST_BETWEEN
            if (is_old or key_id not in self._keys) and may_ask:
                self._asked = now
                self._refresh(now)
            if self._fetched is None:
                raise TransientError("The keys of Microsoft Entra ID cannot be had now.")
            return self._keys.get(key_id)

    def _refresh(self, now: datetime) -> None:
        """Fetch the keys; where that fails those from before go on."""
        try:
            found = jwt.PyJWKSet.from_json(self._read().decode())
        except UNREADABLE as error:
            log_event(Event.SIGNING_KEYS_UNAVAILABLE, level=logging.WARNING, error=type(error).__name__)
            return
        self._keys = {key.key_id: key for key in found.keys if key.key_id and key.key_type == "RSA"}
        self._fetched = now

    def _read(self) -> bytes:
        """What is published; no more of it than keys may have."""
        body = b""
        with self._client.stream("GET", self._address) as response:
            response.raise_for_status()
            for piece in response.iter_bytes():
                body += piece
                if len(body) > BYTES_MAX:
                    break
        return body[:BYTES_MAX]
