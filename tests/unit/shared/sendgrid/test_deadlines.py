from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import trustme
from pydantic import SecretStr

from shared.errors import TransientError
from shared.model.definitions import Region
from shared.sendgrid import client as client_module
from shared.sendgrid.api import NoResponse, Response, get_scopes, upsert_contacts
from shared.sendgrid.client import SendGridClient
from tests.support.factories import LIST_ID
from tests.support.tls_peer import Peer

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    type Behaviour = Callable[[socket.socket], None]

KEY = SecretStr("SG.secret")
DEADLINE = 0.5
WELL_AFTER = DEADLINE + 1.0
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def peer(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("NO_PROXY", "localhost")
    found = Peer(authority)
    monkeypatch.setattr(client_module, "HOSTS", dict.fromkeys(Region, found.address))
    yield found
    found.close()


def dripping(connection: socket.socket, *, begin: bytes, drop: bytes) -> None:
    connection.recv(65536)
    connection.sendall(begin)
    for _ in range(100):
        connection.sendall(drop)
        time.sleep(0.05)


BEHAVIOURS: dict[str, Behaviour] = {
    "says nothing": lambda _: time.sleep(5),
    "drips headers": lambda connection: dripping(connection, begin=HEAD + b"a: ", drop=b"b"),
    "never ends its headers": lambda connection: dripping(connection, begin=HEAD, drop=b"a: b\r\n"),
    "says for ever that it goes on": lambda connection: dripping(
        connection, begin=b"", drop=b"HTTP/1.1 102 Processing\r\n\r\n"
    ),
    "drips its body": lambda connection: dripping(
        connection, begin=HEAD + b"content-length: 1000\r\n\r\n", drop=b"x"
    ),
}


@pytest.mark.parametrize("behaviour", BEHAVIOURS.values(), ids=BEHAVIOURS)
def test_an_exchange_ends_at_its_deadline(peer: Peer, behaviour: Behaviour) -> None:
    peer.behaviour = behaviour
    before = time.monotonic()
    answer = SendGridClient(deadline=DEADLINE).send(get_scopes(), region=Region.GLOBAL, key=KEY)
    assert answer is NoResponse.TIMEOUT
    assert time.monotonic() - before < WELL_AFTER


def test_a_server_that_reads_too_slowly_is_left_at_the_deadline(peer: Peer) -> None:
    def slowly(connection: socket.socket) -> None:
        for _ in range(100):
            connection.recv(20_000)
            time.sleep(0.05)

    peer.behaviour = slowly
    request = upsert_contacts(LIST_ID, b"x" * 30_000_000)
    before = time.monotonic()
    answer = SendGridClient(deadline=DEADLINE).send(request, region=Region.GLOBAL, key=KEY)
    assert isinstance(answer, NoResponse)
    assert time.monotonic() - before < WELL_AFTER


def test_headers_are_bounded(peer: Peer) -> None:
    def endless(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(HEAD)
        while True:
            connection.sendall(b"a: " + b"b" * 60_000 + b"\r\n")

    peer.behaviour = endless
    answer = SendGridClient(deadline=60).send(get_scopes(), region=Region.GLOBAL, key=KEY)
    assert answer is NoResponse.BROKEN


@pytest.mark.parametrize("drop", [b"b", b"a: b\r\n"])
def test_headers_of_a_large_file_have_a_deadline(peer: Peer, drop: bytes) -> None:
    peer.behaviour = lambda connection: dripping(connection, begin=HEAD + b"a: b\r\n", drop=drop)
    before = time.monotonic()
    with pytest.raises(TransientError):
        list(SendGridClient(deadline=DEADLINE).read_file(f"{peer.address}/file"))
    assert time.monotonic() - before < WELL_AFTER


def test_one_exchange_takes_nothing_from_the_next(peer: Peer) -> None:
    def answering(connection: socket.socket) -> None:
        for goes_on in (b"keep-alive", b"keep-alive", b"keep-alive", b"close"):
            connection.recv(65536)
            time.sleep(DEADLINE / 2)
            connection.sendall(HEAD + b"connection: " + goes_on + b"\r\ncontent-length: 2\r\n\r\n{}")

    peer.behaviour = answering
    client = SendGridClient(deadline=DEADLINE)
    answers = [client.send(get_scopes(), region=Region.GLOBAL, key=KEY) for _ in range(4)]
    assert all(isinstance(answer, Response) and answer.ok for answer in answers)
