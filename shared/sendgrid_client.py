"""Sends requests to SendGrid. What they mean is decided in `shared.sendgrid` and `shared.retrying`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol

import httpx

from shared.limits import ERROR_FILE_MAX, REQUEST_DEADLINE
from shared.sendgrid import HOSTS, Answer, Request, Silence

if TYPE_CHECKING:
    from pydantic import SecretStr

    from shared.model import Region

ANSWER_MAX: Final = 10_000_000
"""Most bytes read of an answer."""

SILENCES: Final[tuple[tuple[type[httpx.TransportError], Silence], ...]] = (
    (httpx.TimeoutException, Silence.TIMEOUT),
    (httpx.ConnectError, Silence.UNREACHABLE),
    (httpx.ProxyError, Silence.UNREACHABLE),
    (httpx.TransportError, Silence.BROKEN),
)
"""What each of httpx's transport errors is to us; the first match counts."""


class SendGrid(Protocol):
    """Sends one request with a key. Never raises for what the network does: silence is a value."""

    def send(self, request: Request, *, region: Region, key: SecretStr) -> Answer | Silence:
        """Send to the region's host."""

    def download(self, url: str) -> Answer | Silence:
        """Fetch a file that SendGrid offers under a URL of its own, without the key."""


class SendGridClient:
    """The real one, over httpx; connections are kept and shared by threads."""

    def __init__(
        self, *, transport: httpx.BaseTransport | None = None, deadline: float = REQUEST_DEADLINE
    ) -> None:
        self._deadline = deadline
        self._client = httpx.Client(
            transport=transport,
            timeout=httpx.Timeout(deadline, connect=20),
            headers={"Accept": "application/json"},
        )

    def send(self, request: Request, *, region: Region, key: SecretStr) -> Answer | Silence:
        """Send to the region's host."""
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"}
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        return self._exchange(
            self._client.build_request(
                request.method, HOSTS[region] + request.path, content=request.body, headers=headers
            ),
            ANSWER_MAX,
        )

    def download(self, url: str) -> Answer | Silence:
        """Fetch a file that SendGrid offers under a URL of its own, without the key."""
        try:
            request = self._client.build_request("GET", url, headers={"Accept": "*/*"})
        except (httpx.InvalidURL, UnicodeError):
            return Silence.UNREACHABLE
        return self._exchange(request, ERROR_FILE_MAX)

    def _exchange(self, request: httpx.Request, most: int) -> Answer | Silence:
        end = time.monotonic() + self._deadline
        try:
            response = self._client.send(request, stream=True)
            try:
                body = bytearray()
                for part in response.iter_bytes():
                    body += part
                    if time.monotonic() > end:
                        return Silence.TIMEOUT
                    if len(body) >= most:
                        break
            finally:
                response.close()
        except httpx.TransportError as error:
            return next(silence for kind, silence in SILENCES if isinstance(error, kind))
        except (httpx.DecodingError, httpx.InvalidURL):  # the latter from a redirect to nowhere
            return Silence.BROKEN
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(status=response.status_code, headers=headers, body=bytes(body[:most]))
