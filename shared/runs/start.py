"""Start runs: on demand, and those that are due. The same request twice starts one run."""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from shared import trace
from shared.errors import BlobChangedError, BlobExistsError, BlobMissingError
from shared.model.definitions import Connection, Export, Saved
from shared.model.messages import RunMessage
from shared.model.reasons import RunStatus
from shared.model.runs import Run, ScheduleState, Trigger
from shared.runs.enqueue import enqueue
from shared.runs.schedule import effective, last_due
from shared.storage.layout import SCHEDULE_BLOB, RunBlobs, connection_blob
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from shared.definitions.resolve import ExportWithConnection
    from shared.model.definitions import Actor
    from shared.services import Services

REQUESTERS: Final = {Trigger.SCHEDULED: "timer", Trigger.ARRIVAL: "extract"}
"""Who requests the runs that nobody asks for."""


def new_run_id(services: Services) -> str:
    """An id for a run that is asked for now."""
    return f"{services.clock():%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def start_on_demand(
    services: Services, job: ExportWithConnection, *, by: Actor, run_id: str, force: bool = False
) -> Run:
    """Start a run now; one of that id is the same run. Raises ExportUnavailableError."""
    job.require_runnable()
    job.require_segments()
    return start(services, asked_run(services, job, by=by, run_id=run_id).model_copy(update={"force": force}))


def asked_run(services: Services, job: ExportWithConnection, *, by: Actor, run_id: str) -> Run:
    """A run of the export that somebody asks for now, not started yet; what kind it is its caller says.

    Its trace is that of the request.
    """
    here = trace.current()
    return Run(
        id=run_id,
        export=job.id,
        trigger=Trigger.ON_DEMAND,
        export_uid=job.uid,
        connection=job.connection_id,
        connection_uid=job.through.uid,
        requested_by=by.name,
        acts_for=by,
        created_at=services.clock(),
        trace_id=here.trace_id if here else None,
    )


def start(services: Services, run: Run) -> Run:
    """Mark, write, enqueue, in this order: what is cut off is finished by a second start or the sweeper.

    Of several runs that one call starts each begins a trace of its own.
    """
    run = run.model_copy(update={"trace_id": run.trace_id or trace.begin().trace_id})
    with trace.following(run.trace_id):
        return _start(services, run)


def _start(services: Services, run: Run) -> Run:
    blobs = RunBlobs(export=run.export, run=run.id)
    services.store.blobs.upsert(blobs.marker, b"")
    try:
        if not any(services.store.blobs.list_blobs(blobs.document)):
            services.audit.note_start(run, connection=run.connection, submitted_by=run.submitted_by)
        services.store.create(blobs.document, run)
    except BlobExistsError:
        run = services.store.get(blobs.document, Run).document
        if run.status is not RunStatus.QUEUED:
            return run  # of one that is over the sweep takes the marker away, once it is told
    else:
        log_event(Event.RUN_STARTED, export=run.export, run=run.id, trigger=run.trigger)
    with trace.following(run.trace_id):  # that of the first start, if this is the second
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
    started = [_start_due(services, *each) for each in due]
    try:
        services.store.replace(SCHEDULE_BLOB, ScheduleState(looked_until=now), etag=state.etag)
    except BlobChangedError:
        return started  # another tick has looked over the same span
    log_event(Event.REFRESH_TICK, due=len(due))
    return started


def _due_exports(
    services: Services, *, after: datetime, until: datetime
) -> Iterator[tuple[Saved[Export], str, datetime]]:
    for item in services.store.blobs.list_blobs("exports/"):
        try:
            saved = services.store.get(item.name, Saved[Export]).document
        except (BlobMissingError, ValueError) as error:
            log_event(
                Event.DEFINITION_UNREADABLE, level=logging.ERROR, document=item.name, error=type(error).__name__
            )
            continue
        schedule = effective(saved.definition.schedule, services.settings.refresh)
        connection = saved.definition.connection
        if schedule is None or not saved.definition.enabled or connection is None:
            continue
        moment = last_due(schedule, after=max(after, saved.created_at - timedelta(microseconds=1)), until=until)
        if moment is not None:
            yield saved, connection, moment


def _start_due(services: Services, saved: Saved[Export], connection: str, moment: datetime) -> Run:
    return start(services, own_run(services, saved, connection, trigger=Trigger.SCHEDULED, due_at=moment))


def own_run(
    services: Services,
    saved: Saved[Export],
    connection: str,
    *,
    trigger: Trigger,
    due_at: datetime,
    version: str = "",
) -> Run:
    """A run of the export that nobody asks for, not started yet; it acts for whoever saved the export last.

    Args:
        services: What it is made with.
        saved: The export.
        connection: That of the export.
        trigger: What starts it.
        due_at: When it was due; with the trigger and the version its id.
        version: Of the extract that starts it.
    """
    through = services.store.find(connection_blob(connection), Saved[Connection])
    return Run(
        id=f"{due_at:%Y%m%dT%H%M%SZ}-{trigger}{version}",
        export=saved.id,
        trigger=trigger,
        export_uid=saved.uid,
        connection=connection,
        connection_uid=through.document.uid if through else None,
        requested_by=REQUESTERS[trigger],
        acts_for=saved.updated_by,
        created_at=services.clock(),
        due_at=due_at,
    )
