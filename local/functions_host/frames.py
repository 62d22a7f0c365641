"""What host and worker process tell each other: pickled objects, each behind its length.

The real ones speak gRPC; both ends here are ours and of one version, so nothing else is needed.
"""

import asyncio
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.functions_host.protos import TypedData
from local.functions_host.worker import Function

LENGTH_BYTES = 8


@dataclass(frozen=True, kw_only=True)
class Start:
    """Load the app; answered by its functions."""

    app_dir: Path


@dataclass(frozen=True, kw_only=True)
class Invoke:
    """Call a function; answered by the worker's response."""

    function: Function
    invocation_id: str
    value: TypedData
    metadata: dict[str, TypedData] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Wait for the functions that run, and end."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The answer to what failed."""

    message: str
    stack_trace: str


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, Any] | None:
    """Read the number of a request and what goes with it; None where the other end is gone."""
    try:
        length = int.from_bytes(await reader.readexactly(LENGTH_BYTES))
        number, content = pickle.loads(await reader.readexactly(length))  # noqa: S301  # our own process wrote it
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return number, content


def frame(number: int, content: object) -> bytes:
    """Return the bytes of a request, or of the answer to one."""
    body = pickle.dumps((number, content))
    return len(body).to_bytes(LENGTH_BYTES) + body
