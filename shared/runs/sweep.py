"""Heal what was cut off, and clean up what is no longer needed. Runs on the timer.

Every run that is not over has a marker. A run that shows no sign of life for SWEEP_AFTER seconds gets its
messages again; that may be one too many, which every step bears.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.errors import ExportError
from shared.limits import CLEAN_EVERY, POISON_RETENTION, RETENTION, SWEEP_AFTER
from shared.model.messages import RunMessage
from shared.model.runs import CleaningState, Plan, Run
from shared.runs.enqueue import enqueue, enqueue_chunks
from shared.runs.finish import finish_if_done
from shared.storage.layout import CLEANING_BLOB, RunBlobs
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from shared.services import Services


def sweep(services: Services) -> int:
    """Look at every run that is not over, then clean up; how many runs got their messages again."""
    healed = sum(_look_after(services, export, run) for export, run in _active(services))
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
    alive_since = services.clock() - timedelta(seconds=SWEEP_AFTER)
    marker = blobs.marker
    found = services.store.find(blobs.document, Run)
    if found is None:
        return _forget_if_old(services, marker, alive_since)
    run = found.document
    if run.status.is_terminal:
        services.store.blobs.delete(marker)
        return False
    if _last_sign_of_life(services, blobs) > alive_since:
        return False
    what = _send_messages_again(services, blobs, run)
    services.store.blobs.upsert(marker, b"")  # a sign of life, so that the next sweeps leave it time
    log_event(Event.SWEEP_HEALED, level=logging.WARNING, export=blobs.export, run=blobs.run, what=what)
    return True


def _forget_if_old(services: Services, marker: str, alive_since: datetime) -> bool:
    """A marker without a run is a start that was cut off; what started it starts it again."""
    if any(item.modified < alive_since for item in services.store.blobs.list_blobs(marker)):
        services.store.blobs.delete(marker)
    return False


def _last_sign_of_life(services: Services, blobs: RunBlobs) -> datetime:
    own = [item.modified for item in services.store.blobs.list_blobs(blobs.folder)]
    return max(own + [item.modified for item in services.store.blobs.list_blobs(blobs.marker)])


def _send_messages_again(services: Services, blobs: RunBlobs, run: Run) -> str:
    plan = services.store.find(blobs.plan, Plan)
    if plan is None or not run.uploading_at:
        enqueue(services, RunMessage(export=blobs.export, run=blobs.run))
        return "plan"
    if finish_if_done(services, blobs.export, blobs.run):
        return "finish"
    enqueue_chunks(services, blobs, plan.document)
    return "chunks"


def _clean(services: Services) -> None:
    """Every CLEAN_EVERY seconds delete what is past its retention."""
    now = services.clock()
    state = services.store.find(CLEANING_BLOB, CleaningState)
    if state is not None and now - state.document.cleaned_at < timedelta(seconds=CLEAN_EVERY):
        return
    _delete_older(services, "runs/", now - timedelta(seconds=RETENTION), containing="/attempts/")
    _delete_older(services, "runs/", now - timedelta(seconds=RETENTION), containing="/errors/")
    _delete_older(services, "poison/", now - timedelta(seconds=POISON_RETENTION))
    services.store.upsert(CLEANING_BLOB, CleaningState(cleaned_at=now))


def _delete_older(services: Services, prefix: str, oldest: datetime, *, containing: str = "") -> None:
    for item in services.store.blobs.list_blobs(prefix):
        if containing in item.name and item.modified < oldest:
            services.store.blobs.delete(item.name)
