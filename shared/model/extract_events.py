"""What Event Grid tells of a file in blob storage, in the CloudEvents schema.

https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import unquote

from pydantic import ValidationError

from shared.model.arrival import LookMessage
from shared.model.documents import Document

_SUBJECT: Final = re.compile(r"/?blobServices/[^/]+/containers/(?P<container>[^/]+)/blobs/(?P<name>.+)", re.DOTALL)
_SOURCE: Final = re.compile(r".*/storageAccounts/(?P<account>[^/]+)", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class WrittenBlob:
    """A file that somebody has written."""

    account: str
    """In small letters."""
    container: str
    name: str

    def lies_in(self, *, account: str, container: str, prefix: str) -> bool:
        """Whether it lies in the container, below the prefix; an account that is not known may be any."""
        is_below = self.name.startswith(prefix) or unquote(self.name).startswith(prefix)
        return self.container == container and account.lower() in {"", self.account} and is_below


class _CloudEvent(Document):
    specversion: Literal["1.0"]
    type: Literal["Microsoft.Storage.BlobCreated"]
    source: str
    subject: str


def read_message(body: bytes) -> WrittenBlob | LookMessage | None:
    """What a message on the queue of events says; None if it is neither an event about a file nor one of ours."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, list) and len(found) == 1:  # as Event Grid posts events elsewhere
        found = found[0]
    try:
        if isinstance(found, dict) and "look" in found:
            return LookMessage.model_validate(found)
        return _written(_CloudEvent.model_validate(found))
    except ValidationError:
        return None


def _written(event: _CloudEvent) -> WrittenBlob | None:
    subject, source = _SUBJECT.fullmatch(event.subject), _SOURCE.fullmatch(event.source)
    if subject is None or source is None:
        return None
    return WrittenBlob(account=source["account"].lower(), container=subject["container"], name=subject["name"])
