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
from shared.model.messages import ChunkMessage, ImportMessage, RunMessage
from shared.model.reasons import Reason, ReasonCode
from shared.runs.confirm import give_up_import
from shared.runs.deliver import give_up_chunk
from shared.runs.enqueue import enqueue_chunks, postpone
from shared.runs.finish import stop_as_failed
from shared.storage.layout import RunBlobs, suspect_blob

if TYPE_CHECKING:
    from collections.abc import Callable

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
    """Which message is tried alone, or waits until it can be, and by which process."""

    process: str
    origin: str | None
    """Of the message."""
    tried: bool
    """Whether it is being tried; one that waits is not to blame when the process dies."""
    noted_at: datetime
    """One that waits notes it again at each look."""


def work_alone(services: Services, message: Message, work: Callable[[], None]) -> None:
    """Try a message again whose work began and did not end, or end its run."""
    name = suspect_blob(message.queue, message.export, message.run, _chunk(message))
    note = services.store.find(name, Suspect)
    match _verdict(services, message, note.document if note else None):
        case _Verdict.WAITS:
            postpone(services, message, wait=SUSPECT_LOOK, why="whoever was tried alone is judged first")
        case _Verdict.GUILTY:
            _end_run(services, message)
            services.store.blobs.delete(name)
        case _Verdict.OPEN if _ALONE.acquire(blocking=False):
            try:
                services.store.upsert(name, _suspect(services, message, tried=True))
                work()
            finally:
                _ALONE.release()
                services.store.blobs.delete(name)
        case _Verdict.OPEN:
            if note is None or note.document.process != services.heartbeat.process or not note.document.tried:
                services.store.upsert(name, _suspect(services, message, tried=False))
            postpone(services, message, wait=SUSPECT_LOOK, why="another message is tried alone")


def _verdict(services: Services, message: Message, note: Suspect | None) -> _Verdict:
    """What the note of the one that was tried last says of this message.

    Another message about the same work proves nothing: a host that died earlier may have had that one in hand. It
    lets the one that was tried come back and be judged: tried before that, it would take the note along.
    """
    silence = services.heartbeat.silence(note.process) if note is not None else None
    if note is None or silence is None or note.process == services.heartbeat.process:
        return _Verdict.OPEN
    if silence < timedelta(seconds=DEAD_AFTER):
        return _Verdict.WAITS
    is_its_own = note.origin == message.origin
    if not note.tried or silence >= timedelta(seconds=BACK_FROM_THE_DEAD if is_its_own else JUDGED_WITHIN):
        return _Verdict.OPEN
    return _Verdict.GUILTY if is_its_own else _Verdict.WAITS


def comes_back(services: Services, queue: str, blobs: RunBlobs, number: int) -> bool:
    """Whether a message on `queue` about a chunk, or the whole run (0), is a suspect that may yet be back."""
    note = services.store.find(suspect_blob(queue, blobs.export, blobs.run, number), Suspect)
    if note is None:
        return False
    since_waiting = services.clock() - note.document.noted_at
    silence = services.heartbeat.silence(note.document.process) if note.document.tried else since_waiting
    return silence is not None and silence < timedelta(seconds=JUDGED_WITHIN)


def _suspect(services: Services, message: Message, *, tried: bool) -> Suspect:
    process, now = services.heartbeat.process, services.clock()
    return Suspect(process=process, origin=message.origin, tried=tried, noted_at=now)


def _chunk(message: Message) -> int:
    return message.chunk if isinstance(message, ChunkMessage | ImportMessage) else 0


def _end_run(services: Services, message: Message) -> None:
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
