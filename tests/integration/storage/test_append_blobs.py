"""Blobs that only grow, held against Azurite through the real SDK and against the storage in memory."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport

from shared.errors import BlobChangedError, BlobExistsError, BlobMissingError
from shared.storage.azure import AzureBlobs
from tests.support.memory_storage import MemoryBlobs

if TYPE_CHECKING:
    from azure.core.pipeline.transport import HttpRequest

    from local.cloud import LocalCloud
    from shared.storage.interfaces import AppendBlobs


@pytest.fixture(params=["memory", "azurite"])
def blobs(request: pytest.FixtureRequest) -> AppendBlobs:
    if request.param == "memory":
        return MemoryBlobs(lambda: datetime.now(UTC))
    cloud: LocalCloud = request.getfixturevalue("cloud")
    account: str = request.getfixturevalue("account")
    return AzureBlobs(cloud.blob_service(account).get_container_client("sendgrid-exports"))


def whole(blobs: AppendBlobs, name: str) -> bytes:
    return blobs.read_grown(name, offset=0, length=1_000)


def test_what_is_added_stands_behind_what_was_there(blobs: AppendBlobs) -> None:
    blobs.create_growing("a")
    blobs.append("a", b"one\n", offset=0)
    blobs.append("a", b"two\n", offset=4)
    assert whole(blobs, "a") == b"one\ntwo\n"


def test_creating_twice_is_refused_and_removes_nothing(blobs: AppendBlobs) -> None:
    blobs.create_growing("a")
    blobs.append("a", b"one\n", offset=0)
    with pytest.raises(BlobExistsError):
        blobs.create_growing("a")
    assert whole(blobs, "a") == b"one\n"


def test_adding_the_same_again_adds_nothing(blobs: AppendBlobs) -> None:
    blobs.create_growing("a")
    blobs.append("a", b"one\n", offset=0)
    blobs.append("a", b"two\n", offset=4)
    blobs.append("a", b"one\n", offset=0)
    assert whole(blobs, "a") == b"one\ntwo\n"


@pytest.mark.parametrize("offset", [0, 2, 5])
def test_adding_elsewhere_than_at_the_end_is_refused(blobs: AppendBlobs, offset: int) -> None:
    blobs.create_growing("a")
    blobs.append("a", b"one\n", offset=0)
    with pytest.raises(BlobChangedError):
        blobs.append("a", b"two\n", offset=offset)
    assert whole(blobs, "a") == b"one\n"


def test_a_blob_that_is_not_there_is_named_as_missing(blobs: AppendBlobs) -> None:
    with pytest.raises(BlobMissingError):
        blobs.append("nothing", b"one\n", offset=0)
    with pytest.raises(BlobMissingError):
        blobs.read_grown("nothing", offset=0, length=1)


@pytest.mark.parametrize(
    ("offset", "length", "expected"), [(0, 2, b"on"), (2, 99, b"e\n"), (4, 5, b""), (9, 5, b"")]
)
def test_a_range_is_short_only_at_the_end(blobs: AppendBlobs, offset: int, length: int, expected: bytes) -> None:
    blobs.create_growing("a")
    blobs.append("a", b"one\n", offset=0)
    assert blobs.read_grown("a", offset=offset, length=length) == expected


def test_of_two_writers_at_one_place_one_is_refused(blobs: AppendBlobs) -> None:
    blobs.create_growing("a")
    start = threading.Barrier(2)

    def add(line: bytes) -> bool:
        start.wait()
        try:
            blobs.append("a", line, offset=0)
        except BlobChangedError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(add, (b"one\n", b"two\n")))
    assert sorted(done) == [False, True]
    assert whole(blobs, "a") in {b"one\n", b"two\n"}


def test_an_answer_that_is_lost_adds_nothing_twice(
    cloud: LocalCloud, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = AzureBlobs(cloud.blob_service(account).get_container_client("sendgrid-exports"))
    blobs.create_growing("a")
    sent: list[str] = []
    send = RequestsTransport.send

    def send_and_lose_the_first(transport: RequestsTransport, request: HttpRequest, **options: object) -> object:
        answer = send(transport, request, **options)
        if "comp=appendblock" in request.url:
            sent.append(request.headers["x-ms-blob-condition-appendpos"])
            if len(sent) == 1:
                raise ServiceResponseError("the answer is lost")
        return answer

    monkeypatch.setattr(RequestsTransport, "send", send_and_lose_the_first)
    monkeypatch.setattr(RequestsTransport, "sleep", lambda _transport, _seconds: None)
    blobs.append("a", b"one\n", offset=0)
    assert sent == ["0", "0"]
    assert whole(blobs, "a") == b"one\n"
