import socket
import time

import httpx
import pytest

from local.sendgrid_simulator.faults import Fault, FaultKind
from tests.support.simulated import CONTACTS, InMemorySendGrid

BODY = b'{"contacts": [{"email": "ann@example.com"}]}'
RESETS = (FaultKind.RESET_BEFORE_BODY, FaultKind.RESET_DURING_BODY, FaultKind.DROP_AFTER_ACCEPTANCE)


def stored(sendgrid: InMemorySendGrid) -> bool:
    sendgrid.clock.pass_(1)
    return sendgrid.control.contact("ann@example.com") is not None


@pytest.mark.parametrize("kind", RESETS)
def test_the_client_gets_no_answer(sendgrid: InMemorySendGrid, kind: FaultKind) -> None:
    sendgrid.control.inject(Fault(kind=kind))
    with pytest.raises(httpx.TransportError):
        sendgrid.api.put(CONTACTS, content=BODY)


@pytest.mark.parametrize("kind", RESETS)
def test_the_next_request_is_served(sendgrid: InMemorySendGrid, kind: FaultKind) -> None:
    sendgrid.control.inject(Fault(kind=kind))
    with pytest.raises(httpx.TransportError):
        sendgrid.api.put(CONTACTS, content=BODY)
    assert sendgrid.api.put(CONTACTS, content=BODY).status_code == 202


@pytest.mark.parametrize(
    ("kind", "expected"), [(kind, kind is FaultKind.DROP_AFTER_ACCEPTANCE) for kind in RESETS]
)
def test_the_request_takes_effect_only_when_it_was_accepted(
    sendgrid: InMemorySendGrid, kind: FaultKind, *, expected: bool
) -> None:
    sendgrid.control.inject(Fault(kind=kind))
    with pytest.raises(httpx.TransportError):
        sendgrid.api.put(CONTACTS, content=BODY)
    assert stored(sendgrid) is expected


@pytest.mark.parametrize("kind", RESETS)
def test_the_request_is_logged_without_a_status(sendgrid: InMemorySendGrid, kind: FaultKind) -> None:
    sendgrid.control.inject(Fault(kind=kind))
    with pytest.raises(httpx.TransportError):
        sendgrid.api.put(CONTACTS, content=BODY)
    assert [(each.status, each.injected) for each in sendgrid.control.requests()] == [(None, (kind,))]


def test_a_connection_can_be_reset_before_any_of_the_body_is_sent(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.inject(Fault(kind=FaultKind.RESET_BEFORE_BODY))
    with send_head(sendgrid) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)


def test_a_connection_can_be_reset_in_the_middle_of_a_body(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.inject(Fault(kind=FaultKind.RESET_DURING_BODY))
    with send_head(sendgrid) as connection:
        connection.sendall(BODY[:5])
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_a_client_that_gives_up_in_the_middle_of_a_body_is_logged(sendgrid: InMemorySendGrid) -> None:
    with send_head(sendgrid) as connection:
        connection.sendall(BODY[:5])
    while not (logged := sendgrid.control.requests()):
        time.sleep(0.01)
    assert [(each.status, each.request_bytes) for each in logged] == [(None, 5)]


def send_head(sendgrid: InMemorySendGrid) -> socket.socket:
    url = httpx.URL(sendgrid.url)
    connection = socket.create_connection((url.host, url.port))
    connection.settimeout(10)
    connection.sendall(f"PUT {CONTACTS} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY)}\r\n\r\n".encode())
    return connection


def test_a_large_body_is_answered_although_it_is_refused(sendgrid: InMemorySendGrid) -> None:
    assert sendgrid.api.put(CONTACTS, content=b" " * 20_000_000).status_code == 413
