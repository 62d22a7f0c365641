"""Poison messages: keep a copy, then end the run or chunk the message was for."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pydantic import ValidationError

from shared import trace
from shared.errors import BlobMissingError
from shared.model.messages import ChunkMessage, ImportMessage, ListMessage, RunMessage
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import Reason
from shared.runs.confirm import give_up_import
from shared.runs.deliver import give_up_chunk
from shared.runs.enqueue import enqueue, enqueue_chunks
from shared.runs.finish import fail_run, stop_as_failed
from shared.runs.list_ready import give_up_look
from shared.storage.layout import RunBlobs, poison_blob
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from shared.model.messages import Kinds, Message
    from shared.services import Services

BROKEN = Reason(
    code=ReasonCode.INTERNAL_ERROR,
    message="A step failed every time it was tried; the app's log has the error, and poison/ has the message.",
)
DAMAGED = Reason(
    code=ReasonCode.DOCUMENT_DAMAGED,
    message="A document of the run cannot be read; what SendGrid had accepted stays on the list. The app's log "
    "names the kind of error, and poison/ has the message.",
)


def dead_letter[M: Message](services: Services, kind: type[M] | Kinds[M], body: bytes, message_id: str) -> None:
    """Keep a poison message of the queue of `kind`, give it another chance, or end the run or chunk it was for.

    The first time what failed may have been storage, which refused the put that would have put the message off;
    that this one is taken shows that it does so no more.
    """
    try:
        message = kind.model_validate_json(body)
    except ValidationError:
        keep(services, kind.queue, body, message_id)
        return  # not a message of ours: keeping it is all there is to do
    services.store.blobs.upsert(poison_blob(kind.queue, message_id), body)
    with trace.entered(_own(), message.traceparent):
        _go_on(services, kind.queue, message, message_id)


def _own() -> str | None:
    here = trace.current()
    return here.traceparent if here else None


def _go_on(services: Services, queue: str, message: Message, message_id: str) -> None:
    event = Event.POISON_MESSAGE if message.revived else Event.MESSAGE_REVIVED
    level = logging.ERROR if message.revived else logging.WARNING
    log_event(event, level=level, queue=queue, message=message_id, export=message.export, run=message.run)
    try:
        if message.revived:
            _end(services, message)
        else:
            enqueue(services, message.model_copy(update={"revived": True}))
    except BlobMissingError:
        return  # about a run that does not exist
    except ValidationError as error:
        log_event(
            Event.POISON_MESSAGE,
            level=logging.ERROR,
            queue=queue,
            message=message_id,
            error=type(error).__name__,
        )
        fail_run(services, message.export, message.run, DAMAGED)


def keep(services: Services, queue: str, body: bytes, message_id: str) -> None:
    """Keep a poison message of a queue, and say so."""
    services.store.blobs.upsert(poison_blob(queue, message_id), body)
    log_event(Event.POISON_MESSAGE, level=logging.ERROR, queue=queue, message=message_id)


def _end(services: Services, message: Message) -> None:
    match message:
        case RunMessage():
            _end_run(services, message)
        case ChunkMessage():
            give_up_chunk(services, message, BROKEN)
        case ImportMessage():
            give_up_import(services, message)
        case ListMessage():
            give_up_look(services, message)


def _end_run(services: Services, message: RunMessage) -> None:
    if plan := stop_as_failed(services, message.export, message.run, BROKEN):
        enqueue_chunks(services, RunBlobs(export=message.export, run=message.run), plan)
