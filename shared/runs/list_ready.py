"""Look after the list once a run is over, until SendGrid counts on it what the run has left there.

What SendGrid counts, finds and sends campaigns to lags behind its import jobs. So the run ends as ever, and
messages of their own look at the list's count until it is steady and what was expected, or time is up.
There is one look after each list, that of its newest run: one document, whose token names the message that goes
on. The document is written before the run is marked as over, so whatever is cut off is found by the sweeper.
"""

from __future__ import annotations

import contextlib
import logging
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from shared import trace
from shared.errors import BlobChangedError, BlobExistsError, ExportError, RunEndError, TransientError
from shared.limits import LIST_COUNT_LAG, LIST_LOOK_CAP, LIST_LOOK_FIRST, LIST_STEADY, SWEEP_AFTER
from shared.model.list_ready import ListCheck, ListReady, ListReadyCode, NotConfirmed
from shared.model.messages import ListMessage
from shared.model.reasons import RunStatus
from shared.model.runs import ChunkStatus, Run, RunLock
from shared.notifications.run_notices import list_ready
from shared.notifications.tell import tell
from shared.runs.enqueue import enqueue, postpone
from shared.sendgrid.api import contact_count, get_list_count
from shared.sendgrid.decisions import backoff
from shared.sendgrid.gateway import Account, Endpoint
from shared.storage.documents import REPLACE_TRIES, Versioned
from shared.storage.layout import LIST_CHECKS, RunBlobs, list_check_blob, list_lock_blob
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from shared.model.runs import ChunkResult, Plan
    from shared.services import Services

BROUGHT: Final = frozenset({RunStatus.SUCCEEDED, RunStatus.COMPLETED_WITH_WARNINGS})
"""Ends of a run after which its list is looked after."""
FAILED: Final = NotConfirmed(code=ListReadyCode.LOOK_FAILED, message=ListReadyCode.LOOK_FAILED.meaning)


@dataclass(frozen=True, kw_only=True)
class Begun:
    """The look after a list, noted before its run is over."""

    changes: dict[str, object]
    """What the run's document tells of it at first."""
    message: ListMessage | None = None
    """Looks first; it is sent when the run is over."""


def note_check(services: Services, run: Run, plan: Plan, results: Sequence[ChunkResult]) -> Begun:
    """Note that the list is to be looked after; `run` is as it is about to end.

    Whoever looked after the list for an earlier run stops. Asked again, it is the same look.
    """
    if run.status not in BROUGHT:
        if run.chunks.accepted:
            _supersede(services, plan.list_id, run)
        return Begun(changes={})
    if any(result.status is ChunkStatus.UNCONFIRMED for result in results):
        _supersede(services, plan.list_id, run)
        code = ListReadyCode.IMPORTS_UNCONFIRMED
        told = NotConfirmed(code=code, message=code.meaning)
        return Begun(changes={"list_ready": ListReady.NOT_CONFIRMED, "list_not_confirmed": told})
    check = _write_check(services, _first_check(services, run, plan, results))
    message = ListMessage(export=run.export, run=run.id, list_id=plan.list_id, token=check.token)
    return Begun(changes={"list_ready": ListReady.LOOKING}, message=message)


def send_first_look(services: Services, begun: Begun) -> None:
    """Have the list looked at, now that the run is over."""
    if begun.message is not None:
        enqueue(services, begun.message, delay=LIST_LOOK_FIRST)


def _first_check(services: Services, run: Run, plan: Plan, results: Sequence[ChunkResult]) -> ListCheck:
    now = services.clock()
    least, most = _expected(run, plan, results)
    return ListCheck(
        list_id=plan.list_id,
        export=run.export,
        run=run.id,
        trace_id=run.trace_id,
        token=_new_token(),
        connection=plan.connection,
        secret_name=plan.secret_name,
        region=plan.region,
        least=least,
        most=most,
        ends_at=now + timedelta(seconds=LIST_COUNT_LAG),
        next_at=now + timedelta(seconds=LIST_LOOK_FIRST),
    )


def _expected(run: Run, plan: Plan, results: Iterable[ChunkResult]) -> tuple[int, int | None]:
    """How many contacts the list must hold at least, and may at most.

    All members are on it, but for those whom an import job refused without a name; and whom SendGrid knew from
    nowhere was not on it before. Leavers that were on it are not any more.
    """
    results = list(results)
    absent = sum(result.absent for result in results if result.removal)
    unnamed = sum(result.errored for result in results if not result.removal)
    taken_off = max(run.counts.removed - absent, 0)
    members = run.members.after if run.members else 0
    least = max(members - unnamed, 0)
    if plan.list_count is None:
        return least, None
    left = plan.list_count - taken_off
    return max(least, left + run.counts.created), left + run.counts.sent if taken_off else None


def _new_token() -> str:
    return uuid.uuid4().hex[:12]


def _write_check(services: Services, check: ListCheck) -> ListCheck:
    """Write the look after the list in place of an earlier run's; the one that counts."""
    name = list_check_blob(check.list_id)
    for _ in range(REPLACE_TRIES):
        found = _find_check(services, name)
        if found is not None and found.document.run == check.run and found.document.export == check.export:
            return found.document
        try:
            if found is None:
                services.store.create(name, check)
            else:
                _note_superseded(services, found.document, by=check.run)
                services.store.replace(name, check, etag=found.etag)
        except (BlobExistsError, BlobChangedError):
            continue  # a look that was under way
        return check
    raise TransientError(f"{name} changes all the time")


def _find_check(services: Services, name: str) -> Versioned[ListCheck] | None:
    """The look after a list; one that cannot be read is over."""
    try:
        return services.store.find(name, ListCheck)
    except ValidationError:
        services.store.blobs.delete(name)
        return None


def _supersede(services: Services, list_id: UUID, run: Run) -> None:
    """End the look of an earlier run after a list that this one has changed."""
    name = list_check_blob(list_id)
    found = _find_check(services, name)
    if found is not None and (found.document.export, found.document.run) != (run.export, run.id):
        _note_superseded(services, found.document, by=run.id)
        services.store.blobs.delete(name)


def _note_superseded(services: Services, check: ListCheck, *, by: str) -> None:
    message = f"The run {by} began to change the list before it was found ready."
    _note_end(services, check, NotConfirmed(code=ListReadyCode.SUPERSEDED, message=message))


def look(services: Services, message: ListMessage) -> None:
    """Look at the list once: it is ready, or nobody will know, or another look follows."""
    name = list_check_blob(message.list_id)
    found = services.store.find(name, ListCheck)
    if found is None or found.document.token != message.token:
        return  # it is over, or a newer message looks
    check = found.document
    run = services.store.find(RunBlobs(export=check.export, run=check.run).document, Run)
    if run is None:
        services.store.blobs.delete(name)
        return
    if not run.document.status.is_terminal:
        return  # its end was cut off, and is made up for; the sweeper sends the next message
    if run.document.list_ready is not ListReady.LOOKING:
        _tell_ready(services, found)  # that was cut off
        return
    now = services.clock()
    moment = services.sendgrid.reserve(check.connection, Endpoint.LISTS, now=now, slot=check.slot)
    if moment > now:
        _look_again(services, found, check.model_copy(update={"slot": moment}), (moment - now).total_seconds())
        return
    count, asked = _count(services, check)
    seen = check.seen(count, services.clock())
    later = _changed_by(services, check)
    if later is not None:
        _note_superseded(services, seen, by=later)
        services.store.blobs.delete(name)
        return
    _decide(services, found, seen, asked)


def _count(services: Services, check: ListCheck) -> tuple[int | None, float]:
    """Contacts on the list, or None and for how long SendGrid wants to be left alone."""
    account = Account(connection=check.connection, secret_name=check.secret_name, region=check.region)
    request, attempt = get_list_count(check.list_id), check.looks + 1
    try:
        response = services.sendgrid.fetch(account, request, endpoint=Endpoint.LISTS, attempt=attempt)
    except TransientError as error:
        return None, max(error.retry_after or 0.0, backoff(attempt, services.jitter()))
    except RunEndError:
        return None, 0.0
    return contact_count(response), 0.0


def _changed_by(services: Services, check: ListCheck) -> str | None:
    """The later run that changes the list by now; one that still plans, or ended before it sent, does not."""
    lock = services.store.find(list_lock_blob(check.list_id), RunLock)
    if lock is None or (lock.document.export, lock.document.run) == (check.export, check.run):
        return None
    try:
        holder = services.store.find(RunBlobs(export=lock.document.export, run=lock.document.run).document, Run)
    except ValidationError:
        return None  # nothing goes on with a document that cannot be read
    if holder is None or not holder.document.chunks.planned:
        return None
    return holder.document.id


def _decide(services: Services, found: Versioned[ListCheck], seen: ListCheck, asked: float) -> None:
    now = services.clock()
    since = seen.same_since
    steady_at = since + timedelta(seconds=LIST_STEADY) if since is not None and seen.is_expected else None
    if steady_at is not None and now >= steady_at:
        _note_end(services, seen, None)
        _tell_ready(services, found)
        return
    if now >= seen.ends_at:
        _note_end(services, seen, _why_not(seen))
        services.store.blobs.delete(list_check_blob(seen.list_id))
        return
    wait = min(LIST_LOOK_FIRST * 2**seen.looks, LIST_LOOK_CAP)
    if steady_at is not None:
        wait = min(wait, (steady_at - now).total_seconds())
    wait = min(wait, max((seen.ends_at - now).total_seconds(), 0.0))
    _look_again(services, found, seen, max(wait, asked, 1.0))


def _tell_ready(services: Services, found: Versioned[ListCheck]) -> None:
    """Have those told who want to know that the list is ready; where that fails, at looks to come, for a while."""
    check = found.document
    run = services.store.get(RunBlobs(export=check.export, run=check.run).document, Run).document
    notice = list_ready(run)
    is_late = services.clock() > check.ends_at + timedelta(seconds=LIST_COUNT_LAG)
    if notice is None or tell(services, notice) or is_late:
        services.store.blobs.delete(list_check_blob(check.list_id))
        return
    _look_again(services, found, check, LIST_LOOK_CAP)


def _why_not(check: ListCheck) -> NotConfirmed:
    if check.count is None:
        code, figures = ListReadyCode.NOT_ANSWERED, ""
    elif check.is_too_high:
        code, figures = ListReadyCode.MORE_THAN_EXPECTED, f" Counted: {check.count:,}; at most: {check.most:,}."
    elif not check.is_expected:
        code, figures = ListReadyCode.FEWER_THAN_EXPECTED, f" Counted: {check.count:,}; at least: {check.least:,}."
    else:
        code, figures = ListReadyCode.UNSTEADY, f" Counted at last: {check.count:,}."
    return NotConfirmed(code=code, message=f"{code.meaning}{figures}")


def _look_again(services: Services, found: Versioned[ListCheck], check: ListCheck, wait: float) -> None:
    """Name the next look, then send its message; the message of before finds that another one goes on."""
    moment = services.clock() + timedelta(seconds=wait)
    check = check.model_copy(update={"token": _new_token(), "next_at": moment})
    try:
        services.store.replace(list_check_blob(check.list_id), check, etag=found.etag)
    except BlobChangedError:
        return  # a later run has begun a look of its own, or the sweeper was faster
    postpone(services, _message(check), wait=wait, why="the list is not known to be ready")


def _message(check: ListCheck) -> ListMessage:
    return ListMessage(export=check.export, run=check.run, list_id=check.list_id, token=check.token)


def _note_end(services: Services, check: ListCheck, why_not: NotConfirmed | None) -> None:
    """Tell in the run's document how the look ended; what was told first counts."""
    changes = {
        "list_ready": ListReady.READY if why_not is None else ListReady.NOT_CONFIRMED,
        "list_ready_at": services.clock() if why_not is None else None,
        "list_not_confirmed": why_not,
        "list_count_settled": check.count,
    }

    def change(run: Run) -> Run:
        return run.model_copy(update=changes) if run.list_ready is ListReady.LOOKING else run

    blobs = RunBlobs(export=check.export, run=check.run)
    if services.store.find(blobs.document, Run) is None:
        return
    run = services.store.update(blobs.document, Run, change)
    log_event(
        Event.LIST_CHECKED,
        export=run.export,
        run=run.id,
        result=run.list_ready,
        code=run.list_not_confirmed.code if run.list_not_confirmed else None,
        looks=check.looks,
        count=run.list_count_settled,
        members=run.members.after if run.members else None,
    )


def give_up_look(services: Services, message: ListMessage) -> None:
    """End the look after a list whose messages fail."""
    found = _find_check(services, list_check_blob(message.list_id))
    if found is not None and found.document.token == message.token:
        _give_up(services, found.document)


def _give_up(services: Services, check: ListCheck) -> None:
    with contextlib.suppress(ValidationError):  # where the run cannot be read, there is nobody to tell
        _note_end(services, check, FAILED)
    services.store.blobs.delete(list_check_blob(check.list_id))


def heal_looks(services: Services) -> int:
    """Send the message of each look that is late, and give up those that should be over; how many were sent."""
    return sum(_healed(services, item.name) for item in services.store.blobs.list_blobs(LIST_CHECKS))


def _healed(services: Services, name: str) -> bool:
    now = services.clock()
    try:
        found = _find_check(services, name)
        if found is None or found.document.next_at >= now - timedelta(seconds=SWEEP_AFTER):
            return False
        check = found.document.model_copy(update={"token": _new_token(), "next_at": now})
        if now > check.ends_at + timedelta(seconds=LIST_COUNT_LAG):
            _give_up(services, check)
            return False
        services.store.replace(name, check, etag=found.etag)
        with trace.following(check.trace_id):
            enqueue(services, _message(check))
    except BlobChangedError:
        return False  # a look that was under way
    except ExportError as error:
        # one list's trouble must not keep the others from being healed
        log_event(Event.SWEEP_FAILED, level=logging.ERROR, document=name, error=type(error).__name__)
        return False
    log_event(Event.SWEEP_HEALED, level=logging.WARNING, export=check.export, run=check.run, what="list")
    return True
