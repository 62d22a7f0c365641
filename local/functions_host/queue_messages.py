"""Queue messages as the worker gets them: decoded, with metadata."""

import base64
import json
from datetime import datetime
from typing import Literal

from azure.storage.queue import QueueMessage

from local.functions_host.protos import TypedData

type Encoding = Literal["base64", "none"]


def decode(text: str, encoding: Encoding) -> bytes:
    """Return the bytes that a message's text stands for.

    Raises:
        ValueError: the text is not base64 although it should be.
    """
    if encoding == "none":
        return text.encode()
    return base64.b64decode("".join(text.split()), validate=True)


def encode(content: bytes, encoding: Encoding) -> str:
    """Return the text of a message with this content.

    Raises:
        ValueError: the content is no text and must be sent as it is.
    """
    return base64.b64encode(content).decode() if encoding == "base64" else content.decode()


def trigger_metadata(message: QueueMessage, body: str) -> dict[str, TypedData]:
    """Return what the host tells about a message beside its body.

    The scalar properties of a JSON object come along and win over metadata of the same name, as in the real
    host (ApplyBindingData); a message with a property "DequeueCount" hides its own dequeue count.
    """
    known = {
        "QueueTrigger": TypedData(string=body),
        "DequeueCount": _json(message.dequeue_count),
        "Id": TypedData(string=message.id),
        "PopReceipt": TypedData(string=message.pop_receipt),
        "InsertionTime": _moment(message.inserted_on),
        "ExpirationTime": _moment(message.expires_on),
        "NextVisibleTime": _moment(message.next_visible_on),
    }
    given = {key: value for key, value in known.items() if value.WhichOneof("data")}
    return given | {key: TypedData(string=value) for key, value in _scalars(body).items()}


def _json(value: object) -> TypedData:
    return TypedData(json=None if value is None else json.dumps(value))


def _moment(moment: datetime | None) -> TypedData:
    return _json(moment and moment.isoformat())


def _scalars(body: str) -> dict[str, str]:
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    if not isinstance(content, dict):
        return {}
    return {key: str(value) for key, value in content.items() if isinstance(value, str | int | float)}
