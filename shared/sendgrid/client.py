"""Sends requests to SendGrid. What they mean is decided in `api` and `decisions`."""

from __future__ import annotations

import contextlib
import time
from http.client import OK, TOO_MANY_REQUESTS
from typing import TYPE_CHECKING, Final, Protocol

import httpx

from shared.deadlines import tls_context, within
from shared.errors import FileGoneError, TransientError
from shared.limits import ERROR_FILE_MAX, LARGE_FILE_DEADLINE, LARGE_FILE_MAX, REQUEST_DEADLINE
from shared.sendgrid.api import HOSTS, NoResponse, Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import SecretStr

    from shared.model.definitions import Region

RESPONSE_MAX: Final = 10_000_000
"""Most bytes read of an answer."""
SERVER_ERROR: Final = 500

NO_RESPONSES: Final[tuple[tuple[type[httpx.TransportError], NoResponse], ...]] = (
    (httpx.TimeoutException, NoResponse.TIMEOUT),
    (httpx.ConnectError, NoResponse.UNREACHABLE),
    (httpx.ProxyError, NoResponse.UNREACHABLE),
    (httpx.TransportError, NoResponse.BROKEN),
)
"""What each of httpx's transport errors is to us; the first match counts."""


class SendGrid(Protocol):
    """Sends one request with a key. Never raises for what the network does: silence is a value."""

    def send(self, request: Request, *, region: Region, key: SecretStr) -> Response | NoResponse:
        """Send to the region's host."""

    def download(self, url: str) -> Response | NoResponse:
        """Fetch a file that SendGrid offers under a URL of its own, without the key."""

    def read_file(self, url: str) -> Iterator[bytes]:
        """Read a large file that SendGrid offers under a URL of its own, without the key, block by block.

        Raises FileGoneError, and TransientError when the file does not come to its end.
        """


class SendGridClient:
    """The real one, over httpx; connections are kept and shared by threads."""

    def __init__(
        self, *, transport: httpx.BaseTransport | None = None, deadline: float = REQUEST_DEADLINE
    ) -> None:
        self._deadline = deadline
        self._client = httpx.Client(
            transport=transport,
            verify=tls_context(),
            timeout=httpx.Timeout(deadline, connect=20),
            headers={"Accept": "application/json"},
        )

    def send(self, request: Request, *, region: Region, key: SecretStr) -> Response | NoResponse:
        """Send to the region's host."""
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"}
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        return self._exchange(
            self._client.build_request(
                request.method, HOSTS[region] + request.path, content=request.body, headers=headers
            ),
            RESPONSE_MAX,
        )

    def download(self, url: str) -> Response | NoResponse:
        """Fetch a file that SendGrid offers under a URL of its own, without the key."""
        try:
            request = self._client.build_request("GET", url, headers={"Accept": "*/*"})
        except (httpx.InvalidURL, UnicodeError):
            return NoResponse.UNREACHABLE
        return self._exchange(request, ERROR_FILE_MAX)

    def read_file(self, url: str) -> Iterator[bytes]:
        """Read a large file that SendGrid offers under a URL of its own, without the key, block by block.

        The blocks are as they are stored, whatever the headers say of them: those are not always right. Raises
        FileGoneError, and TransientError when the file does not come to its end, or is too long.
        """
        end = time.monotonic() + LARGE_FILE_DEADLINE
        size = 0
        failure: FileGoneError | TransientError | None = None
        try:
            headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
            request = self._client.build_request("GET", url, headers=headers)
            with within(self._deadline):
                response = self._client.send(request, stream=True)
            with contextlib.closing(response):
                failure = _refusal(response.status_code)
                for block in response.iter_raw() if failure is None else ():
                    yield block
                    size += len(block)
                    if time.monotonic() > end:
                        failure = TransientError("the file store is too slow")
                        break
                    if size > LARGE_FILE_MAX:
                        failure = TransientError(f"the file store sends more than {LARGE_FILE_MAX:,} bytes")
                        break
        except (httpx.TransportError, httpx.InvalidURL, UnicodeError) as error:
            failure = TransientError(f"the file store does not answer ({type(error).__name__})")
        if failure is not None:
            raise failure  # here, and not where it would have an error that tells the address as its context

    def _exchange(self, request: httpx.Request, most: int) -> Response | NoResponse:
        end = time.monotonic() + self._deadline
        try:
            with within(self._deadline), contextlib.closing(self._client.send(request, stream=True)) as response:
                body = bytearray()
                for part in response.iter_bytes():
                    body += part
                    if time.monotonic() > end:
                        return NoResponse.TIMEOUT
                    if len(body) >= most:
                        break
        except httpx.TransportError as error:
            return next(no_response for kind, no_response in NO_RESPONSES if isinstance(error, kind))
        except (httpx.DecodingError, httpx.InvalidURL):  # the latter from a redirect to nowhere
            return NoResponse.BROKEN
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Response(status=response.status_code, headers=headers, body=bytes(body[:most]))


def _refusal(status: int) -> FileGoneError | TransientError | None:
    """What an answer of the file store means, unless it is the file."""
    if status == OK:
        return None
    if status == TOO_MANY_REQUESTS or status >= SERVER_ERROR:
        return TransientError(f"the file store answered {status}")
    return FileGoneError(f"the file store answered {status}")
