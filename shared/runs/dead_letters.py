"""End truthfully what a message asked for that failed too often, and keep the message for diagnosis."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pydantic import ValidationError

from shared.errors import BlobMissingError
from shared.model.messages import CHUNKS_QUEUE, IMPORTS_QUEUE, RUNS_QUEUE, ChunkMessage, RunMessage
from shared.model.reasons import ReasonCode, Reason, RunStatus
from shared.model.runs import Plan
from shared.runs.confirm import give_up_watching
from shared.runs.deliver import give_up_chunk
from shared.runs.enqueue import enqueue_chunks
from shared.runs.finish import end_before_sending, stop_run
from shared.storage.layout import RunBlobs, poison_blob
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from shared.services import Services

BROKEN = Reason(
    code=ReasonCode.INTERNAL_ERROR,
    message="A step failed every time it was tried; the app's log has the error, and poison/ has the message.",
)


def dead_letter(services: Services, queue: str, body: bytes, message_id: str) -> None:
    """Keep a poison message of `queue` and end the run or chunk it was about."""
    services.store.blobs.upsert(poison_blob(queue, message_id), body)
    log_event(Event.POISON_MESSAGE, level=logging.ERROR, queue=queue, message=message_id)
    try:
        _END[queue](services, body, message_id)
    except (ValidationError, BlobMissingError) as error:
        # not a message of ours, or about a run that does not exist: keeping it is all there is to do
        log_event(
            Event.POISON_MESSAGE, level=logging.ERROR, queue=queue, message=message_id, error=type(error).__name__
        )


def _end_run(services: Services, body: bytes, _message_id: str) -> None:
    message = RunMessage.model_validate_json(body)
    blobs = RunBlobs(export=message.export, run=message.run)
    try:
        plan = services.store.get(blobs.plan, Plan).document
    except BlobMissingError:
        end_before_sending(services, message.export, message.run, status=RunStatus.FAILED, reason=BROKEN)
        return
    stop_run(services, message.export, message.run, RunStatus.FAILED, BROKEN)
    enqueue_chunks(services, blobs, plan)


def _end_chunk(services: Services, body: bytes, message_id: str) -> None:
    give_up_chunk(services, ChunkMessage.model_validate_json(body), message_id, BROKEN)


def _end_watch(services: Services, body: bytes, message_id: str) -> None:
    give_up_watching(services, ChunkMessage.model_validate_json(body), message_id)


_END = {RUNS_QUEUE: _end_run, CHUNKS_QUEUE: _end_chunk, IMPORTS_QUEUE: _end_watch}
