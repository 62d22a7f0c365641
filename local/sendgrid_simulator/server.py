"""Runs the application under uvicorn on a loopback port, with or without TLS."""

import logging
import signal
import socket
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

import orjson
import uvicorn
from starlette.types import ASGIApp

from local.sendgrid_simulator.connection import TransportProtocol

HOST = "127.0.0.1"
LARGEST_HEAD_BYTES = 256 * 1024
"""More than SendGrid's servers read, so that the simulator and not uvicorn refuses what is over-long."""

GRACE_SECONDS = 1


class Server(uvicorn.Server):
    """Says on standard output where it listens, once it does."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket) -> None:
        super().__init__(config)
        self.listener = listener
        scheme = "https" if config.is_ssl else "http"
        self.url = f"{scheme}://{HOST}:{listener.getsockname()[1]}"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to listen, then prints the one line."""
        await super().startup(sockets)
        print(orjson.dumps({"listening": self.url}).decode(), flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cuts idle connections first: a TLS client that is not reading would hold up the end otherwise."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, TransportProtocol) and connection.is_idle():
                connection.transport.abort()
        await super().shutdown(sockets)


def build_server(app: ASGIApp, *, port: int, certificate: Path | None, private_key: Path | None) -> Server:
    """Binds the port (0: any free one) and builds the server for it."""
    config = uvicorn.Config(
        app,
        http=TransportProtocol,
        ws="none",
        lifespan="off",
        ssl_certfile=certificate,
        ssl_keyfile=private_key,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        h11_max_incomplete_event_size=LARGEST_HEAD_BYTES,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    listener = socket.create_server((HOST, port))
    # asyncio does this for sockets it makes itself; without it, every answer waits 40 ms for the client's ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Server(config, listener)


def run(server: Server) -> None:
    """Serves until SIGTERM or SIGINT, and exits with 0 then.

    uvicorn shuts down in good order and then raises the signal again for whoever handled it before, which is
    us.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)
    server.run(sockets=[server.listener])


def _exit(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)
