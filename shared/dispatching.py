"""Hand out chunks: put a message on the queue for every chunk that has no result yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.messages import CHUNKS_QUEUE, ChunkMessage
from shared.store import number_of

if TYPE_CHECKING:
    from shared.records import Plan
    from shared.services import Services
    from shared.store import RunBlobs


def enqueue_chunks(services: Services, blobs: RunBlobs, plan: Plan) -> int:
    """Enqueue every chunk without a result; how many there were.

    A message too many does no harm: the chunk's delivery record says what is left to do.
    """
    done = {number_of(item.name) for item in services.store.blobs.list_blobs(blobs.results)}
    waiting = [chunk.number for chunk in plan.chunks if chunk.number not in done]
    for number in waiting:
        message = ChunkMessage(export=blobs.export, run=blobs.run, chunk=number)
        services.queues.send(CHUNKS_QUEUE, message.model_dump_json(exclude_none=True))
    return len(waiting)
