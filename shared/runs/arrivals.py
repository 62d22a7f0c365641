"""Start exports whose extract has arrived.

Events say that something may have come, and never what: a look finds that out from names and ETags, as a run does.
The id of the run comes from what was found, so looks may come twice, late and side by side.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import ValidationError

from shared.definitions.manage import list_exports
from shared.errors import BlobMissingError, RunEndError, SettingsError, TransientError
from shared.extracts.listed_blobs import ListedBlobs
from shared.limits import EVENTS_GATHERED, EXTRACT_LOOK, STORAGE_WAIT_CAP
from shared.model.arrival import Awaited, LookMessage
from shared.model.extract_events import read_message
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import Reason
from shared.model.runs import Trigger
from shared.runs.arrival_rules import Found, find_due, with_found, with_run
from shared.runs.found_extracts import find_newest
from shared.runs.look_out import ask_for_look, begin_look, end_look, send_look
from shared.runs.start import own_run, start
from shared.sendgrid.decisions import backoff
from shared.storage.layout import awaited_blob
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from shared.model.definitions import Export, Saved
    from shared.runs.arrival_rules import Due
    from shared.services import Services
    from shared.storage.interfaces import ReadableBlobs

DIGEST_DIGITS = 9
"""Of the version of an extract in the id of its run."""


def hear(services: Services, body: bytes, message_id: str) -> None:
    """Work on a message of the queue of events. Whatever it is, it is done with afterwards."""
    heard = read_message(body)
    settings = services.settings
    if heard is None:
        _drop(message_id, "it is no event about a file that was written")
        return
    waits = 0
    try:
        if isinstance(heard, LookMessage):
            waits = heard.storage_waits
            _look(services, heard)
        elif heard.lies_in(
            account=settings.extract_storage.account,
            container=settings.extract_container,
            prefix=settings.extract_prefix,
        ):
            ask_for_look(services, within=EVENTS_GATHERED)
        else:
            _drop(message_id, "its file lies elsewhere than the extracts")
    except (TransientError, SettingsError) as error:
        _put_off(services, heard if isinstance(heard, LookMessage) else LookMessage(look=None), waits, error)


def _drop(message_id: str, why: str) -> None:
    """Say that a message is of no use; what it says is nobody's business."""
    log_event(Event.EXTRACT_EVENT_DROPPED, message=message_id, why=why)


def _put_off(services: Services, message: LookMessage, waits: int, error: TransientError | SettingsError) -> None:
    """Come back soon, since storage did not answer; where not even that can be sent, the timer asks for a look."""
    wait = min(STORAGE_WAIT_CAP, backoff(waits + 1, services.jitter()))
    later = message.model_copy(update={"storage_waits": waits + 1})
    try:
        send_look(services, later, delay=wait)
    except (TransientError, SettingsError):
        log_event(Event.EXTRACT_EVENT_LOST, level=logging.WARNING)
        return
    log_event(Event.POSTPONED, queue=message.queue, wait_s=round(wait, 1), why=str(error))


def _look(services: Services, message: LookMessage) -> None:
    if message.look is None:
        ask_for_look(services, within=EVENTS_GATHERED)
    elif begin_look(services, message.look):
        waits = list(_look_at_all(services))
        log_event(Event.ARRIVAL_LOOK, settling=len(waits))
        end_look(services, message.look, next_at=min(waits, default=None))


def _look_at_all(services: Services) -> Iterator[datetime]:
    """Look at every export that waits for its extract; when those that are not ready want to be looked at again.

    A folder that several of them read is listed once.
    """
    blobs = ListedBlobs(services.extracts)
    for saved in list_exports(services):
        if not saved.definition.is_awaiting:
            continue
        try:
            again_at = _look_at(services, saved, blobs)
        except ValidationError as error:  # one document that cannot be read must not hide the others
            name, kind = awaited_blob(saved.id), type(error).__name__
            log_event(Event.DEFINITION_UNREADABLE, level=logging.ERROR, document=name, why=kind)
            continue
        if again_at is not None:
            yield again_at


def _look_at(services: Services, saved: Saved[Export], blobs: ReadableBlobs) -> datetime | None:
    """Start the run of an export if its extract has arrived; else when it may be ready, if that is known."""
    try:
        found = _find(services, saved, blobs)
    except BlobMissingError:  # a model.json that went away between its listing and its reading
        return services.clock() + timedelta(seconds=EXTRACT_LOOK)
    now = services.clock()
    awaited = _note(services, saved, found, now)
    due = find_due(awaited, found, saved.definition.source)
    if due is None or due.at > now:
        return due.at if due else None
    _start(services, saved, found, due)
    return None


def _find(services: Services, saved: Saved[Export], blobs: ReadableBlobs) -> Found:
    extracts, problems = [], []
    for segment in saved.definition.segments:
        try:
            extract = find_newest(services, blobs, segment, saved.definition.source)
        except RunEndError as end:
            problems.append(end.reason)
            continue
        except SettingsError as error:
            problems.append(Reason(code=ReasonCode.STORAGE_FORBIDDEN, message=str(error)))
            continue
        extracts.append(extract)
        if extract.incomplete:
            problems.append(Reason(code=ReasonCode.EXTRACT_INCOMPLETE, message=extract.incomplete))
    return Found(uid=saved.uid, extracts=extracts, problem=next(iter(problems), None))


def _note(services: Services, saved: Saved[Export], found: Found, now: datetime) -> Awaited:
    """Write down what was found, if it is news; how far the export is."""
    name = awaited_blob(saved.id)
    known = services.store.find(name, Awaited)
    if known is None or known.document.uid != saved.uid:
        fresh = with_found(Awaited.since(saved.updated_at, uid=saved.uid), found, now)
        services.store.upsert(name, fresh)
        return fresh
    return services.store.update(name, Awaited, lambda awaited: with_found(awaited, found, now))


def _start(services: Services, saved: Saved[Export], found: Found, due: Due) -> None:
    connection = str(saved.definition.connection)  # whoever waits for an extract has one
    version = found.digest[:DIGEST_DIGITS]
    run = own_run(services, saved, connection, trigger=Trigger.ARRIVAL, due_at=due.since, version=version)
    start(services, run)
    services.store.update(awaited_blob(saved.id), Awaited, lambda awaited: with_run(awaited, found, due))
