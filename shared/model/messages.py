"""The queue messages. They carry ids and counters only, never people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Self
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, TypeAdapter

from shared.model.definitions import Identifier, RunId
from shared.model.documents import Document
from shared.model.notifications import NoticeId

RUNS_QUEUE: Final = "runs"
CHUNKS_QUEUE: Final = "chunks"
IMPORTS_QUEUE: Final = "imports"
EVENTS_QUEUE: Final = "extract-events"
"""Event Grid tells there of files in the extract container; looks for arrivals come there, too."""
NOTIFICATIONS_QUEUE: Final = "notifications"
QUEUES: Final = (RUNS_QUEUE, CHUNKS_QUEUE, IMPORTS_QUEUE, EVENTS_QUEUE, NOTIFICATIONS_QUEUE)
"""All that the app reads; each has a poison queue beside it."""
POISON_SUFFIX: Final = "-poison"
"""The host moves a message there that failed `maxDequeueCount` times."""


def every_queue() -> tuple[str, ...]:
    """Names of all queues that must be there before the app is."""
    return (*QUEUES, *(f"{name}{POISON_SUFFIX}" for name in QUEUES))


class Message(Document):
    """Base of all messages about runs."""

    queue: ClassVar[str]
    """Where messages of this kind go."""
    export: Identifier
    run: RunId
    attempt: Annotated[int, Field(ge=1)] = 1
    """Which try it is; a wait for SendGrid or the vault counts it up."""
    storage_waits: Annotated[int, Field(ge=0)] = 0
    """How often it was put off because storage did not answer; that says nothing of SendGrid."""
    unfinished: Annotated[int, Field(ge=0)] = 0
    """How often work on it began and did not end before it was put off to be tried alone."""
    origin: str | None = None
    """Id of the message that was put off to be tried alone, if this is not the first."""
    revived: bool = False
    """Whether it failed too often once, and was given another chance."""
    traceparent: str | None = None
    """The trace of its run; a message that lacks it, or whose it cannot be read, begins one of its own."""

    def as_suspect(self, origin: str, unfinished: int) -> Self:
        """The message with its past; it keeps that until its work came to an end."""
        return self.model_copy(update={"origin": origin, "unfinished": unfinished})

    def cleared(self) -> Self:
        """The message without a past, after work on it came to an end."""
        return self.model_copy(update={"origin": None, "unfinished": 0})

    def next_attempt(self) -> Self:
        """What comes back after a try that ended, but not with what was wanted."""
        return self.cleared().model_copy(update={"attempt": self.attempt + 1})


class RunMessage(Message):
    """Plan this run."""

    queue = RUNS_QUEUE
    token: str | None = None
    """Only the message with the run's newest token goes on, if the run has one."""


class ChunkMessage(Message):
    """Bring this chunk to SendGrid."""

    queue = CHUNKS_QUEUE
    chunk: Annotated[int, Field(ge=1)]
    slot: AwareDatetime | None = None
    """The moment the rate limiter has set aside for this message."""
    holder: str | None = None
    """Whose claim of the chunk this message goes on with; by default that of its own id."""

    def claimed_by(self, message_id: str) -> str:
        """Who claims the chunk: the message itself, whose id this is, or the first of those it came from."""
        return self.holder or self.origin or message_id


class ImportMessage(Message):
    """Poll the import jobs of this chunk."""

    queue = IMPORTS_QUEUE
    chunk: Annotated[int, Field(ge=1)]
    poll_token: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
    """Only the message with the delivery's newest token goes on polling."""


class NotificationMessage(Document):
    """Tell one target of a notice, or find out who wants to be told."""

    notice: NoticeId
    target: Identifier | None = None
    """None: all that want to."""
    attempt: Annotated[int, Field(ge=1)] = 1
    """Which try it is."""
    storage_waits: Annotated[int, Field(ge=0)] = 0
    """How often it was put off because storage did not answer."""
    traceparent: str | None = None
    """The trace of what is told, which is that of the run if it is about one."""


class ListMessage(Message):
    """Look whether the list holds what this run has left on it."""

    queue = IMPORTS_QUEUE
    list_id: UUID
    token: str
    """Only the message with the newest token of the look after the list goes on."""


@dataclass(frozen=True, kw_only=True)
class Kinds[M: Message]:
    """Several kinds of message on one queue, each with a member that the others lack."""

    queue: str
    adapter: TypeAdapter[M]

    def model_validate_json(self, body: str | bytes) -> M:
        """Read one; as the method of that name of a single kind."""
        return self.adapter.validate_json(body)


ON_IMPORTS: Final = Kinds[ImportMessage | ListMessage](
    queue=IMPORTS_QUEUE,
    adapter=TypeAdapter(ImportMessage | ListMessage, config=ConfigDict(hide_input_in_errors=True)),
)
"""What SendGrid is asked about from time to time: import jobs, and lists after them."""
