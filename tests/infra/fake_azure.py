"""Pretends to be Azure for the real az, behind a proxy: Entra, Resource Manager, a storage account, an app.

Any other request is answered 404 and kept in `unknown`.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import select
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import trustme

from tests.infra import fake_entra
from tests.infra.fake_blobs import Answer, refusal
from tests.infra.fake_resources import CONTRIBUTOR, PACKAGES, ResourceManager

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from email.message import Message
    from pathlib import Path

HOSTS = (
    "management.azure.com",
    "login.microsoftonline.com",
    "func-x.azurewebsites.net",
    "func-x.scm.azurewebsites.net",
    "sthost.blob.core.windows.net",
)
STORAGE = "https://storage.azure.com"


class Azure:
    """Everything that the scripts reach by HTTPS."""

    def __init__(self, app: Mapping[str, tuple[int, str]]) -> None:
        self.app = app
        """What the app answers: path to status and body."""
        self.resources = ResourceManager()
        self.published: list[tuple[bytes, dict[str, list[str]]]] = []
        """Packages, with the query of the request that brought each."""
        self.refuse_blobs = 1
        """How often storage refuses after the right was given: it takes a while to be known."""
        self.seen: list[str] = []
        self.unknown: list[str] = []
        self.secret = b"?"
        self.told: list[str] = []
        """Requests that had the secret in them."""
        self.calls: list[tuple[str, str]] = []
        """Requests at the app, with their function key."""

    def answer(self, host: str, method: str, url: str, headers: Message[str, str], body: bytes) -> Answer:
        """What the host answers."""
        line = f"{method} {host}{urlsplit(url).path}"
        self.seen.append(line)
        if self.secret in body + str([url, *headers.items()]).encode():
            self.told.append(line)
        answer: Answer | None = None
        if host == "management.azure.com":
            answer = _as_json(self.resources.answer(method, url, body))
        elif host == "login.microsoftonline.com":
            answer = _as_json(fake_entra.answer(method, url, body))
        elif host == "sthost.blob.core.windows.net":
            answer = self._blobs(method, url, headers, body)
        elif host == "func-x.scm.azurewebsites.net":
            answer = self._publish(f"{method} {urlsplit(url).path}", url, body)
        elif host == "func-x.azurewebsites.net":
            answer = self._call(method, urlsplit(url).path, headers)
        if answer is None:
            self.unknown.append(line)
            answer = _as_json((404, {"error": {"code": "NotFound", "message": line}}))
        return answer or Answer(404)

    def _publish(self, line: str, url: str, body: bytes) -> Answer | None:
        if line == "POST /api/publish":
            self.published.append((body, parse_qs(urlsplit(url).query)))
            return _as_json((202, "an id"))
        if line == "GET /api/deployments/latest":
            return _as_json((200, {"status": 4, "complete": True, "active": True}))
        return None

    def _call(self, method: str, path: str, headers: Message[str, str]) -> Answer | None:
        if path == "/admin/host/status":
            return _as_json((200, {"state": "Running"}))
        self.calls.append((f"{method} {path}", headers.get("x-functions-key", "")))
        found = self.app.get(path)
        return Answer(found[0], found[1].encode(), {"Content-Type": "application/json"}) if found else None

    def _blobs(self, method: str, url: str, headers: Message[str, str], body: bytes) -> Answer | None:
        claims = fake_entra.claims_of(headers.get("Authorization", ""))
        if str(claims.get("aud", "")).rstrip("/") != STORAGE:
            return refusal(403, "AuthenticationFailed")
        mine = {(role, scope) for role, who, _, scope in self.resources.given if who == claims["oid"]}
        if (CONTRIBUTOR, PACKAGES) not in mine:
            return refusal(403, "AuthorizationPermissionMismatch")
        if self.refuse_blobs:
            self.refuse_blobs -= 1
            return refusal(403, "AuthorizationPermissionMismatch")
        return self.resources.packages.answer(method, url, headers, body)


def _as_json(found: tuple[int, Any] | None) -> Answer | None:
    if found is None:
        return None
    return Answer(found[0], json.dumps(found[1]).encode(), {"Content-Type": "application/json"})


class _Handler(http.server.BaseHTTPRequestHandler):
    azure: Azure
    protocol_version = "HTTP/1.1"

    def _respond(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.path.startswith("/msi/token"):
            (resource,) = parse_qs(urlsplit(self.path).query)["resource"]
            self._send(Answer(200, json.dumps(fake_entra.identity_token(resource)).encode()))
        else:
            self._send(self.azure.answer(self.headers["Host"], self.command, self.path, self.headers, body))

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _respond  # noqa: N815 - named by the library

    def _send(self, answer: Answer) -> None:
        empty = self.command == "HEAD" or answer.status == http.HTTPStatus.NO_CONTENT
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0" if empty else str(len(answer.content)))
        self.end_headers()
        if not empty:
            self.wfile.write(answer.content)

    def do_CONNECT(self) -> None:
        """Lead every host to the TLS server; only hosts in its certificate get anywhere."""
        with socket.create_connection(self.server.tls_address) as upstream:  # type: ignore[attr-defined]
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self.wfile.flush()
            _pump(self.connection, upstream)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _pump(left: socket.socket, right: socket.socket) -> None:
    """Copy both ways until one side hangs up."""
    other = {left: right, right: left}
    with contextlib.suppress(ConnectionError):
        while ready := select.select([left, right], [], [], 120)[0]:
            for each in ready:
                block = each.recv(65536)
                if not block:
                    return
                other[each].sendall(block)


@contextlib.contextmanager
def serving(azure: Azure, folder: Path) -> Iterator[dict[str, str]]:
    """Pretend until the context ends; gives the environment that leads az, curl and Python here."""
    authority = trustme.CA()
    leaf = authority.issue_cert(*HOSTS)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    leaf.configure_cert(context)
    handler = type("Handler", (_Handler,), {"azure": azure})
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as tls,
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as plain,
    ):
        tls.socket = context.wrap_socket(tls.socket, server_side=True)
        plain.tls_address = tls.server_address  # type: ignore[attr-defined]
        for server in (tls, plain):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        here = f"http://127.0.0.1:{plain.server_port}"
        certificates = str(folder / "ca.pem")
        yield {
            "HTTPS_PROXY": here,
            "NO_PROXY": "127.0.0.1",
            "REQUESTS_CA_BUNDLE": certificates,
            "CURL_CA_BUNDLE": certificates,
            "SSL_CERT_FILE": certificates,
            "IDENTITY_ENDPOINT": f"{here}/msi/token",
            "IDENTITY_HEADER": "any",
        }
        for server in (tls, plain):
            server.shutdown()
