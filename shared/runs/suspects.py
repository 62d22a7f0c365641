"""Find out whose work kills its worker, and end that run before it takes others with it.

When a worker dies, the host gives every message it had in hand back, the guilty one's and its neighbours'. What
comes back is tried alone: no two of them at a time in a process, with a note that says so. Whoever dies alone, and
leaves its note, is the one. A host that dies leaves notes, too, but its messages come back minutes later.
"""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from shared.limits import BACK_FROM_THE_DEAD, DEAD_AFTER, SUSPECT_LOOK
from shared.model.documents import Document
from shared.model.messages import ChunkMessage, ImportMessage, RunMessage
from shared.model.reasons import Reason, ReasonCode, RunStatus
from shared.model.runs import Plan
from shared.runs.confirm import give_up_import
from shared.runs.deliver import give_up_chunk
from shared.runs.enqueue import enqueue_chunks, postpone
from shared.runs.finish import end_before_sending, stop_run
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


class Suspect(Document):
    """Which message is tried alone, and by which process."""

    process: str
    message: str
    """Its id; of one that was put off the id of the first."""


def work_alone(
    services: Services, message: Message, message_id: str, unfinished: int, work: Callable[[], None]
) -> None:
    """Try a message again whose work began `unfinished` times and did not end, or end its run.

    Another message about the same work proves nothing: a host that died earlier may have had that one in hand.
    """
    identity = message.origin or message_id
    name = suspect_blob(message.queue, message.export, message.run, _chunk(message))
    note = services.store.find(name, Suspect)
    if note is not None and note.document.process != services.heartbeat.process:
        silence = services.heartbeat.silence(note.document.process)
        if silence is not None and silence < timedelta(seconds=DEAD_AFTER):
            _put_off(services, message, identity, unfinished, "whoever tried it alone may be alive")
            return
        is_back = silence is not None and silence < timedelta(seconds=BACK_FROM_THE_DEAD)
        if is_back and note.document.message == identity:
            _end_run(services, message)
            services.store.blobs.delete(name)
            return
    if not _ALONE.acquire(blocking=False):
        _put_off(services, message, identity, unfinished, "another message is tried alone")
        return
    try:
        services.store.upsert(name, Suspect(process=services.heartbeat.process, message=identity))
        work()
    finally:
        _ALONE.release()
        services.store.blobs.delete(name)


def _chunk(message: Message) -> int:
    return message.chunk if isinstance(message, ChunkMessage | ImportMessage) else 0


def _put_off(services: Services, message: Message, identity: str, unfinished: int, why: str) -> None:
    later = message.model_copy(update={"unfinished": unfinished, "origin": identity})
    postpone(services, later, wait=SUSPECT_LOOK, why=why)


def _end_run(services: Services, message: Message) -> None:
    blobs = RunBlobs(export=message.export, run=message.run)
    plan = services.store.find(blobs.plan, Plan)
    if plan is None:
        end_before_sending(services, message.export, message.run, status=RunStatus.FAILED, reason=KILLED)
        return
    stop_run(services, message.export, message.run, RunStatus.FAILED, KILLED)
    match message:
        case ChunkMessage():
            give_up_chunk(services, message, KILLED)
        case ImportMessage():
            give_up_import(services, message)
        case RunMessage():
            pass
    enqueue_chunks(services, blobs, plan.document)
