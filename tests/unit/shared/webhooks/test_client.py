"""What a notification may reach, and what a hostile target can do to it: cost some seconds."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING

import pytest
import trustme

from shared.model.notification_codes import NotificationCode
from shared.model.web_address import AllowedHost, WebAddress, parse_web_address
from shared.webhooks.client import Posted, WebhookClient
from tests.support.tls_peer import Peer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = b'{"type":"test"}'
DEADLINE = 1.0
WELL_AFTER = 3.0
REFUSED_ADDRESSES = (
    *("10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "127.8.9.10", "0.0.0.0", "0.1.2.3"),  # noqa: S104 - tried
    *("169.254.169.254", "169.254.1.1", "100.64.0.1", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1"),
    *("224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:169.254.169.254", "::127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001::1", "2001:db8::1"),
    *("3fff::1", "100::1", "5f00::1", "not an address", ""),
)
OWN = ("10.0.0.1", "192.168.1.1", "172.31.0.1", "127.0.0.1", "100.64.0.1", "::1", "fd12::1")
OWN_TOO = ("127.8.9.10", "172.16.0.1", "fc00::1", "fd00:ec2::254")
HOSTILE_NAMES = ("127.1", "0x7f000001", "2130706433", "0177.0.0.1", "localhost", "no-such.invalid")


def address(host: str = "hooks.example", port: int = 443) -> WebAddress:
    return WebAddress(host=host, port=port, target="/told")


def a_client(*found: str, allowed: tuple[AllowedHost, ...] = ()) -> WebhookClient:
    return WebhookClient(allowed, resolve=lambda _host, _port: list(found))


@pytest.mark.parametrize("found", REFUSED_ADDRESSES)
def test_nothing_goes_to_an_address_that_is_not_of_the_internet(found: str) -> None:
    assert a_client(found).post(address(), BODY, {}, seconds=DEADLINE).code is NotificationCode.TARGET_NOT_ALLOWED
    one_of_several = a_client("203.0.113.1", "8.8.8.8", found).look_up(address())
    assert one_of_several is NotificationCode.TARGET_NOT_ALLOWED


@pytest.mark.parametrize("found", ["8.8.8.8", "20.42.0.1", "2606:4700::1111", "2a01:111:f400::1"])
def test_what_is_of_the_internet_may_be_told(found: str) -> None:
    assert a_client(found).look_up(address()) == [found]


@pytest.mark.parametrize("found", OWN)
def test_an_allowed_host_may_be_of_ones_own_network(found: str) -> None:
    allowed = (AllowedHost(host="alerts.corp.example", port=8443),)
    client = a_client(found, allowed=allowed)
    assert client.look_up(address("alerts.corp.example", 8443)) == [found]
    assert client.look_up(address("alerts.corp.example")) is NotificationCode.TARGET_NOT_ALLOWED
    assert client.look_up(address("other.corp.example", 8443)) is NotificationCode.TARGET_NOT_ALLOWED


@pytest.mark.parametrize("found", sorted(set(REFUSED_ADDRESSES) - {*OWN, *OWN_TOO}))
def test_the_platforms_own_addresses_are_closed_to_an_allowed_host_too(found: str) -> None:
    client = a_client(found, allowed=(AllowedHost(host="hooks.example"),))
    assert client.look_up(address()) is NotificationCode.TARGET_NOT_ALLOWED


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_this_machine_is_not_reached_by_another_spelling(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[object] = []
    monkeypatch.setattr(socket, "create_connection", lambda *args, **_: connected.append(args))
    posted = WebhookClient().post(address(name), BODY, {}, seconds=DEADLINE)
    assert posted.code in {NotificationCode.TARGET_NOT_ALLOWED, NotificationCode.NAME_UNKNOWN}
    assert connected == []


@pytest.mark.parametrize("port", [80, 22, 8443, 10255])
def test_another_port_is_not_asked(port: int) -> None:
    assert a_client("8.8.8.8").look_up(address(port=port)) is NotificationCode.TARGET_NOT_ALLOWED


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "https://user@hooks.example/",
        "https://user:password@hooks.example/",
        "https://hooks.example\\@10.0.0.1/",
        "https://hooks.example#@10.0.0.1/",
        "https://hooks.example/a b",
        "https://hooks.example/#part",
        "https://hooks.example:0/",
        "https://hooks.example:70000/",
        "https://hooks..example/",
        "https:///told",
        "https://",
        "https://hooks.example/\n",
        "https://höks.example/",
        "https://[::1%25eth0]/",
        "ftp://hooks.example/",
    ],
)
def test_an_address_is_read_in_one_way_or_not_at_all(url: str) -> None:
    assert parse_web_address(url) is None


def test_the_parts_of_an_address() -> None:
    assert parse_web_address("https://Hooks.Example/a?b=c") == WebAddress(
        host="hooks.example", port=443, target="/a?b=c"
    )
    assert parse_web_address("https://[2001:DB8::1]:8443") == WebAddress(host="2001:db8::1", port=8443, target="/")


# --- over the wire ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def peer(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    found = Peer(authority, "hooks.example")
    yield found
    found.close()


def post_to(peer: Peer, *, host: str = "hooks.example", headers: dict[str, str] | None = None) -> Posted:
    allowed = AllowedHost(host=host, port=peer.port)
    client = a_client("127.0.0.1", allowed=(allowed,))
    return client.post(address(host, peer.port), BODY, headers or {}, seconds=DEADLINE)


def read_request(connection: socket.socket) -> bytes:
    request = connection.recv(65536)
    while not request.endswith(BODY):
        request += connection.recv(65536)
    return request


def answering(status: str, *, head: str = "", body: bytes = b"", seen: list[bytes] | None = None) -> object:
    def behave(connection: socket.socket) -> None:
        request = read_request(connection)
        if seen is not None:
            seen.append(request)
        connection.sendall(f"HTTP/1.1 {status}\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    return behave


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("200 OK", None),
        ("204 No Content", None),
        ("301 Moved", NotificationCode.REDIRECTED),
        ("307 Elsewhere", NotificationCode.REDIRECTED),
        ("400 Bad", NotificationCode.REFUSED),
        ("410 Gone", NotificationCode.GONE),
        ("500 Broken", NotificationCode.REFUSED),
    ],
)
def test_the_status_says_whether_it_was_taken(peer: Peer, status: str, code: NotificationCode | None) -> None:
    peer.behaviour = answering(status, head="Location: https://10.0.0.1/\r\n")  # type: ignore[assignment]
    posted = post_to(peer)
    assert (posted.code, posted.status) == (code, int(status.split(maxsplit=1)[0]))
    assert peer.connections == 1  # no redirect is followed


def test_the_request_is_for_the_name_and_asks_no_proxy(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    peer.behaviour = answering("200 OK", seen=seen)  # type: ignore[assignment]
    assert post_to(peer, headers={"webhook-id": "ntc_1"}).code is None
    head = seen[0].decode()
    assert head.startswith("POST /told HTTP/1.1\r\n")
    assert f"Host: hooks.example:{peer.port}\r\n" in head
    assert "webhook-id: ntc_1\r\n" in head


def test_a_name_that_changes_its_address_in_between_gains_nothing(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    resolved: list[str] = []
    original = socket.getaddrinfo

    def resolve(host: str, port: int) -> list[str]:
        del port
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    def note(host: str, *args: object, **options: object) -> object:
        resolved.append(host)
        return original(host, *args, **options)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(socket, "getaddrinfo", note)
    peer.behaviour = answering("200 OK")  # type: ignore[assignment]
    client = WebhookClient((AllowedHost(host="hooks.example", port=peer.port),), resolve=resolve)
    assert client.post(address(port=peer.port), BODY, {}, seconds=DEADLINE).code is None
    assert asked == ["hooks.example"]
    assert set(resolved) <= {"127.0.0.1"}


def test_a_certificate_of_another_name_is_refused(peer: Peer) -> None:
    assert post_to(peer, host="other.example").code is NotificationCode.CERTIFICATE_REFUSED


def test_a_certificate_that_nobody_trusts_is_refused(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert post_to(peer).code is NotificationCode.CERTIFICATE_REFUSED


def test_an_answer_without_end_is_not_read(peer: Peer) -> None:
    sent = 0

    def behave(connection: socket.socket) -> None:
        nonlocal sent
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(OSError):
            while sent < 500_000_000:
                connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                sent += 65536

    peer.behaviour = behave
    begun = time.monotonic()
    assert post_to(peer).code is None
    assert time.monotonic() - begun < WELL_AFTER
    time.sleep(0.1)
    assert sent < 50_000_000


def test_headers_without_end_are_no_answer(peer: Peer) -> None:
    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        with contextlib.suppress(OSError):
            for _ in range(10_000):
                connection.sendall(b"X-More: " + b"x" * 1000 + b"\r\n")

    peer.behaviour = behave
    assert post_to(peer).code is NotificationCode.BAD_ANSWER


@pytest.mark.parametrize("drop", [b"", b"X"])
def test_a_target_that_does_not_answer_or_drips_costs_its_time_only(peer: Peer, drop: bytes) -> None:
    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        with contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            for _ in range(100):
                connection.sendall(drop)
                time.sleep(0.1)

    peer.behaviour = behave
    begun = time.monotonic()
    assert post_to(peer).code is NotificationCode.NO_ANSWER
    assert time.monotonic() - begun < WELL_AFTER


def test_what_speaks_no_http_is_told_apart(peer: Peer) -> None:
    def behave(connection: socket.socket) -> None:
        read_request(connection)  # else it may find the connection closed
        connection.sendall(b"220 mail.example ESMTP\r\n")

    peer.behaviour = behave
    assert post_to(peer).code is NotificationCode.BAD_ANSWER


def test_nobody_there_is_told_apart(peer: Peer) -> None:
    peer.close()
    time.sleep(0.05)
    assert post_to(peer).code in {NotificationCode.UNREACHABLE, NotificationCode.BAD_ANSWER}


def test_a_name_that_is_none_is_told_apart() -> None:
    def resolve(host: str, port: int) -> list[str]:
        del host, port
        raise socket.gaierror(-2, "Name or service not known")

    client = WebhookClient(resolve=resolve)
    assert client.post(address(), BODY, {}, seconds=DEADLINE).code is NotificationCode.NAME_UNKNOWN
