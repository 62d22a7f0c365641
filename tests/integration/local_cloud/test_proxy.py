import socket
from collections.abc import Iterator

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from local.azure.proxy import Proxy
from local.azure.serving import serve
from local.cloud import LocalCloud

HOST = "service.example"


def saying(text: str) -> Starlette:
    def answer(_: Request) -> PlainTextResponse:
        return PlainTextResponse(text)

    return Starlette(routes=[Route("/", answer)])


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    lonely = Proxy()
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(lonely.serving()):
        yield lonely


@pytest.fixture
def ports() -> Iterator[tuple[int, int]]:
    """Return the ports of two services, which answer "first" and "second"."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serve(saying("first"))) as first,
        portal.wrap_async_context_manager(serve(saying("second"))) as second,
    ):
        yield first, second


def connect(proxy: Proxy, target: str) -> socket.socket:
    """Return the tunnel to `target`; raise `ConnectionRefusedError` when the proxy does not grant it."""
    port = int(proxy.url.rpartition(":")[2])
    tunnel = socket.create_connection(("127.0.0.1", port), timeout=10)
    tunnel.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    status = tunnel.recv(4096).split()[1]
    if status == b"200":
        return tunnel
    tunnel.close()
    raise ConnectionRefusedError(status)


def page(proxy: Proxy, target: str) -> str:
    with connect(proxy, target) as tunnel, tunnel.makefile("rb") as answer:
        tunnel.sendall(b"GET / HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n")
        return answer.read().decode().rpartition("\r\n")[2]


def test_a_routed_host_is_led_to_its_port(proxy: Proxy, ports: tuple[int, int]) -> None:
    proxy.route(HOST, ports[0])
    assert page(proxy, f"{HOST}:443") == "first"


def test_hosts_below_a_routed_domain_are_led_there_too(proxy: Proxy, ports: tuple[int, int]) -> None:
    proxy.route(HOST, ports[0])
    assert page(proxy, f"some.{HOST}:443") == "first"


def test_the_next_connection_takes_a_changed_route(proxy: Proxy, ports: tuple[int, int]) -> None:
    proxy.route(HOST, ports[0])
    page(proxy, f"{HOST}:443")
    proxy.route(HOST, ports[1])
    assert page(proxy, f"{HOST}:443") == "second"


def test_a_reached_host_is_on_record(proxy: Proxy, ports: tuple[int, int]) -> None:
    proxy.route(HOST, ports[0])
    page(proxy, f"{HOST}:443")
    assert proxy.reached == [f"{HOST}:443"]


@pytest.mark.parametrize("target", ["elsewhere.example:443", f"not{HOST}:443", f"{HOST}:8443", HOST])
def test_anything_else_is_refused_and_on_record(proxy: Proxy, target: str) -> None:
    proxy.route(HOST, 1)
    with pytest.raises(ConnectionRefusedError, match="502"):
        connect(proxy, target)
    assert proxy.refused == [target]


def test_a_client_that_hangs_up_ends_the_upstream_connection(proxy: Proxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as service:
        proxy.route(HOST, service.getsockname()[1])
        connect(proxy, f"{HOST}:443").close()
        upstream, _ = service.accept()
        with upstream:
            upstream.settimeout(10)
            assert upstream.recv(1) == b""


def test_open_tunnels_end_with_the_proxy() -> None:
    proxy = Proxy()
    with start_blocking_portal() as portal, socket.create_server(("127.0.0.1", 0)) as service:
        proxy.route(HOST, service.getsockname()[1])
        with portal.wrap_async_context_manager(proxy.serving()):
            tunnel = connect(proxy, f"{HOST}:443")
        with tunnel:
            assert tunnel.recv(1) == b""


def test_a_request_without_connect_is_refused(proxy: Proxy) -> None:
    proxy.route(HOST, 1)
    answer = httpx.get(f"http://{HOST}:443/", proxy=proxy.url, trust_env=False)
    assert (answer.status_code, proxy.refused) == (502, [f"http://{HOST}:443/"])


def test_a_routed_service_that_is_down_is_not_counted_as_refused(proxy: Proxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed_soon:
        proxy.route(HOST, closed_soon.getsockname()[1])
    with pytest.raises(ConnectionRefusedError, match="502"):
        connect(proxy, f"{HOST}:443")
    assert proxy.refused == []


@pytest.mark.parametrize("host", ["api.sendgrid.com", "api.eu.sendgrid.com"])
def test_both_sendgrid_regions_lead_to_the_simulator(cloud: LocalCloud, web: httpx.Client, host: str) -> None:
    web.get(f"https://{host}/v3/scopes")
    assert cloud.proxy.reached[-1] == f"{host}:443"


def test_what_sendgrid_was_asked_is_recorded(cloud: LocalCloud, web: httpx.Client) -> None:
    web.get("https://api.sendgrid.com/v3/marketing/lists/recorded")
    assert cloud.record_file is not None
    assert "/v3/marketing/lists/recorded" in cloud.record_file.read_text()
