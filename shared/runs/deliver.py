"""Bring a chunk to SendGrid.

One message works on a chunk at a time: it claims the chunk's delivery record, sends a contact range, and writes
down what SendGrid said before it goes on. A range that the record calls accepted is never sent again.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from http.client import NOT_FOUND
from typing import TYPE_CHECKING, Final

from shared.definitions.resolve import withdrawal
from shared.errors import (
    BlobChangedError,
    BlobExistsError,
    ListExportPendingError,
    RunEndError,
    VaultUnavailableError,
)
from shared.limits import CLAIM_LIFETIME, CLAIM_LOOK, DELIVERY_DEADLINE, REFUSAL_REQUESTS
from shared.model.messages import ChunkMessage, ImportMessage
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import Reason, RunStatus
from shared.model.runs import Claim, Delivery, PollToken, Run
from shared.runs.delivery_state import (
    accept,
    find_absent,
    give_up,
    halve,
    lines_of,
    named_positions,
    refuse,
    unsent_result,
    waiting,
    whole_chunk,
)
from shared.runs.enqueue import enqueue, enqueue_chunks, postpone
from shared.runs.finish import end_chunk, stop_run
from shared.runs.job_looks import age_of, first_wait
from shared.runs.look_up import find_leavers
from shared.runs.tasks import Task, open_task
from shared.sendgrid.api import (
    NoResponse,
    Request,
    Response,
    ids_on_list,
    job_id,
    remove_from_list,
    search_emails,
    upsert_contacts,
)
from shared.sendgrid.decisions import Action, Decision, backoff
from shared.sendgrid.gateway import Endpoint
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from shared.model.runs import ParquetBlob
    from shared.services import Services


ENDPOINTS: Final = {"PUT": Endpoint.UPSERT, "POST": Endpoint.SEARCH, "DELETE": Endpoint.REMOVALS}
"""What each request that is about a chunk's contacts counts for."""


@dataclass(frozen=True, kw_only=True)
class SendTask(Task):
    """A chunk that a message asks to be sent."""

    message: ChunkMessage
    holder: str
    """Who claims the chunk: the message that is worked on, or the one that it replaces."""


def deliver_chunk(services: Services, message: ChunkMessage, message_id: str) -> None:
    """Send what is pending of the chunk, then have its import jobs polled."""
    opened = open_task(services, message)
    if opened is None:
        return
    holder = message.claimed_by(message_id)
    task = SendTask(blobs=opened.blobs, plan=opened.plan, chunk=opened.chunk, message=message, holder=holder)
    while (claimed := _claim(services, task)) is not None:
        delivery, etag = claimed
        if not delivery.pending:
            _hand_over(services, task, delivery, etag)
            return
        try:
            moved = _send_next(services, task, delivery)
        except _PostponeError as later:
            moved = waiting(delivery, later.wait, now=services.clock(), for_sendgrid=later.for_sendgrid)
            if _write(services, task, moved, etag):
                postpone(services, later.message, wait=later.wait, why=str(later))
            return
        if not _write(services, task, moved, etag):
            return


# --- who works on the chunk ---------------------------------------------------------------------------------


def _claim(services: Services, task: SendTask) -> tuple[Delivery, str] | None:
    """The delivery and its version, claimed for this message; None when another message has it."""
    now = services.clock()
    mine = Claim(message=task.holder, process=services.heartbeat.process, since=now)
    found = services.store.find(task.delivery_blob, Delivery)
    if found is None:
        fresh = whole_chunk(task.chunk.contacts).model_copy(update={"claim": mine})
        try:
            return fresh, services.store.create(task.delivery_blob, fresh)
        except BlobExistsError:
            _wait_for_other(services, task)
            return None
    delivery = found.document
    if not delivery.pending:
        return delivery, found.etag
    if _is_claimed_by_other(services, delivery, task, now):
        _wait_for_other(services, task)
        return None
    repeats = delivery.repeats + (delivery.claim is not None)
    claimed = delivery.model_copy(update={"claim": mine, "repeats": repeats})
    try:
        return claimed, services.store.replace(task.delivery_blob, claimed, etag=found.etag)
    except BlobChangedError:
        _wait_for_other(services, task)
        return None


def _is_claimed_by_other(services: Services, delivery: Delivery, task: SendTask, now: datetime) -> bool:
    """Whether another message works on the chunk; a redelivered message takes its own claim up again."""
    claim = delivery.claim
    if claim is None or claim.message == task.holder:
        return False
    return now - claim.since < timedelta(seconds=CLAIM_LIFETIME) and not services.heartbeat.is_gone(claim.process)


def _wait_for_other(services: Services, task: SendTask) -> None:
    postpone(services, task.message, wait=CLAIM_LOOK, why="the chunk is being sent")


def _write(services: Services, task: Task, delivery: Delivery, etag: str) -> bool:
    """Write the record down; False when the claim was taken over, for then the chunk is another message's."""
    try:
        services.store.replace(task.delivery_blob, delivery, etag=etag)
    except BlobChangedError:
        return False
    return True


# --- send and judge -----------------------------------------------------------------------------------------


class _PostponeError(Exception):
    """The message comes back after `wait` seconds, as `message`."""

    def __init__(self, message: ChunkMessage, wait: float, why: str, *, for_sendgrid: bool = True) -> None:
        super().__init__(why)
        self.message = message
        self.wait = wait
        self.for_sendgrid = for_sendgrid


def _send_next(services: Services, task: SendTask, delivery: Delivery) -> Delivery:
    """Send the first pending range; the delivery after it. Raises _PostponeError."""
    run = services.store.get(task.blobs.document, Run).document
    if run.stop is not None:
        return give_up(delivery, run.stop.reason)
    if reason := withdrawal(services.store, run, task.plan):
        return _end_run(services, task, delivery, reason)
    found = _found_ids(services, task) if task.chunk.removal else None
    _wait_for_slot(services, task)
    lines = services.store.blobs.get(task.blobs.chunk(task.plan.attempt, task.chunk.number)).data.splitlines()
    sent = lines_of(lines, delivery.pending[0], delivery.refused)
    try:
        if task.chunk.removal:
            return _remove(services, task, delivery, sent, found)
        request = upsert_contacts(task.plan.list_id, b"\n".join(line for _, line in sent))
        return _apply(services, task, delivery, _exchange(services, task, sent, request))
    except RunEndError as end:
        return _end_run(services, task, delivery, end.reason)
    except VaultUnavailableError as error:
        wait = backoff(task.message.attempt, services.jitter())
        return _wait(services, task, delivery, wait=wait, why=str(error), for_sendgrid=False)


def _exchange(services: Services, task: SendTask, sent: Sequence[tuple[int, bytes]], request: Request) -> Exchange:
    """Send a request about these contacts. Raises RunEndError and VaultUnavailableError."""
    outcome, decision = services.sendgrid.send(
        task.account, request, endpoint=ENDPOINTS[request.method], attempt=task.message.attempt
    )
    return Exchange(sent=sent, outcome=outcome, decision=decision)


def _found_ids(services: Services, task: SendTask) -> ParquetBlob | None:
    """Where the ids of many leavers are; None where they are searched. Raises _PostponeError."""
    try:
        return find_leavers(services, task, attempt=task.message.attempt)
    except ListExportPendingError as pending:
        raise _PostponeError(task.message.cleared(), pending.wait, str(pending)) from None


def _remove(
    services: Services,
    task: SendTask,
    delivery: Delivery,
    sent: Sequence[tuple[int, bytes]],
    found_ids: ParquetBlob | None,
) -> Delivery:
    """Take those off the list who are on it; the delivery after it. Raises _PostponeError.

    Whoever is not on the list, or is known by another address, is left alone. Ids that were found before are
    searched anew when SendGrid does not know one of them.
    """
    addresses = [json.loads(line)["email"] for _, line in sent]
    if found_ids is not None:
        from shared.planning.look_up import read_ids

        ids = read_ids(found_ids, addresses, blobs=services.store.blobs)
        if not ids:
            return find_absent(_counted(delivery))
        removal = _exchange(services, task, sent, remove_from_list(task.plan.list_id, ids))
        if not _is_unknown(removal):
            return _removed(delivery, _apply(services, task, delivery, removal), len(addresses) - len(ids))
    found = _exchange(services, task, sent, search_emails(addresses))
    answer = found.outcome if isinstance(found.outcome, Response) else None
    is_nobody_found = answer is not None and answer.status == NOT_FOUND
    if not is_nobody_found and (answer is None or found.decision.action is not Action.ACCEPT):
        return _apply(services, task, delivery, found)
    ids = ids_on_list(answer, addresses, task.plan.list_id) if answer is not None else []
    if not ids:
        return find_absent(_counted(delivery))
    removal = _exchange(services, task, sent, remove_from_list(task.plan.list_id, ids))
    if _is_unknown(removal):
        # one of them was deleted a moment ago, or the list was: the next search tells
        wait = backoff(task.message.attempt, services.jitter())
        return _wait(services, task, delivery, wait=wait, why="SendGrid does not find a contact or the list")
    return _removed(delivery, _apply(services, task, delivery, removal), len(addresses) - len(ids))


def _removed(before: Delivery, after: Delivery, not_found: int) -> Delivery:
    """The delivery after a removal; if it was accepted, with how many of its leavers were not on the list."""
    if len(after.accepted) == len(before.accepted):
        return after
    return after.model_copy(update={"not_found": after.not_found + not_found})


def _is_unknown(removal: Exchange) -> bool:
    """Whether SendGrid does not know a contact that was to be removed, or the list."""
    return isinstance(removal.outcome, Response) and removal.outcome.status == NOT_FOUND


def _wait_for_slot(services: Services, task: SendTask) -> None:
    now = services.clock()
    endpoint = Endpoint.REMOVALS if task.chunk.removal else Endpoint.UPSERT
    moment = services.sendgrid.reserve(task.plan.connection, endpoint, now=now, slot=task.message.slot)
    wait = (moment - now).total_seconds()
    if wait > 0:
        log_event(Event.THROTTLED, connection=task.plan.connection, wait_s=round(wait, 1), run=task.message.run)
        raise _PostponeError(task.message.model_copy(update={"slot": moment}), wait, "rate limit")


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What was sent, what came of it, and what to do about it."""

    sent: Sequence[tuple[int, bytes]]
    """Position in the chunk and line of each contact of the request, in order."""
    outcome: Response | NoResponse
    decision: Decision


def _apply(services: Services, task: SendTask, delivery: Delivery, exchange: Exchange) -> Delivery:
    decision, outcome = exchange.decision, exchange.outcome
    job = job_id(outcome) if isinstance(outcome, Response) and decision.action is Action.ACCEPT else None
    match decision.action:
        case Action.ACCEPT if job is not None:
            return _accepted(services, task, delivery, job)
        case Action.DROP | Action.SPLIT:
            return _narrow(delivery, exchange)
        case Action.END_CHUNK if decision.reason is not None:
            return give_up(_counted(delivery), decision.reason)
        case Action.END_RUN if decision.reason is not None:
            return _end_run(services, task, _counted(delivery), decision.reason)
        case _:
            wait = decision.wait or backoff(task.message.attempt, services.jitter())
            status = outcome.status if isinstance(outcome, Response) else outcome
            return _wait(services, task, delivery, wait=wait, why=f"SendGrid answered {status}")


def _accepted(services: Services, task: SendTask, delivery: Delivery, job: str) -> Delivery:
    log_event(
        Event.CHUNK_ACCEPTED,
        export=task.message.export,
        run=task.message.run,
        chunk=task.chunk.number,
        attempt=task.message.attempt,
        job=job,
    )
    return accept(_counted(delivery), job_id=job, now=services.clock())


def _narrow(delivery: Delivery, exchange: Exchange) -> Delivery:
    """Leave out whom SendGrid names; else halve; else, alone or out of requests, leave out the range."""
    delivery = _counted(delivery)
    if positions := named_positions(exchange.sent, exchange.decision.named):
        return refuse(delivery, positions)
    if len(exchange.sent) == 1 or delivery.requests >= REFUSAL_REQUESTS:
        return refuse(delivery, [position for position, _ in exchange.sent])
    return halve(delivery)


def _counted(delivery: Delivery) -> Delivery:
    return delivery.model_copy(update={"requests": delivery.requests + 1})


def _wait(
    services: Services, task: SendTask, delivery: Delivery, *, wait: float, why: str, for_sendgrid: bool = True
) -> Delivery:
    """Raise _PostponeError, or give up when the wait would go past the deadline."""
    deadline = task.plan.committed_at + timedelta(seconds=DELIVERY_DEADLINE)
    if services.clock() + timedelta(seconds=wait) > deadline:
        hours = DELIVERY_DEADLINE / 3600
        return give_up(
            delivery, Reason(code=ReasonCode.UNAVAILABLE, message=f"Gave up after {hours:.0f} hours: {why}.")
        )
    later = task.message.next_attempt().model_copy(update={"slot": None})
    raise _PostponeError(later, wait, why, for_sendgrid=for_sendgrid)


def _end_run(services: Services, task: SendTask, delivery: Delivery, reason: Reason) -> Delivery:
    stop_run(services, task.message.export, task.message.run, RunStatus.FAILED, reason)
    enqueue_chunks(services, task.blobs, task.plan)
    return give_up(delivery, reason)


# --- what follows -------------------------------------------------------------------------------------------


def _hand_over(services: Services, task: Task, delivery: Delivery, etag: str) -> None:
    """Have the import jobs polled, or end the chunk when there are none."""
    if not delivery.accepted:
        now = services.clock()
        result = unsent_result(delivery, task.chunk.contacts, now, removal=task.chunk.removal)
        end_chunk(services, task.blobs, task.chunk.number, result)
        return
    expected = services.sendgrid.expected_job_seconds(task.plan.connection, removal=task.chunk.removal)
    now = services.clock()
    wait = first_wait(expected, age_of(delivery, now))
    poll = PollToken(
        token=uuid.uuid4().hex[:12],
        polled_at=now,
        next_at=now + timedelta(seconds=wait),
        expected_s=expected,
    )
    if not _write(services, task, delivery.model_copy(update={"poll": poll}), etag):
        return
    message = ImportMessage(
        export=task.blobs.export, run=task.blobs.run, chunk=task.chunk.number, poll_token=poll.token
    )
    enqueue(services, message, delay=wait)


def give_up_chunk(services: Services, message: ChunkMessage, reason: Reason) -> None:
    """Send nothing more of the chunk; what SendGrid accepted is still followed to its end."""
    task = open_task(services, message)
    if task is None:
        return
    found = services.store.find(task.delivery_blob, Delivery)
    if found is None:
        delivery = give_up(whole_chunk(task.chunk.contacts), reason)
        etag = services.store.upsert(task.delivery_blob, delivery)
    else:
        delivery = give_up(found.document, reason)
        etag = services.store.replace(task.delivery_blob, delivery, etag=found.etag)
    _hand_over(services, task, delivery, etag)
