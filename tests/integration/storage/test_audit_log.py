"""The audit log on Azurite, through the real SDK: several writers, midnight, lost answers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport

from shared.audit import log as audit_log
from shared.audit.log import AuditLog
from shared.errors import SettingsError
from shared.storage.azure import AzureBlobs
from tests.support.audited import an_entry, pages, read_all
from tests.support.factories import Clock

if TYPE_CHECKING:
    from azure.core.pipeline.transport import HttpRequest
    from azure.storage.blob import ContainerClient

    from local.cloud import LocalCloud

MIDNIGHT = datetime(2026, 3, 3, tzinfo=UTC)


@pytest.fixture
def container(cloud: LocalCloud, account: str) -> ContainerClient:
    return cloud.blob_service(account).get_container_client("sendgrid-audit")


@pytest.fixture
def blobs(container: ContainerClient) -> AzureBlobs:
    return AzureBlobs(container)


def test_two_processes_with_many_threads_lose_nothing(blobs: AzureBlobs) -> None:
    logs = [AuditLog(blobs, lambda: datetime.now(UTC), process) for process in ("p1", "p2")]
    names = [f"c{number}" for number in range(200)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda name: logs[int(name[1:]) % 2].write(an_entry(name)), names))
    assert len(list(blobs.list_blobs())) == 2
    assert sorted(read_all(blobs, limit=30)) == sorted(names)


def test_an_answer_that_is_lost_leaves_one_line(blobs: AzureBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    send, lost = RequestsTransport.send, set[str]()

    def lose_every_first_answer(transport: RequestsTransport, request: HttpRequest, **options: object) -> object:
        answer = send(transport, request, **options)
        if request.method == "PUT":
            call = f"{request.url} {request.headers.get('x-ms-blob-condition-appendpos')}"
            if call not in lost:
                lost.add(call)
                raise ServiceResponseError("the answer is lost")
        return answer

    monkeypatch.setattr(RequestsTransport, "send", lose_every_first_answer)
    monkeypatch.setattr(RequestsTransport, "sleep", lambda _transport, _seconds: None)
    log = AuditLog(blobs, Clock(MIDNIGHT), "p1")
    for name in ("c0", "c1", "c2"):
        log.write(an_entry(name))
    assert len(lost) == 4
    assert len(list(blobs.list_blobs())) == 1
    assert read_all(blobs) == ["c2", "c1", "c0"]


def test_midnight_comes_while_many_write(blobs: AzureBlobs) -> None:
    clock, lock = Clock(MIDNIGHT - timedelta(seconds=1)), threading.Lock()
    log = AuditLog(blobs, clock, "p1")

    def write(number: int) -> None:
        with lock:
            clock.pass_(0.02)
        log.write(an_entry(f"c{number}"))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(100)))
    assert [item.name[:10] for item in blobs.list_blobs()] == ["2026/03/02", "2026/03/03"]
    before, after = read_all(blobs, until=MIDNIGHT), read_all(blobs, since=MIDNIGHT)
    assert (len(before) + len(after), bool(before), bool(after)) == (100, True, True)
    assert not set(before) & set(after)


def test_a_full_blob_has_a_successor(blobs: AzureBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "APPEND_BLOCKS_MAX", 3)
    log = AuditLog(blobs, Clock(MIDNIGHT), "p1")
    for number in range(10):
        log.write(an_entry(f"c{number}"))
    assert len(list(blobs.list_blobs())) == 4
    assert pages(blobs, limit=4) == [["c9", "c8", "c7", "c6"], ["c5", "c4", "c3", "c2"], ["c1", "c0"]]


def test_a_blob_that_was_removed_has_a_successor(blobs: AzureBlobs) -> None:
    log = AuditLog(blobs, Clock(MIDNIGHT), "p1")
    log.write(an_entry("c0"))
    blobs.delete(next(blobs.list_blobs()).name)
    log.write(an_entry("c1"))
    log.write(an_entry("c2"))
    assert read_all(blobs) == ["c2", "c1"]


def test_a_blob_that_somebody_else_wrote_into_has_a_successor(
    blobs: AzureBlobs, container: ContainerClient
) -> None:
    log = AuditLog(blobs, Clock(MIDNIGHT), "p1")
    log.write(an_entry("c0"))
    container.get_blob_client(next(blobs.list_blobs()).name).append_block(b"foreign\n")
    log.write(an_entry("c1"))
    assert len(list(blobs.list_blobs())) == 2
    assert read_all(blobs) == ["c1", "c0"]


def test_a_container_that_is_missing_is_named_by_its_setting(cloud: LocalCloud, account: str) -> None:
    nowhere = AzureBlobs(cloud.blob_service(account).get_container_client("nowhere"))
    with pytest.raises(SettingsError, match="AUDIT_CONTAINER"):
        AuditLog(nowhere, Clock(MIDNIGHT), "p1").write(an_entry())


def test_nothing_is_asked_of_storage_but_reading_creating_and_appending(
    blobs: AzureBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[tuple[str | None, ...]] = set()
    send = RequestsTransport.send

    def note(transport: RequestsTransport, request: HttpRequest, **options: object) -> object:
        if ".blob." in request.url and request.method != "GET":
            query = request.url.partition("?")[2]
            headers = (request.headers.get("x-ms-blob-type"), request.headers.get("If-None-Match"))
            asked.add((request.method, query, *headers))
        return send(transport, request, **options)

    monkeypatch.setattr(RequestsTransport, "send", note)
    log = AuditLog(blobs, Clock(MIDNIGHT), "p1")
    log.write(an_entry("c0"))
    log.write(an_entry("c1"))
    assert read_all(blobs) == ["c1", "c0"]
    assert asked == {("PUT", "", "AppendBlob", "*"), ("PUT", "comp=appendblock", None, None)}
