"""The queue messages. They carry ids and counters only, never people."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from shared.model.definitions import Identifier, RunId
from shared.model.documents import Document

RUNS_QUEUE: Final = "runs"
CHUNKS_QUEUE: Final = "chunks"
IMPORTS_QUEUE: Final = "imports"
POISON_SUFFIX: Final = "-poison"
"""The host moves a message there that failed `maxDequeueCount` times."""

Attempt = Annotated[int, Field(ge=1)]


class RunMessage(Document):
    """Plan this run."""

    export: Identifier
    run: RunId
    attempt: Attempt = 1


class ChunkMessage(Document):
    """Bring this chunk to SendGrid, or look after its import jobs."""

    export: Identifier
    run: RunId
    chunk: Annotated[int, Field(ge=1)]
    attempt: Attempt = 1
    slot: AwareDatetime | None = None
    """The moment the rate limiter has set aside for this message."""
    watch: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")] | None = None
    """Which watch over the import jobs this message belongs to; only the newest one goes on."""
