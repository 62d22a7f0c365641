"""Storage that takes a call and never answers: those who wait over HTTP get an error, and soon."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
from azure.core.credentials import AzureNamedKeyCredential

from shared.errors import StorageUnavailableError
from shared.settings import StorageSettings
from shared.storage.azure import (
    FOR_CALLERS,
    FOR_MESSAGES,
    AzureBlobs,
    AzureQueues,
    _options,
    blob_service,
    queue_service,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLER_WAITS_SECONDS = 10.0


@pytest.fixture(scope="module")
def silent() -> Iterator[str]:
    """Connection string of storage that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    held.append(server.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/account"
        yield (
            "DefaultEndpointsProtocol=http;AccountName=account;AccountKey=a2V5;"
            f"BlobEndpoint={address};QueueEndpoint={address};"
        )
        server.shutdown(socket.SHUT_RDWR)
        for each in held:
            each.close()


def test_a_caller_waits_for_silent_storage_ten_seconds_at_most(silent: str) -> None:
    settings = StorageSettings(connection_string=silent)
    credential = AzureNamedKeyCredential("account", "a2V5")  # not used beside a connection string
    service = blob_service(settings, credential, patience=FOR_CALLERS, connections=2)  # type: ignore[arg-type]
    begin = time.monotonic()
    with service, pytest.raises(StorageUnavailableError):
        AzureBlobs(service.get_container_client("state")).get("exports/loyal.json")
    assert time.monotonic() - begin < CALLER_WAITS_SECONDS


def test_a_caller_waits_for_a_silent_queue_ten_seconds_at_most(silent: str) -> None:
    settings = StorageSettings(connection_string=silent)
    service = queue_service(settings, None, patience=FOR_CALLERS, connections=2)  # type: ignore[arg-type]  # not used
    begin = time.monotonic()
    with service, pytest.raises(StorageUnavailableError):
        AzureQueues(service).send("runs", "{}")
    assert time.monotonic() - begin < CALLER_WAITS_SECONDS


def test_messages_are_more_patient_than_callers() -> None:
    assert FOR_MESSAGES.retries > FOR_CALLERS.retries
    assert FOR_MESSAGES.read > 5 * FOR_CALLERS.read


def test_every_thread_has_a_connection_that_is_kept() -> None:
    options = _options(FOR_MESSAGES, 24)
    assert options["transport"].session.get_adapter("https://account.blob.example")._pool_maxsize == 24
