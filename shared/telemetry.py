"""What the app logs: one line per event, ids and counts only.

infra/ builds alerts and the workbook on these lines, so the names are part of the interface; docs/telemetry.md has
them all, made from here. Every line tells its trace, too.
"""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import Final, TypedDict, Unpack

from shared import trace

LOGGER: Final = logging.getLogger("sendgrid_export")


class Event(StrEnum):
    """Names of the events."""

    SIGNING_KEYS_UNAVAILABLE = "signing_keys_unavailable"
    """The keys of Microsoft Entra ID could not be read; those from before go on."""
    DEFINITION_UNREADABLE = "definition_unreadable"
    """A connection or an export that this version cannot read was passed over."""
    REFRESH_TICK = "refresh_tick"
    """The timer looked for due exports: the sign of life that an alert misses when it stays away."""
    ARRIVAL_LOOK = "arrival_look"
    """The exports that wait for their extract were looked at; `settling` of them are to be looked at again."""
    EXTRACT_EVENT_DROPPED = "extract_event_dropped"
    """A message on the queue of events was about nothing that is waited for."""
    EXTRACT_EVENT_LOST = "extract_event_lost"
    """Storage took neither an event nor a message in its place; the timer asks for a look."""
    RUN_STARTED = "run_started"
    """A run was asked for, or became due."""
    RUN_PLANNED = "run_planned"
    """What a run sends is decided."""
    RUN_FINISHED = "run_finished"
    """A run is over, however it ended."""
    LIST_CHECKED = "list_checked"
    """The look after a run's list is over."""
    EXPORT_OVERDUE = "export_overdue"
    """An export is overdue; told again at each look while it is."""
    EXPORT_RECOVERED = "export_recovered"
    """An export is overdue no more."""
    REJECTED_JUMPED = "rejected_jumped"
    """A run has rejected a far larger share of its rows than the ones before it."""
    CHUNK_ACCEPTED = "chunk_accepted"
    """SendGrid has accepted a request of a chunk."""
    CHUNK_RESENT = "chunk_resent"
    """An import job failed or vanished; its contacts are sent again."""
    CHUNK_FINISHED = "chunk_finished"
    """A chunk has its result."""
    THROTTLED = "throttled"
    """SendGrid, or our limiter for it, asked for a wait."""
    LIMIT_NOT_KEPT = "limit_not_kept"
    """What a response says of SendGrid's limits could not be written down; the response itself counts."""
    SENDGRID_REFUSED = "sendgrid_refused"
    """SendGrid answered 401 or 403."""
    POSTPONED = "postponed"
    """Something outside did not answer; the message comes back later."""
    SWEEP_HEALED = "sweep_healed"
    """A run had work but no message; it got one."""
    SWEEP_FAILED = "sweep_failed"
    """A run could not be swept this time."""
    SAVE_CHECK_FAILED = "save_check_failed"
    """What a saved export would find could not be looked at; it is saved."""
    MESSAGE_REVIVED = "message_revived"
    """A message failed too often, and gets one more chance."""
    POISON_MESSAGE = "poison_message"
    """A message failed too often for good; it is kept below poison/."""
    NOT_TOLD = "not_told"
    """A change of state could not be noted for those who want to be told; it is told later."""
    NOTIFIED = "notified"
    """A target took a notification."""
    NOTIFICATION_FAILED = "notification_failed"
    """A target did not take a notification; it is tried again."""
    NOTIFICATION_LOST = "notification_lost"
    """A target did not take a notification for a day, or is gone; it is told no more."""
    AUDIT = "audit"
    """Something that the audit log holds: a change, a start, a reading of people's data, an end of a run."""
    ACCESS_DENIED = "access_denied"
    """Somebody asked for what is not theirs; `count` times, where it was often within a minute."""
    AUDIT_NOT_WRITTEN = "audit_not_written"
    """The audit log could not be written; what needs it is refused meanwhile."""


type Id = str
type Code = str
type Words = str
type Seconds = float
type Share = float
type Rows = int
type Contacts = int
type Times = int
type Number = int
type Status = int | str


class Facts(TypedDict, total=False):
    """What a line may tell beside its event; the names of the types are the units."""

    attempt: Times
    """Which try it is."""
    caller: Id | None
    """Who asked: the name of a key, or an object id of Microsoft Entra ID."""
    caller_type: Code | None
    """What kind of caller that is."""
    chunk: Number
    """Number of the chunk in its run, from 1."""
    chunks: Number
    """Chunks of the plan."""
    code: Code | None
    """Why, as a code of docs/errors.md."""
    connection: Id | None
    """The connection it goes through."""
    contacts: Contacts
    """Contacts of the chunk, or of the request."""
    correlation: Id
    """The request, as its answer (`X-Request-Id`) and the audit log have it."""
    count: Number | None
    """How often, of denials; contacts on the list, of a look after it."""
    document: Words
    """Name of a blob in the state container."""
    due: Number
    """Exports that had become due."""
    duplicate: Rows
    """Rows whose address came before."""
    duration_s: Seconds | None
    """From the run's start to its end."""
    error: Code
    """Kind of an error; never its words."""
    export: Id | None
    """The export it is about."""
    extract_age_s: Seconds | None
    """How old the newest extract was when the run looked for it."""
    job: Id
    """SendGrid's import job."""
    late_s: Seconds
    """For how long the export has been overdue."""
    looks: Times
    """Looks after the list."""
    members: Contacts | None
    """Whom the export has brought onto the list, as far as the app knows."""
    message: Id
    """Id of a queue message."""
    not_sent: Contacts
    """Contacts that were ready and did not get there."""
    notice: Id
    """The change of state that is told."""
    operation: Code
    """What was asked for, as the audit log names it."""
    planned: Contacts
    """Contacts that the plan sends."""
    queue: Code
    """Name of a queue."""
    ranges: Number
    """Parts of the chunk that are sent again."""
    read: Rows
    """Rows of the extracts."""
    reason: Code | None
    """Why it ended so, as a code of docs/errors.md."""
    rejected: Rows
    """Rows that were not sent because of what is in them."""
    result: Code | None
    """How it ended."""
    run: Id | None
    """The run it is about."""
    sent: Contacts
    """Contacts that SendGrid took in."""
    settling: Number
    """Exports whose extract is to be looked at again."""
    share: Share
    """Rejected rows among all."""
    status: Status | None
    """How a run or chunk ended, or what was answered."""
    target: Id
    """Who is notified."""
    tries: Times
    """Tries that have ended."""
    trigger: Code
    """What started the run."""
    type: Code
    """What is told."""
    usual: Share
    """The middle share of rejected rows in the runs before."""
    wait_s: Seconds | None
    """For how long it waits."""
    what: Words
    """What was healed."""
    why: Words
    """Why it waits."""


def log_event(event: Event, *, level: int = logging.INFO, **facts: Unpack[Facts]) -> None:
    """Log `event` with its facts as `key=value`; None is left out.

    `trace` is that of the run; `operation_id` that of the invocation where it is another one, as the platform's
    own telemetry has it.
    """
    here = trace.current()
    told = {**facts, "trace": here.trace_id if here else None, "operation_id": trace.operation_id()}
    words = [f"event={event}", *(f"{key}={value}" for key, value in told.items() if value is not None)]
    LOGGER.log(level, " ".join(words))
