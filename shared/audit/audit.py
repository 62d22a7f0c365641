"""What the rest of the app calls: each deed is written down, and logged without names.

A change, a start and a reading of people's data is written down before it is done or shown, and is not done where
that fails. How a change ended is written afterwards; where that fails, it has happened and is known to have begun.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.audit import entries
from shared.audit.denials import Denials
from shared.errors import ExportError
from shared.limits import DENIALS_FOLDED
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from shared.audit.log import AuditLog
    from shared.model.audit import AuditedRequest, AuditEntry
    from shared.model.documents import Document
    from shared.model.runs import Run


@dataclass(frozen=True, kw_only=True)
class Begun:
    """An operation that is written down as begun."""

    request: AuditedRequest
    at: datetime


class Audit:
    """Writes down what is done, and logs it."""

    def __init__(self, log: AuditLog, clock: Callable[[], datetime], *, resource_id: str | None = None) -> None:
        """`resource_id` is the app's in Azure, and stands in every entry."""
        self._log = log
        self._clock = clock
        self._resource_id = resource_id
        self._denials = Denials()

    def begin(self, request: AuditedRequest) -> Begun:
        """Write down that a change or start is about to be done. Raises StorageUnavailableError, SettingsError."""
        at = self._clock()
        self._record(request, entries.intent(request, at))
        return Begun(request=request, at=at)

    def conclude(
        self,
        begun: Begun,
        *,
        status: int,
        before: Document | None = None,
        after: Document | None = None,
        made: str | None = None,
    ) -> None:
        """Write down how it ended, by its HTTP status, which fields it changed, and what it made.

        Raises nothing, for it has happened: what cannot be written is logged.
        """
        now = self._clock()
        duration = round((now - begun.at).total_seconds() * 1000)
        entry = entries.outcome(
            begun.request, now, status=status, duration_ms=duration, before=before, after=after, made=made
        )
        self._try_to_record(begun.request, entry)

    def note_reading(self, request: AuditedRequest) -> None:
        """Write down that people's data is read, before it is shown.

        Raises StorageUnavailableError and SettingsError; then it must not be shown.
        """
        self._record(request, entries.outcome(request, self._clock(), status=200))

    def note_denial(self, request: AuditedRequest, *, status: int) -> None:
        """Write down that somebody was not allowed; of many such within a minute the first, and how many followed.

        Raises nothing: what is denied stays denied, written down or not.
        """
        now = self._clock()
        if self._denials.add(request, status, now):
            self._try_to_deny(request, status, count=1)
        self.tell_folded_denials()

    def tell_folded_denials(self) -> None:
        """Write down the denials whose minute is over."""
        for denied in self._denials.take_due(self._clock()):
            self._try_to_deny(denied.request, denied.status, count=denied.count)

    def note_start(self, run: Run, *, connection: str, submitted_by: str | None) -> None:
        """Write down that a run begins. Raises StorageUnavailableError, SettingsError."""
        entry = entries.run_started(run, self._clock(), connection=connection, submitted_by=submitted_by)
        self._record_run(run, entry, connection)

    def note_end(self, run: Run, *, connection: str | None, submitted_by: str | None) -> None:
        """Write down that a run is over. Raises StorageUnavailableError, SettingsError."""
        entry = entries.run_ended(run, self._clock(), connection=connection, submitted_by=submitted_by)
        self._record_run(run, entry, connection)

    def _record(self, request: AuditedRequest, entry: AuditEntry) -> None:
        log_event(
            Event.AUDIT,
            operation=entry.operation_name,
            result=entry.result_type,
            status=entry.result_signature,
            caller=request.caller.id,
            caller_type=request.caller.kind,
            connection=request.connection,
            export=request.export,
            run=request.run,
            correlation=entry.correlation_id,
        )
        self._write(entry)

    def _record_run(self, run: Run, entry: AuditEntry, connection: str | None) -> None:
        log_event(
            Event.AUDIT,
            operation=entry.operation_name,
            result=entry.result_type,
            connection=connection,
            export=run.export,
            run=run.id,
            correlation=entry.correlation_id,
        )
        self._write(entry)

    def _try_to_record(self, request: AuditedRequest, entry: AuditEntry) -> None:
        try:
            self._record(request, entry)
        except ExportError:
            return  # it is logged, and the operation's begin is written down

    def _try_to_deny(self, request: AuditedRequest, status: int, *, count: int) -> None:
        log_event(
            Event.ACCESS_DENIED,
            level=logging.WARNING,
            operation=request.operation,
            status=status,
            count=count,
            caller=request.caller.id,
            caller_type=request.caller.kind,
            connection=request.connection,
            export=request.export,
            run=request.run,
            correlation=request.correlation_id,
        )
        try:
            self._write(entries.denial(request, self._clock(), status=status, count=count))
        except ExportError:
            return  # it is logged, twice

    def _write(self, entry: AuditEntry) -> None:
        try:
            self._log.write(entry.model_copy(update={"resource_id": self._resource_id}))
        except ExportError as error:
            log_event(
                Event.AUDIT_NOT_WRITTEN,
                level=logging.ERROR,
                operation=entry.operation_name,
                result=entry.result_type,
                correlation=entry.correlation_id,
                error=type(error).__name__,
            )
            raise


def keep_telling(audit: Audit) -> None:
    """Write down folded denials from a thread of their own, for as long as the process lives."""
    wake = threading.Event()

    def tell() -> None:
        while not wake.wait(DENIALS_FOLDED):
            audit.tell_folded_denials()

    threading.Thread(target=tell, name="audit", daemon=True).start()
