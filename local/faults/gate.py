"""A gate before a service of the storage: everything passes through it, unless it is shut."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final

import httpx
from anyio.from_thread import start_blocking_portal
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.azure.certificates import Certificates
from local.azure.serving import LOOPBACK, serve
from local.cloud import LocalCloud

METHODS: Final = ("DELETE", "GET", "HEAD", "POST", "PUT")
HOP_BY_HOP: Final = {"connection", "keep-alive", "transfer-encoding", "date", "server"}
LOOK_SECONDS: Final = 0.05


class Mood(StrEnum):
    """What a gate does with requests."""

    OPEN = "open"
    REFUSING = "refusing"
    """403, as where a role or a firewall rule is gone."""
    REFUSING_PUTS = "refusing puts"
    """The same for messages that are put on a queue, and nothing else."""
    SILENT = "silent"
    """No answer until the gate is open again; then the request is carried out."""


class Gate:
    """Forwards to a port of Azurite's.

    Attributes:
        mood: What it does with requests now.
        struck: How many requests it has not let through at once.
    """

    def __init__(self, port: int, *, trust: ssl.SSLContext) -> None:
        """Be open."""
        self.mood = Mood.OPEN
        self.struck = 0
        self._upstream = httpx.AsyncClient(
            base_url=f"https://{LOOPBACK}:{port}", verify=trust, timeout=60, trust_env=False
        )
        self.application = Starlette(routes=[Route("/{path:path}", self.answer, methods=list(METHODS))])

    async def answer(self, request: Request) -> Response:
        """Answer a request, as the mood is."""
        is_put = request.method == "POST" and request.url.path.endswith("/messages")
        if self.mood is Mood.REFUSING or (self.mood is Mood.REFUSING_PUTS and is_put):
            self.struck += 1
            return error_answer(403, "AuthorizationFailure")
        self.struck += self.mood is Mood.SILENT
        while self.mood is Mood.SILENT:  # noqa: ASYNC110  # the mood is changed by another thread
            await asyncio.sleep(LOOK_SECONDS)
        return await self.forward(request)

    async def forward(self, request: Request) -> Response:
        """Have Azurite answer."""
        target = request.scope["raw_path"].decode("ascii")
        query = f"?{request.url.query}" if request.url.query else ""
        answer = await self._upstream.request(
            request.method, target + query, content=await request.body(), headers=request.headers.raw
        )
        response = Response(answer.content, answer.status_code)
        response.raw_headers = [
            (name, value) for name, value in answer.headers.raw if name.decode().lower() not in HOP_BY_HOP
        ]
        return response


@contextmanager
def gate_before(cloud: LocalCloud, service: str, gate: Gate) -> Iterator[None]:
    """Put a gate between everybody and `service`, blob or queue, for connections made within the block."""
    domain, port = f"{service}.core.windows.net", getattr(cloud.azurite.ports, service)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serve(gate.application, certificates_of(cloud))) as gate_port,
    ):
        cloud.proxy.route(domain, gate_port)
        try:
            yield
        finally:
            cloud.proxy.route(domain, port)


def certificates_of(cloud: LocalCloud) -> Certificates:
    """Find the certificates that everything local is served with."""
    return Certificates(
        ca_file=cloud.ca_file,
        certificate_file=cloud.ca_file.with_name("server.pem"),
        private_key_file=cloud.ca_file.with_name("server.key"),
    )


def trust_of(cloud: LocalCloud) -> ssl.SSLContext:
    """Trust what is served locally."""
    return ssl.create_default_context(cafile=cloud.ca_file)


def error_answer(status: int, code: str) -> Response:
    """Answer as storage does when it does not do what it is asked for."""
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'
    return Response(body, status, {"x-ms-error-code": code}, media_type="application/xml")
