"""Resetting connections, which ASGI has no word for.

uvicorn gives an application no way to break a connection off: one that returns without an answer gets a 500
sent in its name. `TransportProtocol` therefore puts the connection's asyncio transport into each request's
scope, under `extensions`, and `reset_connection` aborts it.
"""

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

from starlette.requests import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

EXTENSION = "local.transport"

_NO_LINGER = struct.pack("ii", 1, 0)


class TransportProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol, with the transport within the application's reach."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn's own
        """Wraps the application for this one connection."""
        super().connection_made(transport)
        application = self.app

        async def with_transport(scope: "Scope", receive: "ASGIReceiveCallable", send: "ASGISendCallable") -> None:
            if scope["type"] == "http":
                scope["extensions"] = {EXTENSION: {"transport": transport}}
            await application(scope, receive, send)

        self.app = with_transport

    def is_idle(self) -> bool:
        """Says whether no request is under way on this connection."""
        # uvicorn has no cycle before the first request, though its annotation says that it always has.
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]


async def reset_connection(request: Request) -> None:
    """Ends the request's connection with a TCP reset and returns once uvicorn has noticed.

    Without lingering, closing a socket sends RST instead of FIN: the client sees "connection reset by peer",
    and never an orderly end.
    """
    transport = request.scope["extensions"][EXTENSION]["transport"]
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()
    while (await request.receive())["type"] != "http.disconnect":
        pass
