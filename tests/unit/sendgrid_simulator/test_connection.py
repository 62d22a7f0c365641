import socket
import time

import httpx
import pytest

from local.sendgrid_simulator.faults import Fault, FaultKind
from tests.support.simulated import CONTACTS, World

BODY = b'{"contacts": [{"email": "ann@example.com"}]}'
RESETS = (FaultKind.RESET_BEFORE_BODY, FaultKind.RESET_DURING_BODY, FaultKind.DROP_AFTER_ACCEPTANCE)


def stored(world: World) -> bool:
    world.clock.pass_(1)
    return world.control.contact("ann@example.com") is not None


@pytest.mark.parametrize("kind", RESETS)
def test_the_client_gets_no_answer(world: World, kind: FaultKind) -> None:
    world.control.inject(Fault(kind=kind))
    with pytest.raises(httpx.TransportError):
        world.api.put(CONTACTS, content=BODY)


@pytest.mark.parametrize("kind", RESETS)
def test_the_next_request_is_served(world: World, kind: FaultKind) -> None:
    world.control.inject(Fault(kind=kind))
    with pytest.raises(httpx.TransportError):
        world.api.put(CONTACTS, content=BODY)
    assert world.api.put(CONTACTS, content=BODY).status_code == 202


@pytest.mark.parametrize(
    ("kind", "expected"), [(kind, kind is FaultKind.DROP_AFTER_ACCEPTANCE) for kind in RESETS]
)
def test_the_request_takes_effect_only_when_it_was_accepted(
    world: World, kind: FaultKind, *, expected: bool
) -> None:
    world.control.inject(Fault(kind=kind))
    with pytest.raises(httpx.TransportError):
        world.api.put(CONTACTS, content=BODY)
    assert stored(world) is expected


@pytest.mark.parametrize("kind", RESETS)
def test_the_request_is_logged_without_a_status(world: World, kind: FaultKind) -> None:
    world.control.inject(Fault(kind=kind))
    with pytest.raises(httpx.TransportError):
        world.api.put(CONTACTS, content=BODY)
    assert [(each.status, each.injected) for each in world.control.requests()] == [(None, (kind,))]


def test_a_connection_can_be_reset_before_any_of_the_body_is_sent(world: World) -> None:
    world.control.inject(Fault(kind=FaultKind.RESET_BEFORE_BODY))
    with send_head(world) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)


def test_a_connection_can_be_reset_in_the_middle_of_a_body(world: World) -> None:
    world.control.inject(Fault(kind=FaultKind.RESET_DURING_BODY))
    with send_head(world) as connection:
        connection.sendall(BODY[:5])
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_a_client_that_gives_up_in_the_middle_of_a_body_is_logged(world: World) -> None:
    with send_head(world) as connection:
        connection.sendall(BODY[:5])
    while not (logged := world.control.requests()):
        time.sleep(0.01)
    assert [(each.status, each.request_bytes) for each in logged] == [(None, 5)]


def send_head(world: World) -> socket.socket:
    url = httpx.URL(world.url)
    connection = socket.create_connection((url.host, url.port))
    connection.settimeout(10)
    connection.sendall(f"PUT {CONTACTS} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY)}\r\n\r\n".encode())
    return connection


def test_a_large_body_is_answered_although_it_is_refused(world: World) -> None:
    assert world.api.put(CONTACTS, content=b" " * 20_000_000).status_code == 413
