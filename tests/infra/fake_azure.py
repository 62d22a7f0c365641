"""Pretends to be Azure for the real az: Resource Manager and the app's deployment endpoint, behind a proxy.

Knows what deploy.sh needs and nothing more: any other request is answered 404 and kept in `unknown`.
"""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import re
import select
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import trustme

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUBSCRIPTION = "00000000-0000-0000-0000-0000000000aa"
TENANT = "00000000-0000-0000-0000-0000000000bb"
HOSTS = ("management.azure.com", "login.microsoftonline.com", "*.azurewebsites.net", "*.scm.azurewebsites.net")
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-x"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/func-x"

PYTHON = {
    "value": "3.13",
    "stackSettings": {
        "linuxRuntimeSettings": {
            "Sku": [
                {
                    "skuCode": "FC1",
                    "functionAppConfigProperties": {"runtime": {"name": "python", "version": "3.13"}},
                }
            ],
            "gitHubActionSettings": {"isSupported": True, "supportedVersion": "3.13"},
            "appInsightsSettings": {"isSupported": True},
        }
    },
}

PLAIN: dict[str, Any] = {
    r"GET /subscriptions$": {
        "value": [
            {
                "id": f"/subscriptions/{SUBSCRIPTION}",
                "subscriptionId": SUBSCRIPTION,
                "tenantId": TENANT,
                "displayName": "Contoso",
                "state": "Enabled",
            }
        ]
    },
    r"GET /subscriptions/[^/]*/providers/[\w.]+$": {"registrationState": "Registered"},
    r"GET .*/providers/Microsoft.KeyVault/(vaults|deletedVaults)$": {"value": []},
    r"GET .*/providers/Microsoft.Web/sites$": {"value": []},
    r"GET .*/providers/Microsoft.Consumption/budgets$": {"value": []},
    r"POST .*/deployments/[\w-]+/validate$": {"properties": {"provisioningState": "Succeeded"}},
    r"GET .*/deployments/[\w-]+/operations$": {"value": []},
    r"GET .*/sites/func-x$": {
        "id": SITE,
        "name": "func-x",
        "location": "North Europe",
        "kind": "functionapp,linux",
        "properties": {
            "serverFarmId": f"{GROUP}/providers/Microsoft.Web/serverfarms/plan-x",
            "sku": "FlexConsumption",
            "reserved": True,
            "defaultHostName": "func-x.azurewebsites.net",
            "enabledHostNames": ["func-x.azurewebsites.net", "func-x.scm.azurewebsites.net"],
            "hostNameSslStates": [
                {"name": "func-x.azurewebsites.net", "hostType": "Standard"},
                {"name": "func-x.scm.azurewebsites.net", "hostType": "Repository"},
            ],
            "functionAppConfig": {"runtime": {"name": "python", "version": "3.13"}},
        },
    },
    r"GET .*/serverfarms/plan-x$": {
        "id": f"{GROUP}/providers/Microsoft.Web/serverfarms/plan-x",
        "name": "plan-x",
        "location": "North Europe",
        "sku": {"name": "FC1", "tier": "FlexConsumption"},
    },
    r"GET .*/locations/[^/]+/functionAppStacks$": {
        "value": [{"name": "python", "properties": {"majorVersions": [{"minorVersions": [PYTHON]}]}}]
    },
    r"POST .*/sites/func-x/config/appsettings/list$": {"properties": {}},
    r"GET .*/sites/func-x/config/slotConfigNames$": {"properties": {}},
    r"POST .*/host/default/listkeys$": {"masterKey": "master", "functionKeys": {"default": "app-key"}},
    r"GET .*/providers/Microsoft.Authorization/locks$": {"value": []},
    r"GET /api/deployments/latest$": {"status": 4, "complete": True, "active": True},
    r"GET /admin/host/status$": {"state": "Running"},
}
"""What is answered without thinking: method and path to a document."""


class Azure:
    """What Azure has and has been told."""

    def __init__(self, outputs: dict[str, str]) -> None:
        self.outputs = outputs
        self.groups: set[str] = set()
        self.deployed: dict[str, Any] = {}
        self.package = b""
        self.package_query: dict[str, list[str]] = {}
        self.keys: dict[str, str] = {}
        """Function keys of the host that were stored, by name."""
        self.seen: list[str] = []
        self.unknown: list[str] = []

    def answer(self, method: str, url: str, body: bytes) -> tuple[int, Any]:
        """Status and document for a request."""
        path = urlsplit(url).path.replace("/resourcegroups/", "/resourceGroups/")
        line = f"{method} {path}"
        self.seen.append(line)
        if path == GROUP:
            return self._group(method)
        if re.fullmatch(r"(PUT|GET) .*/providers/Microsoft.Resources/deployments/[\w-]+", line):
            return self._deployment(method, body)
        if line == "POST /api/publish":
            self.package, self.package_query = body, parse_qs(urlsplit(url).query)
            return 202, "an id"
        if re.fullmatch(r"PUT .*/sites/func-x/host/default/functionKeys/\w+", line):
            key = json.loads(body)["properties"]
            self.keys[key["name"]] = key["value"]
            return 201, {"properties": key}
        for pattern, document in PLAIN.items():
            if re.fullmatch(pattern.removesuffix("$"), line):
                return 200, document
        self.unknown.append(line)
        return 404, {"error": {"code": "NotFound", "message": line}}

    def _group(self, method: str) -> tuple[int, Any]:
        if method == "PUT":
            self.groups.add("rg-x")
        elif "rg-x" not in self.groups:
            return 404, {"error": {"code": "ResourceGroupNotFound", "message": "none"}}
        document = {"id": GROUP, "name": "rg-x", "location": "northeurope", "properties": {}}
        return (204 if method == "HEAD" else 201 if method == "PUT" else 200), document

    def _deployment(self, method: str, body: bytes) -> tuple[int, Any]:
        if method == "PUT":
            # az sends the key `template` without quotes
            self.deployed = json.loads(re.sub(rb"([{,]\s*)template:", rb'\1"template":', body))["properties"]
        outputs = {name: {"type": "String", "value": value} for name, value in self.outputs.items()}
        properties = {"provisioningState": "Succeeded", "outputs": outputs, "outputResources": []}
        return 200, {
            "id": f"{GROUP}/providers/Microsoft.Resources/deployments/d",
            "name": "d",
            "properties": properties,
        }


def token() -> str:
    """An unsigned token for a service principal."""
    claims = {"tid": TENANT, "oid": TENANT, "appid": TENANT, "iss": f"https://sts.windows.net/{TENANT}/"}
    claims |= {"exp": str(int(time.time()) + 3600)}
    head, body = ({"alg": "none", "typ": "JWT"}, claims)
    words = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in (head, body)]
    return ".".join((*words, ""))


class _Handler(http.server.BaseHTTPRequestHandler):
    azure: Azure
    protocol_version = "HTTP/1.1"

    def _respond(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.path.startswith("/msi/token"):
            expires = str(int(time.time()) + 3600)
            self._send(
                200, {"access_token": token(), "expires_on": expires, "token_type": "Bearer", "resource": "x"}
            )
        else:
            self._send(*self.azure.answer(self.command, self.path, body))

    do_GET = do_PUT = do_POST = do_HEAD = _respond  # noqa: N815 - named by the library

    def _send(self, status: int, document: object) -> None:
        content = json.dumps(document).encode()
        empty = self.command == "HEAD" or status == http.HTTPStatus.NO_CONTENT
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "0" if empty else str(len(content)))
        self.end_headers()
        if not empty:
            self.wfile.write(content)

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
    """Pretend until the context ends; gives the environment that leads az here."""
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
        yield {
            "HTTPS_PROXY": here,
            "NO_PROXY": "127.0.0.1",
            "REQUESTS_CA_BUNDLE": str(folder / "ca.pem"),
            "IDENTITY_ENDPOINT": f"{here}/msi/token",
            "IDENTITY_HEADER": "any",
        }
        for server in (tls, plain):
            server.shutdown()
