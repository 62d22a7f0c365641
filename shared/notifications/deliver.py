"""Tell a target of a notice, until it takes it or a day is over. The work of the queue `notifications`.

A message without a target finds out who wants to know, and makes a record and a message for each. A try claims
the record, posts, puts the message of the next try on the queue if there is to be one, and writes down what became
of it, in this order: whoever is cut off does the try again, under the same webhook-id.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from shared import trace
from shared.definitions import saved as definitions
from shared.errors import BlobMissingError
from shared.limits import (
    NOTIFY_CLAIM,
    NOTIFY_DEADLINE,
    NOTIFY_SECONDS,
    NOTIFY_TURN,
    NOTIFY_WAITS,
    STORAGE_WAIT_CAP,
)
from shared.model.definitions import Saved
from shared.model.messages import NOTIFICATIONS_QUEUE, NotificationMessage
from shared.model.notification_codes import NotificationCode
from shared.model.notifications import Claim, Notice, NotificationDelivery, NotificationOutcome, NotificationTarget
from shared.notifications.payload import body_of
from shared.notifications.send_message import send_message
from shared.notifications.state import find_state, note_outcome
from shared.sendgrid.decisions import asked_wait, backoff
from shared.storage.layout import (
    NOTIFICATION_TARGETS,
    notice_blob,
    notification_delivery_blob,
    notification_target_blob,
    poison_blob,
)
from shared.telemetry import Event, Facts, log_event

if TYPE_CHECKING:
    from datetime import datetime

    from shared.services import Services
    from shared.webhooks.client import Posted


def work(services: Services, message: NotificationMessage, message_id: str) -> None:
    """Do what a message is for. Raises TransientError."""
    found = services.store.find(notice_blob(message.notice), Notice)
    if found is None:
        return  # past its retention
    if message.target is None:
        _find_targets(services, found.document)
    else:
        _tell_target(services, found.document, message, message.target, message_id)


def _find_targets(services: Services, notice: Notice) -> None:
    for saved in definitions.list_all(services, NOTIFICATION_TARGETS, Saved[NotificationTarget]):
        kind = saved.definition.wants(notice)
        if kind is None:
            continue
        new = NotificationDelivery(type=kind, begun_at=services.clock())
        record = services.store.create_or_get(notification_delivery_blob(notice.id, saved.id), new)
        if record.ended_at is None:
            send_message(services, NotificationMessage(notice=notice.id, target=saved.id))


def _tell_target(
    services: Services, notice: Notice, message: NotificationMessage, target: str, message_id: str
) -> None:
    record = services.store.get(notification_delivery_blob(notice.id, target), NotificationDelivery).document
    if record.ended_at is not None:
        _note(services, notice, target, record, record.ended_at)  # again, for it may have been cut off before
        return
    if message.attempt <= record.tries:
        return  # another message has done this try
    found = services.store.find(notification_target_blob(target), Saved[NotificationTarget])
    if found is None or found.document.definition.wants(notice) is None:
        _end(services, notice, target, record, NotificationCode.TARGET_CHANGED)
    elif find_state(services, target).gone == found.document.updated_at:
        _end(services, notice, target, record, NotificationCode.GONE)
    else:
        _try_in_turn(services, notice, message, found.document, message_id)


def _try_in_turn(
    services: Services,
    notice: Notice,
    message: NotificationMessage,
    target: Saved[NotificationTarget],
    message_id: str,
) -> None:
    """Try, unless all places are taken or another message is at it: then look again soon."""
    with services.webhooks.place() as is_free:
        if is_free and _claim(services, notice.id, target.id, message_id):
            _try(services, notice, message, target)
        else:
            send_message(services, message, delay=NOTIFY_TURN * (1 + services.jitter()))


def _claim(services: Services, notice: str, target: str, message_id: str) -> bool:
    """Whether the record is this message's to work on."""
    now = services.clock()

    def change(record: NotificationDelivery) -> NotificationDelivery:
        held = record.claim
        if held and held.message != message_id and now - held.since < timedelta(seconds=NOTIFY_CLAIM):
            return record
        return record.model_copy(update={"claim": Claim(message=message_id, since=now)})

    record = services.store.update(notification_delivery_blob(notice, target), NotificationDelivery, change)
    return record.claim is not None and record.claim.message == message_id


def _try(
    services: Services,
    notice: Notice,
    message: NotificationMessage,
    target: Saved[NotificationTarget],
) -> None:
    name = notification_delivery_blob(notice.id, target.id)
    record = services.store.get(name, NotificationDelivery).document
    body = body_of(notice, record.type, app=services.settings.app_address)
    posted = services.webhooks.post(target.definition, message_id=notice.id, body=body, seconds=NOTIFY_SECONDS)
    now = services.clock()
    tried = record.model_copy(
        update={"tries": message.attempt, "claim": None, "code": posted.code, "status": posted.status}
    )
    wait = None if posted.code in {None, NotificationCode.GONE} else _wait(services, posted, record, message, now)
    if wait is not None:
        later = message.model_copy(update={"attempt": message.attempt + 1, "storage_waits": 0})
        send_message(services, later, delay=wait)
        _log_failure(notice, target.id, tried, wait)
    else:
        tried = tried.model_copy(update={"ended_at": now})
    services.store.upsert(name, tried)
    _note(services, notice, target.id, tried, now, version=target.updated_at)
    if tried.ended_at is not None:
        _log_end(notice, target.id, tried)


def _wait(
    services: Services, posted: Posted, record: NotificationDelivery, message: NotificationMessage, now: datetime
) -> float | None:
    """Seconds until the next try; None where the day is over by then."""
    usual = NOTIFY_WAITS[min(message.attempt, len(NOTIFY_WAITS)) - 1] * (1 + services.jitter() / 5)
    wait = max(usual, asked_wait(posted.headers or {}, now))
    end = record.begun_at + timedelta(seconds=NOTIFY_DEADLINE)
    return wait if now + timedelta(seconds=wait) <= end else None


def _end(
    services: Services, notice: Notice, target: str, record: NotificationDelivery, code: NotificationCode
) -> None:
    """Give it up without a try."""
    now = services.clock()
    ended = record.model_copy(update={"ended_at": now, "code": code, "claim": None})
    services.store.upsert(notification_delivery_blob(notice.id, target), ended)
    if code is not NotificationCode.TARGET_CHANGED:
        _note(services, notice, target, ended, now)
        _log_end(notice, target, ended)


def _note(
    services: Services,
    notice: Notice,
    target: str,
    record: NotificationDelivery,
    at: datetime,
    *,
    version: datetime | None = None,
) -> None:
    """Note with the target how a try went."""
    outcome = NotificationOutcome(
        notice=notice.id, type=record.type, at=at, code=record.code, status=record.status
    )
    note_outcome(services, target, outcome, is_over=record.ended_at is not None, version=version)


def _log_failure(notice: Notice, target: str, record: NotificationDelivery, wait: float) -> None:
    facts = _facts(notice, target, record)
    facts["wait_s"] = round(wait, 1)
    log_event(Event.NOTIFICATION_FAILED, level=logging.WARNING, **facts)


def _log_end(notice: Notice, target: str, record: NotificationDelivery) -> None:
    facts = _facts(notice, target, record)
    if record.code is None:
        log_event(Event.NOTIFIED, **facts)
    else:
        log_event(Event.NOTIFICATION_LOST, level=logging.WARNING, **facts)


def _facts(notice: Notice, target: str, record: NotificationDelivery) -> Facts:
    """What every line about telling a target has."""
    return {
        "target": target,
        "notice": notice.id,
        "type": record.type,
        "export": notice.export,
        "run": notice.run,
        "tries": record.tries,
        "code": record.code,
        "status": record.status,
    }


def put_off(services: Services, message: NotificationMessage) -> None:
    """Replace the message by one that comes back soon, since storage did not answer."""
    wait = min(STORAGE_WAIT_CAP, backoff(message.storage_waits + 1, services.jitter()))
    later = message.model_copy(update={"storage_waits": message.storage_waits + 1})
    send_message(services, later, delay=wait)


def bury(services: Services, body: bytes, message_id: str) -> None:
    """Keep a message that failed too often, and give up what it was to tell."""
    services.store.blobs.upsert(poison_blob(NOTIFICATIONS_QUEUE, message_id), body)
    log_event(Event.POISON_MESSAGE, level=logging.ERROR, queue=NOTIFICATIONS_QUEUE, message=message_id)
    try:
        message = NotificationMessage.model_validate_json(body)
        notice = services.store.get(notice_blob(message.notice), Notice).document
        if message.target is None:
            return
        name = notification_delivery_blob(message.notice, message.target)
        record = services.store.get(name, NotificationDelivery).document
    except (ValueError, BlobMissingError):
        return  # not a message of ours, or about nothing: keeping it is all there is to do
    told = trace.parse(message.traceparent)
    if record.ended_at is None:
        with trace.following(told.trace_id if told else None):
            _end(services, notice, message.target, record, NotificationCode.STEP_FAILED)
