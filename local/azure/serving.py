"""Serves ASGI applications on free loopback ports, inside this process."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from local.azure.certificates import Certificates

LOOPBACK = "127.0.0.1"


@asynccontextmanager
async def serve(application: ASGIApp, certificates: Certificates | None = None) -> AsyncIterator[int]:
    """Serve `application` and yield its port; over TLS when certificates are given."""
    config = uvicorn.Config(
        application,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
        ssl_certfile=certificates.certificate_file if certificates else None,
        ssl_keyfile=certificates.private_key_file if certificates else None,
    )
    server = uvicorn.Server(config)
    # Connections made before uvicorn is up wait in the listener's backlog.
    listener = socket.create_server((LOOPBACK, 0))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
