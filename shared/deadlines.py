"""A deadline for a whole exchange over TLS: until the last byte, however slowly the other side drips.

The HTTP library has a limit for every single read and write only, so that headers which come byte by byte, or
never end, would take as long as they like. Sockets made by this module's context wait no longer than what is left.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator


class _OfThread(threading.local):
    """What the exchange on this thread may take."""

    end: float | None = None
    """By the monotonic clock; None for no limit."""


_exchange = _OfThread()


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Have reads of this thread raise TimeoutError once `seconds` have passed."""
    before = _exchange.end
    _exchange.end = time.monotonic() + seconds
    try:
        yield
    finally:
        _exchange.end = before


class _Socket(ssl.SSLSocket):
    """Waits for bytes no longer than what is left of the exchange; a handshake and a write are one wait anyway."""

    def recv(self, *args: Any) -> bytes:  # noqa: ANN401 - as the base class takes them
        self._limit()
        return super().recv(*args)

    def _limit(self) -> None:
        if _exchange.end is None:
            return
        left = _exchange.end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the exchange took too long")
        own = self.gettimeout()
        if own is None or own > left:
            self.settimeout(left)


def tls_context() -> ssl.SSLContext:
    """The usual context, that of the environment's authorities if it names any, whose sockets keep deadlines."""
    context = httpx.create_ssl_context()
    context.sslsocket_class = _Socket
    return context
