"""What the app logs: one line per event, ids and counts only.

infra/ builds alerts and the workbook on these lines, so the names are part of the interface.
"""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import Final

LOGGER: Final = logging.getLogger("sendgrid_export")


class Event(StrEnum):
    """Names of the events."""

    SIGNING_KEYS_UNAVAILABLE = "signing_keys_unavailable"
    """The keys of Microsoft Entra ID could not be read; those from before go on."""
    DEFINITION_UNREADABLE = "definition_unreadable"
    """A connection or an export that this version cannot read was passed over."""
    REFRESH_TICK = "refresh_tick"
    """The timer looked for due exports."""
    RUN_STARTED = "run_started"
    RUN_PLANNED = "run_planned"
    RUN_FINISHED = "run_finished"
    LIST_CHECKED = "list_checked"
    """The look after a run's list is over."""
    EXPORT_OVERDUE = "export_overdue"
    """An export is overdue; told again at each look while it is."""
    EXPORT_RECOVERED = "export_recovered"
    """An export is overdue no more."""
    REJECTED_JUMPED = "rejected_jumped"
    """A run has rejected a far larger share of its rows than the ones before it."""
    CHUNK_ACCEPTED = "chunk_accepted"
    CHUNK_RESENT = "chunk_resent"
    """An import job failed or vanished; its contacts are sent again."""
    CHUNK_FINISHED = "chunk_finished"
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


def log_event(event: Event, *, level: int = logging.INFO, **facts: object) -> None:
    """Log `event` with its facts as `key=value`; None is left out."""
    words = [f"event={event}", *(f"{key}={value}" for key, value in facts.items() if value is not None)]
    LOGGER.log(level, " ".join(words))
