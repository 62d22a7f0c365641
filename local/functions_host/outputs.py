"""Queue output bindings, with the peculiarities of the real host."""

import json
from collections.abc import Mapping

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient

from local.functions_host.protos import InvocationResponse, TypedData
from local.functions_host.queue_messages import Encoding, encode

RETURN_VALUE = "$return"


def expand(value: TypedData) -> list[bytes]:
    """Return the messages that one output value becomes.

    A text that looks like a JSON array is one message per element, and one that looks like a JSON object is
    written anew with indentation (FunctionBinding.ReadAsEnumerable in the real host; it also normalises
    dates, which is not imitated here).

    Raises:
        ValueError: the text looks like JSON and is none.
    """
    if value.bytes is not None:
        return [value.bytes]
    if value.json is not None:
        content = json.loads(value.json)
        return _expand_text(content) if isinstance(content, str) else _expand_json(content)
    if value.string is not None:
        return _expand_text(value.string)
    return [str(number).encode() for number in (value.int, value.double) if number is not None]


def _expand_text(text: str) -> list[bytes]:
    stripped = text.strip()
    looks_like_json = (stripped[:1], stripped[-1:]) in {("{", "}"), ("[", "]")}
    return _expand_json(json.loads(text)) if looks_like_json else [text.encode()]


def _expand_json(content: object) -> list[bytes]:
    elements = content if isinstance(content, list) else [content]
    return [_write(element).encode() for element in elements]


def _write(element: object) -> str:
    return element if isinstance(element, str) else json.dumps(element, indent=2, ensure_ascii=False)


def send(queue: QueueClient, text: str) -> None:
    """Put a text into a queue, which is created when missing."""
    try:
        queue.send_message(text)
    except ResourceNotFoundError:
        create_queue(queue)
        queue.send_message(text)


def create_queue(queue: QueueClient) -> None:
    """Create a queue unless it is there."""
    try:
        queue.create_queue()
    except ResourceExistsError:
        return


def send_all(response: InvocationResponse, queues: Mapping[str, QueueClient], encoding: Encoding) -> set[str]:
    """Send what a function returned and put into its output bindings.

    Args:
        response: what the worker answered.
        queues: the queues of the function's output bindings, by the name of the binding.
        encoding: how contents are written into messages.

    Returns:
        The addresses of the queues that got messages. What is sent before one fails remains sent.
    """
    values = {binding.name: binding.data for binding in response.output_data}
    values[RETURN_VALUE] = response.return_value
    addresses = set()
    for name, queue in queues.items():
        value = values.get(name)
        for content in expand(value) if value is not None else ():
            send(queue, encode(content, encoding))
            addresses.add(queue.url)
    return addresses
