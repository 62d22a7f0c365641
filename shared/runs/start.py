"""Start runs: on demand, and those that are due. The same request twice starts one run."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from shared.errors import BlobChangedError, BlobExistsError, BlobMissingError, IdempotencyMismatchError
from shared.model.definitions import Connection, Export, Saved
from shared.model.messages import RunMessage
from shared.model.reasons import RunStatus
from shared.model.runs import Run, ScheduleState, StartedRequest, Trigger
from shared.runs.enqueue import enqueue
from shared.runs.schedule import effective, last_due
from shared.storage.layout import SCHEDULE_BLOB, RunBlobs, connection_blob, request_blob
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from shared.definitions.resolve import ExportWithConnection
    from shared.model.definitions import Actor
    from shared.services import Services

TIMER: Final = "timer"
"""Who requests scheduled runs."""


def start_on_demand(
    services: Services,
    job: ExportWithConnection,
    *,
    by: Actor,
    force: bool = False,
    idempotency_key: str | None = None,
) -> Run:
    """Start a run now; with an `idempotency_key` seen before, the run it started then.

    Raises ExportUnavailableError, and IdempotencyMismatchError when the key was seen with another request.
    """
    job.require_runnable()
    job.require_segments()
    export = job.id
    now = services.clock()
    run_id = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    if idempotency_key is not None:
        asked = Asked(job=job, by=by, key=idempotency_key, force=force)
        run_id = _run_of_request(services, asked, run_id)
    return start(
        services,
        Run(
            id=run_id,
            export=export,
            trigger=Trigger.ON_DEMAND,
            force=force,
            export_uid=job.uid,
            connection=job.export.connection,
            connection_uid=job.through.uid,
            requested_by=by.name,
            acts_for=by,
            created_at=now,
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that may be sent twice, by whom, and under which key."""

    job: ExportWithConnection
    by: Actor
    key: str
    force: bool


def _run_of_request(services: Services, asked: Asked, run_id: str) -> str:
    """The run of the request: the one it started when it was sent before, else `run_id`.

    A key is its caller's: another one's requests are not found by it.
    """
    owner = json.dumps([asked.job.uid, asked.by.id, asked.key])
    name = request_blob(asked.job.id, hashlib.sha256(owner.encode()).hexdigest())
    try:
        services.store.create(name, StartedRequest(run=run_id, force=asked.force))
    except BlobExistsError:
        before = services.store.get(name, StartedRequest).document
        if before.force != asked.force:
            raise IdempotencyMismatchError(
                "The Idempotency-Key was sent before with another body; send a key of its own with each request."
            ) from None
        return before.run
    return run_id


def start(services: Services, run: Run) -> Run:
    """Mark, write, enqueue, in this order: what is cut off is finished by a second start or the sweeper."""
    blobs = RunBlobs(export=run.export, run=run.id)
    services.store.blobs.upsert(blobs.marker, b"")
    try:
        if not any(services.store.blobs.list_blobs(blobs.document)):
            services.audit.note_start(run, connection=run.connection, submitted_by=run.submitted_by)
        services.store.create(blobs.document, run)
    except BlobExistsError:
        run = services.store.get(blobs.document, Run).document
        if run.status is not RunStatus.QUEUED:
            if run.status.is_terminal:
                services.store.blobs.delete(blobs.marker)
            return run
    else:
        log_event(Event.RUN_STARTED, export=run.export, run=run.id, trigger=run.trigger)
    enqueue(services, RunMessage(export=run.export, run=run.id))
    return run


def start_due(services: Services) -> list[Run]:
    """Start a run of every export that became due since the timer last looked.

    The very first look only notes the time. A failure leaves the note as it was, so that the next tick looks
    at the same span again; runs started already are not started twice, since a due time has one run.
    """
    now = services.clock()
    state = services.store.find(SCHEDULE_BLOB, ScheduleState)
    if state is None:
        services.store.upsert(SCHEDULE_BLOB, ScheduleState(looked_until=now))
        return []
    due = list(_due_exports(services, after=state.document.looked_until, until=now))
    started = [_start_due(services, saved, moment) for saved, moment in due]
    try:
        services.store.replace(SCHEDULE_BLOB, ScheduleState(looked_until=now), etag=state.etag)
    except BlobChangedError:
        return started  # another tick has looked over the same span
    log_event(Event.REFRESH_TICK, due=len(due))
    return started


def _due_exports(
    services: Services, *, after: datetime, until: datetime
) -> Iterator[tuple[Saved[Export], datetime]]:
    for item in services.store.blobs.list_blobs("exports/"):
        try:
            saved = services.store.get(item.name, Saved[Export]).document
        except (BlobMissingError, ValueError) as error:
            log_event(Event.REFRESH_TICK, level=logging.ERROR, unreadable=item.name, error=type(error).__name__)
            continue
        schedule = effective(saved.definition.schedule, services.settings.refresh)
        if schedule is None or not saved.definition.enabled:
            continue
        moment = last_due(schedule, after=max(after, saved.created_at - timedelta(microseconds=1)), until=until)
        if moment is not None:
            yield saved, moment


def _start_due(services: Services, saved: Saved[Export], moment: datetime) -> Run:
    connection = services.store.find(connection_blob(saved.definition.connection), Saved[Connection])
    run = Run(
        id=f"{moment:%Y%m%dT%H%M%SZ}-scheduled",
        export=saved.id,
        trigger=Trigger.SCHEDULED,
        export_uid=saved.uid,
        connection=saved.definition.connection,
        connection_uid=connection.document.uid if connection else None,
        requested_by=TIMER,
        acts_for=saved.updated_by,
        created_at=services.clock(),
        due_at=moment,
    )
    return start(services, run)
