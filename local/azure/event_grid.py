"""Event Grid, as far as it tells of files in a blob container by messages on a queue.

Azurite has no events, and the proxy in front of it does not see into TLS. So the container is listed again and
again, and what is new or changed since the last time is told, in the CloudEvents schema and as base64, as Event
Grid does. What is written twice between two listings is told once.

https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage
"""

import json
import uuid
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event, Thread
from types import TracebackType
from typing import Any, Final, Self

from azure.core.exceptions import AzureError
from azure.storage.blob import BlobProperties, BlobServiceClient
from azure.storage.queue import QueueServiceClient, TextBase64EncodePolicy

from local.azure.environment import EXTRACT_CONTAINER
from shared.model.messages import EVENTS_QUEUE

LOOK_SECONDS: Final = 0.5
SUBSCRIPTION: Final = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local"


class EventGrid:
    """A subscription to the files of an account's extract container, from entering until leaving."""

    def __init__(self, account: str, blobs: BlobServiceClient, queues: QueueServiceClient) -> None:
        """Close the clients when it ends."""
        self._account = account
        self._clients = (blobs, queues)
        self._container = blobs.get_container_client(EXTRACT_CONTAINER)
        self._queue = queues.get_queue_client(EVENTS_QUEUE, message_encode_policy=TextBase64EncodePolicy())
        self._known: dict[str, str] = {}
        self._ended = Event()
        self._thread = Thread(target=self._watch, name="event-grid", daemon=True)

    def __enter__(self) -> Self:
        self._known = {blob.name: str(blob.etag) for blob in self._container.list_blobs()}
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        for client in self._clients:
            client.close()

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            with suppress(AzureError):  # storage is away; what was written then is told afterwards
                self._tell(self._container.list_blobs())

    def _tell(self, blobs: Iterable[BlobProperties]) -> None:
        for blob in blobs:
            if self._known.get(blob.name) == blob.etag:
                continue
            self._queue.send_message(json.dumps(event_about(self._account, blob)))
            self._known[blob.name] = str(blob.etag)


def event_about(account: str, blob: BlobProperties) -> dict[str, Any]:
    """The event about a file that was written."""
    identity = str(uuid.uuid4())
    return {
        "source": f"{SUBSCRIPTION}/providers/Microsoft.Storage/storageAccounts/{account}",
        "subject": f"/blobServices/default/containers/{EXTRACT_CONTAINER}/blobs/{blob.name}",
        "type": "Microsoft.Storage.BlobCreated",
        "time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "id": identity,
        "data": {
            "api": "PutBlob",
            "requestId": identity,
            "eTag": str(blob.etag),
            "contentType": blob.content_settings.content_type,
            "contentLength": blob.size,
            "blobType": blob.blob_type.value,
            "url": f"https://{account}.blob.core.windows.net/{EXTRACT_CONTAINER}/{blob.name}",
            "sequencer": f"{uuid.uuid1().int:032x}",
            "storageDiagnostics": {"batchId": identity},
        },
        "specversion": "1.0",
    }
