from __future__ import annotations

import gzip
import itertools
import threading
import time
import traceback
from typing import TYPE_CHECKING

import httpx
import pytest
from pydantic import SecretStr

from shared.errors import FileGoneError, TransientError
from shared.limits import ERROR_FILE_MAX
from shared.model.definitions import Region
from shared.sendgrid.api import NoResponse, Response, get_scopes, upsert_contacts
from shared.sendgrid.client import NO_RESPONSES, SendGridClient
from tests.support.factories import LIST_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = SecretStr("SG.secret")
FILE = "https://storage.example/errors.csv?sig=1"


def a_client(handler: Callable[[httpx.Request], httpx.Response], *, deadline: float = 60) -> SendGridClient:
    return SendGridClient(transport=httpx.MockTransport(handler), deadline=deadline)


class Recorder:
    """Answers 200 and keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(200, json={})


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


# --- requests -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "host"), [(Region.GLOBAL, "api.sendgrid.com"), (Region.EU, "api.eu.sendgrid.com")]
)
def test_a_request_goes_to_the_host_of_its_region(recorder: Recorder, region: Region, host: str) -> None:
    a_client(recorder).send(get_scopes(), region=region, key=KEY)
    assert str(recorder.requests[0].url) == f"https://{host}/v3/scopes"


def test_a_request_carries_the_key(recorder: Recorder) -> None:
    a_client(recorder).send(get_scopes(), region=Region.GLOBAL, key=KEY)
    assert recorder.requests[0].headers["authorization"] == "Bearer SG.secret"


def test_an_upsert_is_sent_as_it_was_built(recorder: Recorder) -> None:
    request = upsert_contacts(LIST_ID, b'{"email":"a@example.com"}')
    a_client(recorder).send(request, region=Region.GLOBAL, key=KEY)
    sent = recorder.requests[0]
    assert (sent.method, sent.content, sent.headers["content-type"]) == ("PUT", request.body, "application/json")


def test_json_is_asked_for(recorder: Recorder) -> None:
    a_client(recorder).send(get_scopes(), region=Region.GLOBAL, key=KEY)
    assert recorder.requests[0].headers["accept"] == "application/json"


def test_a_file_is_fetched_without_the_key(recorder: Recorder) -> None:
    client = a_client(recorder)
    client.send(get_scopes(), region=Region.GLOBAL, key=KEY)
    client.download(FILE)
    assert str(recorder.requests[1].url) == FILE
    assert "authorization" not in recorder.requests[1].headers


# --- answers ------------------------------------------------------------------------------------------------


def test_an_answer_is_handed_on_with_headers_in_lower_case() -> None:
    client = a_client(lambda _: httpx.Response(429, headers={"X-RateLimit-Reset": "37"}, content=b"busy"))
    answer = client.send(get_scopes(), region=Region.GLOBAL, key=KEY)
    assert isinstance(answer, Response)
    assert (answer.status, answer.headers["x-ratelimit-reset"], answer.body) == (429, "37", b"busy")


def test_a_redirect_is_not_followed() -> None:
    client = a_client(lambda _: httpx.Response(302, headers={"location": "https://elsewhere.example"}))
    answer = client.send(get_scopes(), region=Region.GLOBAL, key=KEY)
    assert isinstance(answer, Response)
    assert answer.status == 302


def test_a_file_is_not_looked_for_elsewhere() -> None:
    client = a_client(lambda _: httpx.Response(302, headers={"location": "https://elsewhere.example"}))
    answer = client.download(FILE)
    assert isinstance(answer, Response)
    assert answer.status == 302


def test_an_error_file_is_cut_off_at_its_limit() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 1_000_003

    answer = a_client(lambda _: httpx.Response(200, content=endless())).download(FILE)
    assert isinstance(answer, Response)
    assert len(answer.body) == ERROR_FILE_MAX


# --- silence ------------------------------------------------------------------------------------------------


def _family(kind: type[httpx.TransportError]) -> Iterator[type[httpx.TransportError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)


TRANSPORT_ERRORS = sorted(set(_family(httpx.TransportError)), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", TRANSPORT_ERRORS)
def test_every_transport_error_is_a_silence(kind: type[httpx.TransportError]) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise kind("no")

    expected = next(silence for listed, silence in NO_RESPONSES if issubclass(kind, listed))
    assert a_client(fail).send(get_scopes(), region=Region.GLOBAL, key=KEY) is expected


@pytest.mark.parametrize("kind", TRANSPORT_ERRORS)
def test_every_transport_error_while_reading_is_a_silence(kind: type[httpx.TransportError]) -> None:
    def broken() -> Iterator[bytes]:
        yield b'{"job_id"'
        raise kind("no")

    client = a_client(lambda _: httpx.Response(202, content=broken()))
    assert isinstance(client.send(get_scopes(), region=Region.GLOBAL, key=KEY), NoResponse)


@pytest.mark.parametrize(
    ("kind", "silence"),
    [
        (httpx.ConnectTimeout, NoResponse.TIMEOUT),
        (httpx.ReadTimeout, NoResponse.TIMEOUT),
        (httpx.PoolTimeout, NoResponse.TIMEOUT),
        (httpx.ConnectError, NoResponse.UNREACHABLE),
        (httpx.ProxyError, NoResponse.UNREACHABLE),
        (httpx.ReadError, NoResponse.BROKEN),
        (httpx.RemoteProtocolError, NoResponse.BROKEN),
    ],
)
def test_a_transport_error_has_its_silence(kind: type[httpx.TransportError], silence: NoResponse) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise kind("no")

    assert a_client(fail).send(get_scopes(), region=Region.GLOBAL, key=KEY) is silence


def test_no_entry_of_the_table_is_hidden_by_an_earlier_one() -> None:
    kinds = [kind for kind, _ in NO_RESPONSES]
    assert not [kind for n, kind in enumerate(kinds) if issubclass(kind, tuple(kinds[:n]))]


def test_an_answer_that_cannot_be_decoded_is_a_broken_connection() -> None:
    def garbled(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-encoding": "gzip"}, content=iter([b"not gzip"]))

    assert a_client(garbled).send(get_scopes(), region=Region.GLOBAL, key=KEY) is NoResponse.BROKEN


def test_an_answer_that_trickles_past_the_deadline_is_a_timeout() -> None:
    client = a_client(lambda _: httpx.Response(200, content=iter([b"{", b"}"])), deadline=-1)
    assert client.send(get_scopes(), region=Region.GLOBAL, key=KEY) is NoResponse.TIMEOUT


@pytest.mark.parametrize("url", ["https://h:port/", "https://h/\x00", "https://ä..b/", "https://xn--/"])
def test_an_address_that_is_none_is_a_silence(recorder: Recorder, url: str) -> None:
    assert isinstance(a_client(recorder).download(url), NoResponse)


def test_threads_may_share_a_client(recorder: Recorder) -> None:
    client = a_client(recorder)
    threads = [threading.Thread(target=client.download, args=(FILE,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(recorder.requests) == 8


# --- large files --------------------------------------------------------------------------------------------


def test_a_large_file_comes_as_it_is_stored_and_without_the_key(recorder: Recorder) -> None:
    packed = gzip.compress(b"EMAIL")

    def stored(request: httpx.Request) -> httpx.Response:
        recorder(request)
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=iter([packed]))

    client = a_client(stored)
    client.send(get_scopes(), region=Region.GLOBAL, key=KEY)
    assert b"".join(client.read_file(FILE)) == packed
    assert "authorization" not in recorder.requests[1].headers
    assert recorder.requests[1].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("status", [302, 400, 403, 404])
def test_a_file_that_is_refused_is_gone(status: int) -> None:
    with pytest.raises(FileGoneError):
        list(a_client(lambda _: httpx.Response(status)).read_file(FILE))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_file_store_that_is_busy_is_asked_again(status: int) -> None:
    with pytest.raises(TransientError):
        list(a_client(lambda _: httpx.Response(status)).read_file(FILE))


@pytest.mark.parametrize("kind", TRANSPORT_ERRORS)
def test_a_large_file_that_breaks_off_is_asked_for_again(kind: type[httpx.TransportError]) -> None:
    def blocks() -> Iterator[bytes]:
        yield b"x"
        raise kind(f"about {FILE}")

    with pytest.raises(TransientError) as raised:
        list(a_client(lambda _: httpx.Response(200, content=blocks())).read_file(FILE))
    assert "storage.example" not in "".join(traceback.format_exception(raised.value))


def test_a_large_file_must_come_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.sendgrid.client.LARGE_FILE_DEADLINE", -1.0)
    with pytest.raises(TransientError, match="slow"):
        list(a_client(lambda _: httpx.Response(200, content=iter([b"x"]))).read_file(FILE))


def test_a_large_file_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.sendgrid.client.LARGE_FILE_MAX", 3)
    with pytest.raises(TransientError, match="more than 3 bytes"):
        list(a_client(lambda _: httpx.Response(200, content=itertools.repeat(b"x"))).read_file(FILE))


def test_a_large_file_that_drips_is_looked_at_byte_by_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.sendgrid.client.LARGE_FILE_DEADLINE", 0.2)

    def drops() -> Iterator[bytes]:
        for _ in range(50):
            time.sleep(0.05)
            yield b"x"

    with pytest.raises(TransientError, match="slow"):
        list(a_client(lambda _: httpx.Response(200, content=drops())).read_file(FILE))


def test_an_address_that_is_none_is_asked_for_again() -> None:
    with pytest.raises(TransientError):
        list(a_client(lambda _: httpx.Response(200)).read_file("https://files.example/\n"))
