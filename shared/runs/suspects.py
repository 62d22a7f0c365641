"""Find out whose work kills its worker, and end that run before it takes others with it.

When a worker dies, the host gives every message it had in hand back, the guilty one's and its neighbours'. What
comes back is tried alone: no two of them at a time in a process, with a note that says so. Whoever dies alone, and
leaves its note, is the one. A host that dies leaves notes, too, but its messages come back minutes later.

As long as a suspect may come back its work is left to it: a second message about it would not be tried alone.
"""

from __future__ import annotations

import enum
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from shared.limits import BACK_FROM_THE_DEAD, DEAD_AFTER, JUDGED_WITHIN, SUSPECT_LOOK
from shared.model.documents import Document
from shared.model.messages import ChunkMessage, ImportMessage, ListMessage, RunMessage
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import Reason
from shared.runs.confirm import give_up_import
from shared.runs.deliver import give_up_chunk
from shared.runs.enqueue import enqueue_chunks, postpone
from shared.runs.finish import stop_as_failed
from shared.runs.list_ready import give_up_look
from shared.storage.layout import RunBlobs, suspect_blob, suspects_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from shared.model.messages import Message
    from shared.services import Services

KILLED: Final = Reason(
    code=ReasonCode.WORKER_KILLED,
    message="Working on this run ended the app's process twice, the second time while nothing else was suspected; "
    "most likely it needs more memory than an instance has.",
)
_ALONE: Final = threading.Lock()


class _Verdict(enum.Enum):
    OPEN = enum.auto()
    WAITS = enum.auto()
    GUILTY = enum.auto()


class Suspect(Document):
    """A message that is tried alone, or waits until it can be, and which process has it."""

    process: str
    origin: str
    """Of the message."""
    tried: bool
    """Whether it is being tried; one that waits is not to blame when the process dies."""
    noted_at: datetime
    """One that waits notes it again at each look."""


def work_alone(services: Services, message: Message, work: Callable[[], None]) -> None:
    """Try a message again whose work began and did not end, or end its run.

    The message bears its origin. Each has a note of its own, for there may be several about the same work.
    """
    origin = str(message.origin)
    mine = (origin, services.heartbeat.process)
    name = suspect_blob(message.queue, message.export, message.run, _chunk(message), origin)
    notes = _notes(services, message.queue, message.export, message.run, _chunk(message))
    match _verdict(services, origin, notes):
        case _Verdict.WAITS:
            postpone(services, message, wait=SUSPECT_LOOK, why="whoever was tried alone is judged first")
        case _Verdict.GUILTY:
            _end_run(services, message)
            services.store.blobs.delete(name)
        case _Verdict.OPEN if _ALONE.acquire(blocking=False):
            try:
                services.store.upsert(name, _suspect(services, origin, tried=True))
                work()
            finally:
                _ALONE.release()
                services.store.blobs.delete(name)
        case _Verdict.OPEN:
            if not any(note.tried for note in notes if (note.origin, note.process) == mine):
                services.store.upsert(name, _suspect(services, origin, tried=False))
            postpone(services, message, wait=SUSPECT_LOOK, why="another message is tried alone")


def _notes(services: Services, queue: str, export: str, run: str, chunk: int) -> list[Suspect]:
    """Of all messages about the same work."""
    listed = services.store.blobs.list_blobs(suspects_of(queue, export, run, chunk))
    found = (services.store.find(item.name, Suspect) for item in listed)
    return [note.document for note in found if note is not None]


def _verdict(services: Services, origin: str, notes: Iterable[Suspect]) -> _Verdict:
    """What the notes of those who were tried say of a message.

    Another message about the same work proves nothing: a host that died earlier may have had that one in hand. It
    lets the one that was tried come back and be judged: tried before that, it would kill another worker.
    """
    verdict = _Verdict.OPEN
    for note in notes:
        silence = services.heartbeat.silence(note.process)
        if note.process == services.heartbeat.process or not note.tried or silence is None:
            continue
        if note.origin == origin and timedelta(seconds=DEAD_AFTER) <= silence < timedelta(
            seconds=BACK_FROM_THE_DEAD
        ):
            return _Verdict.GUILTY
        if silence < timedelta(seconds=JUDGED_WITHIN):
            verdict = _Verdict.WAITS
    return verdict


def is_suspected(services: Services, message: Message) -> bool:
    """Whether another message about the same work is a suspect that may yet be back; this one is then one, too.

    Asked for a run's plan only: a start that is sent twice makes two messages, and the sweeper doubles no suspect.
    """
    if not isinstance(message, RunMessage):
        return False
    return comes_back(services, message.queue, RunBlobs(export=message.export, run=message.run), 0)


def comes_back(services: Services, queue: str, blobs: RunBlobs, number: int) -> bool:
    """Whether a message on `queue` about a chunk, or the whole run (0), is a suspect that may yet be back."""
    return any(_may_be_back(services, note) for note in _notes(services, queue, blobs.export, blobs.run, number))


def _may_be_back(services: Services, note: Suspect) -> bool:
    since_waiting = services.clock() - note.noted_at
    silence = services.heartbeat.silence(note.process) if note.tried else since_waiting
    return silence is not None and silence < timedelta(seconds=JUDGED_WITHIN)


def _suspect(services: Services, origin: str, *, tried: bool) -> Suspect:
    process, now = services.heartbeat.process, services.clock()
    return Suspect(process=process, origin=origin, tried=tried, noted_at=now)


def _chunk(message: Message) -> int:
    return message.chunk if isinstance(message, ChunkMessage | ImportMessage) else 0


def _end_run(services: Services, message: Message) -> None:
    if isinstance(message, ListMessage):
        give_up_look(services, message)
        return
    plan = stop_as_failed(services, message.export, message.run, KILLED)
    if plan is None:
        return
    match message:
        case ChunkMessage():
            give_up_chunk(services, message, KILLED)
        case ImportMessage():
            give_up_import(services, message)
        case RunMessage():
            pass
    enqueue_chunks(services, RunBlobs(export=message.export, run=message.run), plan)
