"""Look after a chunk's import jobs until each has come to an end, then write the chunk's result.

SendGrid accepts an upsert at once and imports it later; only the job's end says what became of the contacts.
A job that failed as a whole, or that SendGrid no longer knows, is sent again: an upsert may be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.errors import BlobChangedError, BlobMissingError, RunEndError, TransientError
from shared.limits import IMPORT_DEADLINE, JOB_PATIENCE, POLL_CAP, POLL_FIRST, RESENDS
from shared.model.messages import CHUNKS_QUEUE, IMPORTS_QUEUE, ChunkMessage
from shared.model.runs import Delivery, PollToken, Run
from shared.runs.deliver import Task, open_task
from shared.runs.delivery_state import send_again
from shared.runs.enqueue import postpone
from shared.runs.finish import end_chunk
from shared.runs.outcomes import Ended, chunk_result, counters_missing
from shared.sendgrid.api import Response, ImportJob, JobStatus, get_import, import_job
from shared.sendgrid.decisions import Action, backoff
from shared.sendgrid.gateway import call
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.model.runs import AcceptedRange
    from shared.services import Services

IMPORTS = "imports"
"""The rate limiter's name for `GET /v3/marketing/contacts/imports/{id}`."""


@dataclass(frozen=True, kw_only=True)
class JobPoll:
    """What one look at a job showed."""

    portion: AcceptedRange
    job: ImportJob | None = None
    """None when SendGrid did not tell."""
    vanished: bool = False
    """SendGrid knows no such job."""
    wait: float = 0
    """Seconds that the answer asks to wait."""

    @property
    def ended(self) -> bool:
        """Whether the job has come to its end."""
        return self.job is not None and self.job.status is not JobStatus.PENDING

    @property
    def lost(self) -> bool:
        """Whether sending again may help."""
        return self.vanished or (self.job is not None and self.job.status is JobStatus.FAILED)


def check_import(services: Services, message: ChunkMessage, message_id: str) -> None:
    """Ask for the chunk's jobs; write the result when all have ended, else look again later."""
    task = open_task(services, message, message_id)
    delivery, etag = _delivery(services, task) if task else (None, "")
    if task is None or delivery is None or delivery.pending:
        return  # nothing left to do, or the chunk's own message will come round again
    if delivery.watch is None or delivery.watch.token != message.watch:
        return  # a newer message looks after the jobs
    looks = [_look(services, task, portion) for portion in delivery.accepted]
    now = services.clock()
    patient = message.attempt <= JOB_PATIENCE
    if any(_unsettled(look, patient=patient) for look in looks) and not _too_late(delivery, now):
        _look_again(services, task, delivery, etag, looks)
        return
    lost = [look.portion for look in looks if look.lost]
    if lost and delivery.resends < RESENDS and not _stopped(services, task):
        _send_again(services, task, delivery, etag, lost)
        return
    ended = [Ended(portion=look.portion, job=look.job if look.ended else None) for look in looks]
    _keep_error_files(services, task, ended)
    end_chunk(services, message, chunk_result(delivery, ended, contacts=task.chunk.contacts, now=now))


def _delivery(services: Services, task: Task) -> tuple[Delivery | None, str]:
    try:
        found = services.store.get(task.blobs.delivery(task.chunk.number), Delivery)
    except BlobMissingError:
        return None, ""
    return found.document, found.etag


def _look(services: Services, task: Task, portion: AcceptedRange) -> JobPoll:
    try:
        outcome, decision = call(
            services, task.account, get_import(portion.job_id), endpoint=IMPORTS, attempt=task.message.attempt
        )
    except (TransientError, RunEndError):
        return JobPoll(portion=portion, wait=backoff(task.message.attempt, services.jitter()))
    if not isinstance(outcome, Response):
        return JobPoll(portion=portion, wait=decision.wait)
    if decision.action is Action.ACCEPT:
        return JobPoll(portion=portion, job=import_job(outcome))
    return JobPoll(portion=portion, vanished=outcome.status == 404, wait=decision.wait)  # noqa: PLR2004


def _unsettled(look: JobPoll, *, patient: bool) -> bool:
    """Whether another look may show more: the job runs, is not known yet, or its counters are still empty."""
    if look.vanished or (look.ended and look.job is not None and counters_missing(look.job)):
        return patient
    return not look.ended


def _too_late(delivery: Delivery, now: datetime) -> bool:
    newest = max(portion.accepted_at for portion in delivery.accepted)
    return now >= newest + timedelta(seconds=IMPORT_DEADLINE)


def _stopped(services: Services, task: Task) -> bool:
    return services.store.get(task.blobs.document, Run).document.stop is not None


def poll_wait(attempt: int) -> float:
    """Seconds from the `attempt`-th look to the next: half as long again each time, up to POLL_CAP."""
    return min(POLL_CAP, POLL_FIRST * 1.5 ** min(attempt - 1, 30))


def _look_again(services: Services, task: Task, delivery: Delivery, etag: str, looks: Sequence[JobPoll]) -> None:
    watch = PollToken(token=task.message.watch or "", looked_at=services.clock())
    try:
        services.store.replace(
            task.blobs.delivery(task.chunk.number), delivery.model_copy(update={"watch": watch}), etag=etag
        )
    except BlobChangedError:
        return  # another message looks after it
    wait = max(poll_wait(task.message.attempt), *(look.wait for look in looks))
    later = task.message.model_copy(update={"attempt": task.message.attempt + 1})
    postpone(services, IMPORTS_QUEUE, later, wait=wait, why="the import job has not ended")


def _send_again(
    services: Services, task: Task, delivery: Delivery, etag: str, lost: Sequence[AcceptedRange]
) -> None:
    try:
        services.store.replace(task.blobs.delivery(task.chunk.number), send_again(delivery, lost), etag=etag)
    except BlobChangedError:
        return  # another message looks after it
    message = ChunkMessage(export=task.message.export, run=task.message.run, chunk=task.chunk.number)
    services.queues.send(CHUNKS_QUEUE, message.model_dump_json(exclude_none=True))
    log_event(Event.CHUNK_RESENT, export=message.export, run=message.run, chunk=message.chunk, portions=len(lost))


def _keep_error_files(services: Services, task: Task, ended: Sequence[Ended]) -> None:
    """Keep SendGrid's error files; one that cannot be had now is done without."""
    for end in ended:
        if end.job is None or end.job.errors_url is None:
            continue
        answer = services.sendgrid.download(end.job.errors_url)
        if isinstance(answer, Response) and answer.ok:
            services.store.blobs.upsert(task.blobs.error_file(task.chunk.number, end.portion.job_id), answer.body)


def give_up_watching(services: Services, message: ChunkMessage, message_id: str) -> None:
    """End the chunk as unconfirmed: its jobs could not be looked at."""
    task = open_task(services, message, message_id)
    delivery, _ = _delivery(services, task) if task else (None, "")
    if task is None or delivery is None or delivery.pending:
        return
    ended = [Ended(portion=portion, job=None) for portion in delivery.accepted]
    end_chunk(services, message, chunk_result(delivery, ended, contacts=task.chunk.contacts, now=services.clock()))
