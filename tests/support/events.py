"""Events about files, as Event Grid puts them on the queue; and what a clock without them would miss."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from shared.model.messages import EVENTS_QUEUE

if TYPE_CHECKING:
    from tests.support.in_memory_app import InMemoryApp

CONTAINER = "customerinsights"


def an_event(name: str, *, container: str = CONTAINER, account: str = "acme", **changes: object) -> dict[str, Any]:
    """An event about a file that was written, by the page of its schema."""
    identity = str(uuid.uuid4())
    return {
        "source": f"/subscriptions/0/resourceGroups/Storage/providers/Microsoft.Storage/storageAccounts/{account}",
        "subject": f"/blobServices/default/containers/{container}/blobs/{name}",
        "type": "Microsoft.Storage.BlobCreated",
        "time": "2026-03-02T09:00:00.9584103Z",
        "id": identity,
        "data": {
            "api": "PutBlockList",
            "requestId": identity,
            "eTag": '"0x8D4BCC2E4835CD0"',
            "contentType": "text/plain",
            "contentLength": 524288,
            "blobType": "BlockBlob",
            "url": f"https://{account}.blob.core.windows.net/{container}/{name}",
            "sequencer": "00000000000004420000000000028963",
            "storageDiagnostics": {"batchId": "b68529f3-68cd-4744-baa4-3c0498ec19f0"},
        },
        "specversion": "1.0",
    } | changes


def tell(app: InMemoryApp, name: str, *, times: int = 1, delay: float = 0) -> None:
    """Put an event about a file on the queue."""
    for _ in range(times):
        app.queues.send(EVENTS_QUEUE, json.dumps(an_event(name)), delay=delay)
