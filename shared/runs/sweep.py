"""Heal what was cut off, and clean up what is no longer needed. Runs on the timer.

Every run that is not over has a marker. What is certain to be nobody's any more gets a message: a plan or a chunk
whose process is dead, a message that did not come back when it was due. A message too many does no harm, except
about work that may kill its worker: that is left to its own message (`suspects.py`).
"""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from shared import trace
from shared.errors import ExportError
from shared.limits import (
    CLAIM_LIFETIME,
    CLEAN_EVERY,
    IDEMPOTENCY_KEPT,
    POISON_RETENTION,
    RETENTION,
    SWEEP_AFTER,
)
from shared.model.messages import CHUNKS_QUEUE, IMPORTS_QUEUE, RUNS_QUEUE, ChunkMessage, RunMessage
from shared.model.runs import CleaningState, Delivery, Plan, Run
from shared.runs.enqueue import enqueue
from shared.runs.finish import finish_if_done, tell_end
from shared.runs.list_ready import heal_looks
from shared.runs.suspects import comes_back
from shared.storage.layout import (
    CLEANING_BLOB,
    NOTICES,
    NOTIFICATION_DELIVERIES,
    RunBlobs,
    number_of,
    suspects_folder,
)
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from shared.services import Services


def sweep(services: Services) -> int:
    """Look at every run that is not over, then clean up; how many runs got their messages again."""
    healed = sum(_look_after(services, export, run) for export, run in _active(services))
    heal_looks(services)
    _clean(services)
    return healed


def _active(services: Services) -> Iterator[tuple[str, str]]:
    for item in services.store.blobs.list_blobs("active/"):
        _, export, run = item.name.split("/")
        yield export, run


def _look_after(services: Services, export: str, run: str) -> bool:
    try:
        return _heal(services, RunBlobs(export=export, run=run))
    except (ExportError, ValueError) as error:
        # one run's trouble must not keep the others from being swept
        log_event(Event.SWEEP_FAILED, level=logging.ERROR, export=export, run=run, error=type(error).__name__)
        return False


def _heal(services: Services, blobs: RunBlobs) -> bool:
    late = services.clock() - timedelta(seconds=SWEEP_AFTER)
    found = services.store.find(blobs.document, Run)
    if found is None:
        return _forget_if_old(services, blobs.marker, late)
    run = found.document
    if run.status.is_terminal:
        tell_end(services, run)
        return False
    with trace.following(run.trace_id):
        return _heal_open(services, blobs, run, late)


def _heal_open(services: Services, blobs: RunBlobs, run: Run, late: datetime) -> bool:
    if any(item.modified > late for item in services.store.blobs.list_blobs(blobs.marker)):
        return False  # it was started, or got its messages, a moment ago
    plan = services.store.find(blobs.plan, Plan)
    if plan is None or run.uploading_at is None:
        what = _heal_planning(services, blobs, run, late)
    else:
        what = _heal_delivery(services, blobs, plan.document, late)
    if what is None:
        return False
    services.store.blobs.upsert(blobs.marker, b"")
    log_event(Event.SWEEP_HEALED, level=logging.WARNING, export=blobs.export, run=blobs.run, what=what)
    return True


def _forget_if_old(services: Services, marker: str, alive_since: datetime) -> bool:
    """A marker without a run is a start that was cut off; what started it starts it again."""
    if any(item.modified < alive_since for item in services.store.blobs.list_blobs(marker)):
        services.store.blobs.delete(marker)
    return False


def _heal_planning(services: Services, blobs: RunBlobs, run: Run, late: datetime) -> str | None:
    """Send the message that plans the run again if whoever had it is dead, or it did not come back in time."""
    if run.planner is not None:
        is_lost = services.heartbeat.is_gone(run.planner)
    elif run.waits_until is not None:
        is_lost = run.waits_until < late
    else:
        is_lost = all(item.modified < late for item in services.store.blobs.list_blobs(blobs.document))
    if not is_lost or comes_back(services, RUNS_QUEUE, blobs, 0):
        return None
    token = uuid.uuid4().hex[:12]
    services.store.update(blobs.document, Run, lambda run: run.model_copy(update={"message_token": token}))
    enqueue(services, RunMessage(export=blobs.export, run=blobs.run, token=token))
    return "plan"


def _heal_delivery(services: Services, blobs: RunBlobs, plan: Plan, late: datetime) -> str | None:
    """Send messages for the chunks that are nobody's any more; who waits for SendGrid is left alone."""
    done = {number_of(item.name) for item in services.store.blobs.list_blobs(blobs.results)}
    if len(done) == len(plan.chunks):
        return "finish" if finish_if_done(services, blobs.export, blobs.run) else None
    begun = {number_of(item.name): item for item in services.store.blobs.list_blobs(blobs.deliveries)}
    old = {
        number: services.store.get(item.name, Delivery).document
        for number, item in begun.items()
        if number not in done and item.modified < late
    }
    lost = [number for number, delivery in old.items() if _is_lost(services, delivery, late)]
    goes_on = any(item.modified >= late for item in begun.values())
    waits = any(delivery.waits_until and delivery.waits_until > late for delivery in old.values())
    if not goes_on and not waits:
        lost += [chunk.number for chunk in plan.chunks if chunk.number not in begun and chunk.number not in done]
    suspects = _suspected_chunks(services, blobs)
    lost = [number for number in lost if number not in suspects]
    for number in lost:
        enqueue(services, ChunkMessage(export=blobs.export, run=blobs.run, chunk=number))
    return f"{len(lost)} chunks" if lost else None


def _suspected_chunks(services: Services, blobs: RunBlobs) -> set[int]:
    """Chunks of which a message, or one about their import, is a suspect that may yet be back."""
    return {
        number
        for queue in (CHUNKS_QUEUE, IMPORTS_QUEUE)
        for folder in services.store.blobs.list_level(suspects_folder(queue, blobs.export, blobs.run)).folders
        if comes_back(services, queue, blobs, number := int(folder.rpartition("/")[2]))
    }


def _is_lost(services: Services, delivery: Delivery, late: datetime) -> bool:
    """Whether nobody works on a chunk, and no message about it comes back."""
    if not delivery.pending:
        poll = delivery.poll
        return poll is None or (poll.next_at or poll.polled_at) < late
    if delivery.claim is not None:
        is_old = delivery.claim.since < late - timedelta(seconds=CLAIM_LIFETIME)
        return is_old or services.heartbeat.is_gone(delivery.claim.process)
    return delivery.waits_until is None or delivery.waits_until < late


def _clean(services: Services) -> None:
    """Every CLEAN_EVERY seconds delete what is past its retention."""
    now = services.clock()
    state = services.store.find(CLEANING_BLOB, CleaningState)
    if state is not None and now - state.document.cleaned_at < timedelta(seconds=CLEAN_EVERY):
        return
    _delete_older(services, "runs/", now - timedelta(seconds=RETENTION), containing="/attempts/")
    _delete_older(services, "runs/", now - timedelta(seconds=RETENTION), containing="/errors/")
    _delete_older(services, "requests/", now - timedelta(seconds=IDEMPOTENCY_KEPT), containing="/keys/")
    _delete_older(services, "processes/", now - timedelta(seconds=CLEAN_EVERY))
    _delete_older(services, "suspects/", now - timedelta(seconds=CLEAN_EVERY))
    _delete_older(services, NOTIFICATION_DELIVERIES, now - timedelta(seconds=RETENTION))
    _delete_older(services, NOTICES, now - timedelta(seconds=RETENTION))
    _delete_older(services, "poison/", now - timedelta(seconds=POISON_RETENTION))
    services.store.upsert(CLEANING_BLOB, CleaningState(cleaned_at=now))


def _delete_older(services: Services, prefix: str, oldest: datetime, *, containing: str = "") -> None:
    for item in services.store.blobs.list_blobs(prefix):
        if containing in item.name and item.modified < oldest:
            services.store.blobs.delete(item.name)
