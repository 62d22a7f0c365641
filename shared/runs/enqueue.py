"""Put messages on their queues: one by one, later, or one for every chunk that has no result yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared import trace
from shared.limits import STORAGE_WAIT_CAP
from shared.model.messages import ChunkMessage
from shared.sendgrid.decisions import backoff
from shared.storage.layout import number_of
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from shared.model.messages import Message
    from shared.model.runs import Plan
    from shared.services import Services
    from shared.storage.layout import RunBlobs


def enqueue(services: Services, message: Message, *, delay: float = 0) -> None:
    """Put the message on its queue, visible after `delay` seconds; it carries the trace on."""
    if here := trace.current():
        message = message.model_copy(update={"traceparent": here.traceparent})
    services.queues.send(message.queue, message.model_dump_json(exclude_defaults=True), delay=delay)


def postpone(services: Services, message: Message, *, wait: float, why: str) -> None:
    """Replace the message being worked on by one that becomes visible after `wait` seconds.

    The function then returns as if all were well, so a wait never uses up the queue's dequeue count.
    """
    enqueue(services, message, delay=wait)
    log_event(
        Event.POSTPONED,
        queue=message.queue,
        export=message.export,
        run=message.run,
        wait_s=round(wait, 1),
        why=why,
    )


def put_off_for_storage(services: Services, message: Message, *, why: str) -> None:
    """Replace the message being worked on by one that comes back soon, since storage did not answer."""
    wait = min(STORAGE_WAIT_CAP, backoff(message.storage_waits + 1, services.jitter()))
    later = message.model_copy(update={"storage_waits": message.storage_waits + 1})
    postpone(services, later, wait=wait, why=why)


def enqueue_chunks(services: Services, blobs: RunBlobs, plan: Plan) -> int:
    """Enqueue every chunk without a result; how many there were.

    A message too many does no harm: the chunk's delivery record says what is left to do.
    """
    done = {number_of(item.name) for item in services.store.blobs.list_blobs(blobs.results)}
    waiting = [chunk.number for chunk in plan.chunks if chunk.number not in done]
    for number in waiting:
        enqueue(services, ChunkMessage(export=blobs.export, run=blobs.run, chunk=number))
    return len(waiting)
