"""A CONNECT proxy that leads the production host names to local ports, and nowhere else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from local.azure.serving import LOOPBACK

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
BLOCK_BYTES = 65536


class Proxy:
    """The only way out for the app, and a dead end for every host that is not played here.

    Each connection looks up its route anew, so a service may come back on another port.

    Attributes:
        refused: The targets ("host:port") of all refused requests, in order.
        reached: The targets of all connections made, in order.
        url: Where the proxy listens, once `serving`.
    """

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.reached: list[str] = []
        self.url = ""
        self._ports: dict[str, int] = {}

    def route(self, domain: str, port: int) -> None:
        """Lead port 443 of `domain` and all hosts below it to a local port, from the next connection on."""
        self._ports[domain] = port

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen on a free loopback port until the context ends."""
        server = await asyncio.start_server(self._serve_client, LOOPBACK, 0)
        self.url = f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
        try:
            yield
        finally:
            server.close()
            server.abort_clients()

    async def _serve_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await reader.readuntil(b"\r\n\r\n")
            await self._answer(head.decode("latin-1"), reader, writer)
        writer.close()

    async def _answer(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, _, rest = head.partition(" ")
        target = rest.partition(" ")[0]
        port = self._port(target) if method == "CONNECT" else None
        if port is None:
            self.refused.append(target)
            writer.write(BAD_GATEWAY)
            return
        try:
            upstream = await asyncio.open_connection(LOOPBACK, port)
        except ConnectionError:
            writer.write(BAD_GATEWAY)
            return
        self.reached.append(target)
        writer.write(ESTABLISHED)
        await _tunnel((reader, writer), upstream)

    def _port(self, target: str) -> int | None:
        host, _, port = target.rpartition(":")
        if port != "443":
            return None
        labels = host.lower().split(".")
        domains = (".".join(labels[start:]) for start in range(len(labels)))
        return next((self._ports[domain] for domain in domains if domain in self._ports), None)


type Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _tunnel(client: Stream, upstream: Stream) -> None:
    """Copy both ways until either side hangs up, then hang up on both."""
    pumps = [
        asyncio.create_task(_pump(client[0], upstream[1])),
        asyncio.create_task(_pump(upstream[0], client[1])),
    ]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pump in pumps:
            pump.cancel()
        upstream[1].close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while block := await reader.read(BLOCK_BYTES):
            writer.write(block)
            await writer.drain()
