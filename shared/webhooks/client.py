"""Posts one message: to the network address that was looked at, over TLS for the name, and reads the status only.

No proxy, no redirect, no cookie, no body of an answer: what a stranger's host answers costs a few kilobytes and
some seconds. The name is resolved once; what is connected to is what was looked at, so a name that changes its
address in between gains nothing.
"""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol

import httpcore

from shared.deadlines import tls_context, within
from shared.model.notification_codes import NotificationCode
from shared.model.web_address import HTTPS_PORT
from shared.webhooks.addresses import is_allowed, may_be_asked, may_connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from shared.model.web_address import AllowedHost, WebAddress

    type Resolve = Callable[[str, int], Sequence[str]]

FAILURES: Final[tuple[tuple[type[Exception], NotificationCode], ...]] = (
    (httpcore.TimeoutException, NotificationCode.NO_ANSWER),
    (TimeoutError, NotificationCode.NO_ANSWER),
    (httpcore.RemoteProtocolError, NotificationCode.BAD_ANSWER),
    (httpcore.NetworkError, NotificationCode.UNREACHABLE),
    (OSError, NotificationCode.UNREACHABLE),
)
"""What each error is to us; the first match counts."""
CONNECT_SHARE: Final = 1 / 3
"""Of the whole time a connection may take so much, and TLS's beginning as much again."""


@dataclass(frozen=True, kw_only=True)
class Posted:
    """What became of a message."""

    code: NotificationCode | None = None
    """Why it was not taken; None when it was."""
    status: int | None = None
    """What the target answered, if it did."""
    headers: Mapping[str, str] | None = None
    """Of the answer, with names in lower case."""


class Poster(Protocol):
    """Posts one message. Never raises for what the network does."""

    def look_up(self, address: WebAddress) -> list[str] | NotificationCode:
        """The network addresses of a host; or why nothing may be sent there, or cannot."""

    def post(self, address: WebAddress, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Posted:
        """Post it; everything may take so many seconds, the look-up of the name apart."""


class WebhookClient:
    """The real one."""

    def __init__(self, allowed: Iterable[AllowedHost] = (), *, resolve: Resolve | None = None) -> None:
        """`allowed` hosts may be of one's own network."""
        self._allowed = frozenset(allowed)
        self._resolve = resolve or _resolve
        self._tls = tls_context()

    def post(self, address: WebAddress, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Posted:
        """Post it; everything may take so many seconds, the look-up of the name apart."""
        found = self.look_up(address)
        if isinstance(found, NotificationCode):
            return Posted(code=found)
        try:
            with within(seconds):
                return self._post(address, body, headers, _Backend(found, seconds))
        except (httpcore.ProtocolError, httpcore.NetworkError, httpcore.TimeoutException, OSError) as error:
            return Posted(code=_failure(error))

    def look_up(self, address: WebAddress) -> list[str] | NotificationCode:
        """The network addresses of a host; or why nothing may be sent there, or cannot."""
        if not may_be_asked(address, self._allowed):
            return NotificationCode.TARGET_NOT_ALLOWED
        try:
            found = list(self._resolve(address.host, address.port))
        except (OSError, UnicodeError):
            found = []
        if not found:
            return NotificationCode.NAME_UNKNOWN
        own = is_allowed(address, self._allowed)
        if not all(may_connect(each, is_allowed_host=own) for each in found):
            return NotificationCode.TARGET_NOT_ALLOWED
        return found

    def _post(self, address: WebAddress, body: bytes, headers: Mapping[str, str], backend: _Backend) -> Posted:
        host = f"[{address.host}]" if ":" in address.host else address.host
        name = host if address.port == HTTPS_PORT else f"{host}:{address.port}"
        sent = {"Host": name, "Content-Length": str(len(body)), "Connection": "close", **headers}
        url = httpcore.URL(scheme="https", host=address.host, port=address.port, target=address.target)
        with (
            httpcore.ConnectionPool(ssl_context=self._tls, network_backend=backend, max_connections=1) as pool,
            pool.stream(
                "POST", url, headers=list(sent.items()), content=body, extensions={"timeout": backend.timeouts}
            ) as response,
        ):
            return _posted(response)


class _Backend(httpcore.NetworkBackend):
    """Connects to the network addresses that were looked at, whatever the name means by now."""

    def __init__(self, found: Sequence[str], seconds: float) -> None:
        self._found = found
        self._sockets = httpcore.SyncBackend()
        steps = ("connect", "read", "write", "pool")
        self.timeouts = dict.fromkeys(steps, seconds) | {"connect": seconds * CONNECT_SHARE}

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - the name, which is not asked for again
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first that answers, all of them in one time."""
        end = time.monotonic() + (timeout or 0)
        failure: Exception = httpcore.ConnectError("no address")
        for address in self._found:
            left = end - time.monotonic()
            if left <= 0:
                break
            try:
                return self._sockets.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


def _resolve(host: str, port: int) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _posted(response: httpcore.Response) -> Posted:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
    return Posted(code=_judged(response.status), status=response.status, headers=headers)


def _judged(status: int) -> NotificationCode | None:
    if status == HTTPStatus.GONE:
        return NotificationCode.GONE
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    is_elsewhere = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    return NotificationCode.REDIRECTED if is_elsewhere else NotificationCode.REFUSED


def _failure(error: Exception) -> NotificationCode:
    if isinstance(error.__context__, ssl.SSLCertVerificationError):
        return NotificationCode.CERTIFICATE_REFUSED
    return next((code for kind, code in FAILURES if isinstance(error, kind)), NotificationCode.BAD_ANSWER)
