"""The queue messages. They carry ids and counters only, never people."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import AwareDatetime, Field

from shared.model.definitions import Identifier, RunId
from shared.model.documents import Document

RUNS_QUEUE: Final = "runs"
CHUNKS_QUEUE: Final = "chunks"
IMPORTS_QUEUE: Final = "imports"
POISON_SUFFIX: Final = "-poison"
"""The host moves a message there that failed `maxDequeueCount` times."""


class Message(Document):
    """Base of all messages."""

    queue: ClassVar[str]
    """Where messages of this kind go."""
    export: Identifier
    run: RunId
    attempt: Annotated[int, Field(ge=1)] = 1
    """Which try it is; a wait counts it up."""


class RunMessage(Message):
    """Plan this run."""

    queue = RUNS_QUEUE


class ChunkMessage(Message):
    """Bring this chunk to SendGrid."""

    queue = CHUNKS_QUEUE
    chunk: Annotated[int, Field(ge=1)]
    slot: AwareDatetime | None = None
    """The moment the rate limiter has set aside for this message."""


class ImportMessage(Message):
    """Poll the import jobs of this chunk."""

    queue = IMPORTS_QUEUE
    chunk: Annotated[int, Field(ge=1)]
    poll_token: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
    """Only the message with the delivery's newest token goes on polling."""
