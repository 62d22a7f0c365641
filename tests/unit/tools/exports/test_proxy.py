"""The app is reached through the proxy of the machine, and only then."""

from __future__ import annotations

import http.server
import threading
from typing import TYPE_CHECKING

import pytest

from tools.exports.api import Api, ApiError
from tools.exports.definitions import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADERS = {"x-functions-key": "admin.made-up"}


class _Proxy(http.server.BaseHTTPRequestHandler):
    asked: list[str]

    def do_CONNECT(self) -> None:
        self.asked.append(self.path)
        self.send_error(502)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the proxy was asked for."""
    asked: list[str] = []
    handler = type("Proxy", (_Proxy,), {"asked": asked})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name in ("HTTPS_PROXY", "HTTP_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
            monkeypatch.delenv(name.lower(), raising=False)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield asked
        server.shutdown()


def test_the_app_is_reached_through_the_proxy(proxy: list[str]) -> None:
    with (
        pytest.raises(ApiError, match=r"does not answer \(ProxyError\)"),
        Api("https://app.example", HEADERS) as api,
    ):
        api.list_ids(Kind.EXPORT)
    assert proxy == ["app.example:443"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "https://inside.example:9"])
def test_what_needs_no_proxy_does_not_go_there(
    proxy: list[str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "inside.example")
    with pytest.raises(ApiError, match=r"does not answer \(ConnectError\)"), Api(url, HEADERS) as api:
        api.list_ids(Kind.EXPORT)
    assert proxy == []


@pytest.mark.parametrize("address", ["ftp://proxy.example", "http://proxy.example:port", "socks5://proxy.example"])
def test_a_proxy_that_is_none_is_named(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(ApiError, match="HTTPS_PROXY is not the address of a proxy"):
        Api("https://app.example", HEADERS)
