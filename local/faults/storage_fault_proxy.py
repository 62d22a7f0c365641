"""A gate before blob storage that lets a share of the app's writes meet an error, with or without their effect.

https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
"""

import random
import ssl
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import httpx
from anyio.from_thread import start_blocking_portal
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.azure.certificates import Certificates
from local.azure.environment import STATE_CONTAINER
from local.azure.serving import LOOPBACK, serve
from local.cloud import LocalCloud

BLOB: Final = "blob.core.windows.net"
METHODS: Final = ("DELETE", "GET", "HEAD", "POST", "PUT")
HOP_BY_HOP: Final = {"connection", "keep-alive", "transfer-encoding", "date", "server"}
BUSY: Final = (503, "ServerBusy")
CREATING: Final = ((409, "BlobAlreadyExists"), (409, "PendingCopyOperation"), BUSY)
REPLACING: Final = ((412, "ConditionNotMet"), (409, "PendingCopyOperation"), BUSY)
WRITING: Final = ((409, "PendingCopyOperation"), BUSY)
ONLY_AFTER: Final = {"BlobAlreadyExists"}
"""Not true unless the write has had its effect."""
ONLY_BEFORE: Final = {"PendingCopyOperation"}
"""Not true once the write has had its effect."""


class BlobGate:
    """Forwards everything to Azurite's blob port.

    Attributes:
        injected: How often each error was answered, by its status.
    """

    def __init__(self, port: int, *, trust: ssl.SSLContext, chooser: random.Random, share: float) -> None:
        """Answer a `share` of the writes to the state container with an error."""
        self.injected: Counter[int] = Counter()
        self._chooser = chooser
        self._share = share
        self._upstream = httpx.AsyncClient(
            base_url=f"https://{LOOPBACK}:{port}", verify=trust, timeout=60, trust_env=False
        )
        self.application = Starlette(routes=[Route("/{path:path}", self._pass, methods=list(METHODS))])

    async def _pass(self, request: Request) -> Response:
        fault = self._choose(request)
        if fault is None:
            return await self._forward(request)
        status, code = fault
        has_effect = code in ONLY_AFTER or (code not in ONLY_BEFORE and self._chooser.random() < 0.5)  # noqa: PLR2004
        if has_effect:
            answer = await self._forward(request)
            if answer.status_code >= 400:  # noqa: PLR2004 - a true refusal is not replaced
                return answer
        self.injected[status] += 1
        return _error(status, code)

    def _choose(self, request: Request) -> tuple[int, str] | None:
        is_write = request.method == "PUT" and request.url.path.startswith(f"/{STATE_CONTAINER}/")
        if not is_write or self._chooser.random() >= self._share:
            return None
        return self._chooser.choice(_possible(request.headers))

    async def _forward(self, request: Request) -> Response:
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
def blob_gate(
    cloud: LocalCloud, certificates: Certificates, *, chooser: random.Random, share: float
) -> Iterator[BlobGate]:
    """Put the gate between everybody and the blobs, for the length of the block."""
    trust = ssl.create_default_context(cafile=certificates.ca_file)
    port = cloud.azurite.ports.blob
    gate = BlobGate(port, trust=trust, chooser=chooser, share=share)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serve(gate.application, certificates)) as gate_port,
    ):
        cloud.proxy.route(BLOB, gate_port)
        try:
            yield gate
        finally:
            cloud.proxy.route(BLOB, port)


def _possible(headers: Mapping[str, str]) -> tuple[tuple[int, str], ...]:
    if headers.get("if-none-match") == "*":
        return CREATING
    return REPLACING if "if-match" in headers else WRITING


def _error(status: int, code: str) -> Response:
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'
    return Response(body, status, {"x-ms-error-code": code}, media_type="application/xml")
