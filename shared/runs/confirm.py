"""Confirm a chunk: poll its import jobs until each has come to an end, then write the chunk's result.

SendGrid accepts an upsert at once and imports it later; only the job's end says what became of the contacts.
A job that failed as a whole, or that SendGrid no longer knows, is sent again: an upsert may be repeated.
"""

from __future__ import annotations

from datetime import timedelta
from http.client import NOT_FOUND
from typing import TYPE_CHECKING

from shared.errors import BlobChangedError, RunEndError, TransientError
from shared.model.messages import ChunkMessage, ImportMessage
from shared.model.runs import Delivery, Run
from shared.runs.delivery_state import send_again
from shared.runs.enqueue import enqueue, postpone
from shared.runs.finish import end_chunk
from shared.runs.job_looks import age_of
from shared.runs.outcomes import Finish, JobPoll, PollAgain, RangeOutcome, Resend, chunk_result, next_step
from shared.runs.tasks import Task, open_task
from shared.sendgrid.api import JobStatus, Response, get_import, import_job
from shared.sendgrid.decisions import Action, backoff
from shared.sendgrid.gateway import Endpoint
from shared.sendgrid.job_times import estimate
from shared.storage.documents import Versioned
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from shared.model.runs import AcceptedRange
    from shared.services import Services


def check_import(services: Services, message: ImportMessage) -> None:
    """Poll the chunk's jobs; write the result when all have ended, else poll again later."""
    task = open_task(services, message)
    found = services.store.find(task.delivery_blob, Delivery) if task else None
    if task is None or found is None:
        return
    delivery = found.document
    if delivery.poll is None or delivery.poll.token != message.poll_token:
        return  # a newer message polls the jobs
    if delivery.pending:
        _send_chunk(services, task)  # this message was cut off between noting that and sending it
        return
    polls = [_poll(services, task, message, accepted) for accepted in delivery.accepted]
    stopped = any(poll.lost for poll in polls) and _is_stopped(services, task)
    now = services.clock()
    step = next_step(
        delivery,
        polls,
        now=now,
        attempt=message.attempt,
        stopped=stopped,
        removal=task.chunk.removal,
    )
    match step:
        case PollAgain(wait, as_expected):
            told = {"ran_at": now} if any(poll.running for poll in polls) else {}
            times = {"polled_at": now, "next_at": now + timedelta(seconds=wait)} | told
            moved = delivery.model_copy(update={"poll": delivery.poll.model_copy(update=times)})
            later = message.cleared() if as_expected else message.next_attempt()
            _poll_again(services, task, Versioned(document=moved, etag=found.etag), later, wait)
        case Resend(ranges):
            _resend(services, task, found, ranges)
        case Finish(outcomes):
            _keep_error_files(services, task, outcomes)
            _finish(services, task, delivery, outcomes)
            _learn_time(services, task, delivery, outcomes, now)


def _accepted_delivery(services: Services, task: Task) -> Versioned[Delivery] | None:
    """The chunk's delivery; None while contacts are pending, for then the chunk's own message comes round."""
    found = services.store.find(task.delivery_blob, Delivery)
    return None if found is None or found.document.pending else found


def _poll(services: Services, task: Task, message: ImportMessage, accepted: AcceptedRange) -> JobPoll:
    request = get_import(accepted.job_id)
    try:
        outcome, decision = services.sendgrid.send(
            task.account, request, endpoint=Endpoint.IMPORTS, attempt=message.attempt
        )
    except (TransientError, RunEndError):
        return JobPoll(accepted=accepted, wait=backoff(message.attempt, services.jitter()))
    if not isinstance(outcome, Response):
        return JobPoll(accepted=accepted, wait=decision.wait)
    if decision.action is Action.ACCEPT:
        return JobPoll(accepted=accepted, job=import_job(outcome))
    return JobPoll(accepted=accepted, vanished=outcome.status == NOT_FOUND, wait=decision.wait)


def _is_stopped(services: Services, task: Task) -> bool:
    return services.store.get(task.blobs.document, Run).document.stop is not None


def _poll_again(
    services: Services, task: Task, moved: Versioned[Delivery], later: ImportMessage, wait: float
) -> None:
    try:
        services.store.replace(task.delivery_blob, moved.document, etag=moved.etag)
    except BlobChangedError:
        return  # another message polls the jobs
    postpone(services, later, wait=wait, why="the import job has not ended")


def _resend(services: Services, task: Task, found: Versioned[Delivery], lost: Sequence[AcceptedRange]) -> None:
    try:
        services.store.replace(task.delivery_blob, send_again(found.document, lost), etag=found.etag)
    except BlobChangedError:
        return  # another message polls the jobs
    _send_chunk(services, task)
    log_event(
        Event.CHUNK_RESENT,
        export=task.blobs.export,
        run=task.blobs.run,
        chunk=task.chunk.number,
        ranges=len(lost),
    )


def _send_chunk(services: Services, task: Task) -> None:
    enqueue(services, ChunkMessage(export=task.blobs.export, run=task.blobs.run, chunk=task.chunk.number))


def _keep_error_files(services: Services, task: Task, outcomes: Sequence[RangeOutcome]) -> None:
    """Keep SendGrid's error files; one that cannot be had now is done without."""
    for outcome in outcomes:
        if outcome.job is None or outcome.job.errors_url is None:
            continue
        response = services.sendgrid.download(outcome.job.errors_url)
        if isinstance(response, Response) and response.ok:
            name = task.blobs.error_file(task.chunk.number, outcome.accepted.job_id)
            services.store.blobs.upsert(name, response.body)


def _finish(services: Services, task: Task, delivery: Delivery, outcomes: Sequence[RangeOutcome]) -> None:
    result = chunk_result(
        delivery,
        outcomes,
        contacts=task.chunk.contacts,
        now=services.clock(),
        removal=task.chunk.removal,
    )
    end_chunk(services, task.blobs, task.chunk.number, result)


def _learn_time(
    services: Services, task: Task, delivery: Delivery, outcomes: Sequence[RangeOutcome], seen_at: datetime
) -> None:
    """Remember how long the job took; of several, looks do not tell which one was waited for."""
    job, poll = outcomes[0].job, delivery.poll
    if len(outcomes) > 1 or job is None or job.status is JobStatus.FAILED or poll is None:
        return
    ran = age_of(delivery, poll.ran_at) if poll.ran_at else None
    seconds = estimate(job, ran=ran, seen=age_of(delivery, seen_at), expected=poll.expected_s)
    if seconds is not None:
        services.sendgrid.learn_job_seconds(task.plan.connection, seconds, removal=task.chunk.removal)


def give_up_import(services: Services, message: ImportMessage) -> None:
    """End the chunk as unconfirmed: its jobs could not be polled."""
    task = open_task(services, message)
    found = _accepted_delivery(services, task) if task else None
    if task is None or found is None:
        return
    outcomes = [RangeOutcome(accepted=accepted, job=None) for accepted in found.document.accepted]
    _finish(services, task, found.document, outcomes)
