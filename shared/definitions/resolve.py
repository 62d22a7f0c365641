"""Load an export with its connection, and say why it cannot run: one place, for HTTP and for runs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.access.callers import may_send
from shared.errors import ExportUnavailableError
from shared.model.definitions import Connection, Export, Saved
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import Reason
from shared.sendgrid.gateway import Account
from shared.storage.layout import connection_blob, export_blob

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.extracts.extract import Extract
    from shared.model.runs import Plan, Run
    from shared.storage.documents import Store


NO_MATTER: Final[Mapping[str, bool | set[str]]] = {
    "name": True,
    "schedule": True,
    "enabled": True,
    "overlap": True,
    "max_contacts": True,
    "source": {"wait_minutes", "settle"},
}
"""Members of an export that decide when it runs, and not what SendGrid gets."""


@dataclass(frozen=True, kw_only=True)
class ExportWithConnection:
    """An export and the connection it goes through, as they are now."""

    saved: Saved[Export]
    through: Saved[Connection]

    @property
    def id(self) -> str:
        """Of the export."""
        return self.saved.id

    @property
    def uid(self) -> str:
        """Of the export, and of none that was or will be there under the same id."""
        return self.saved.uid

    @property
    def export(self) -> Export:
        """What is wished."""
        return self.saved.definition

    @property
    def connection_id(self) -> str:
        """Of the connection."""
        return self.through.id

    @property
    def connection(self) -> Connection:
        """What it goes through."""
        return self.through.definition

    @property
    def account(self) -> Account:
        """The SendGrid account to write to."""
        return Account(
            connection=self.connection_id,
            secret_name=self.connection.secret_name,
            region=self.connection.region,
        )

    def has_target_of(self, plan: Plan) -> bool:
        """Whether the export goes through the connection and to the list that the plan was made for."""
        return (plan.export_uid, plan.connection_uid, plan.list_id) == (
            self.uid,
            self.through.uid,
            self.export.list_id,
        )

    def require_consent(self) -> None:
        """Raises ExportUnavailableError without a consent to the data transfer."""
        if self.connection.consent is None:
            raise ExportUnavailableError(
                ReasonCode.CONSENT_MISSING,
                f"The connection {self.connection_id} has no consent to the data transfer; an administrator "
                "gives it.",
            )

    def require_runnable(self) -> None:
        """Raises ExportUnavailableError when the export is disabled, or has no consent."""
        if not self.export.enabled:
            raise ExportUnavailableError(
                ReasonCode.EXPORT_DISABLED, f"The export {self.id} is disabled; enable it to run it."
            )
        self.require_consent()

    def require_segments(self) -> None:
        """Raises ExportUnavailableError when a segment may not be exported through the connection."""
        if why := why_not_shared(self.connection, self.export):
            raise ExportUnavailableError(ReasonCode.SEGMENT_NOT_SHARED, why)


def why_not_shared(connection: Connection, export: Export) -> str | None:
    """Why an export may not read what it names through its connection; None where it may."""
    if missing := connection.missing_segments(export.segments):
        return f"The connection {export.connection} may not export the segments {', '.join(missing)}."
    if not connection.may_read(export.source):
        return (
            f"The connection {export.connection} may export some segments only, and the export's source.layout may"
            " find files of others."
        )
    return None


def resolve_export(store: Store, export: str) -> ExportWithConnection:
    """Load the export and its connection. Raises ExportUnavailableError where one of them is not there."""
    saved = store.find(export_blob(export), Saved[Export])
    if saved is None:
        raise ExportUnavailableError(ReasonCode.EXPORT_MISSING, f"There is no export {export}.")
    definition = saved.document.definition
    if definition.connection is None:
        raise ExportUnavailableError(
            ReasonCode.EXPORT_DETACHED,
            f"The export {export} has no connection; an administrator gives it one.",
        )
    connection = store.find(connection_blob(definition.connection), Saved[Connection])
    if connection is None:
        raise ExportUnavailableError(
            ReasonCode.CONNECTION_MISSING,
            f"The export {export} names the connection {definition.connection}, which does not exist; choose "
            "another one.",
        )
    return ExportWithConnection(saved=saved.document, through=connection.document)


def resolve_run(store: Store, run: Run) -> ExportWithConnection:
    """Load the export of a run and its connection, as far as whom the run acts for may still use them.

    Raises ExportUnavailableError; an export that was made anew under the same id is another one.
    """
    job = resolve_export(store, run.export)
    if job.uid != run.export_uid:
        raise ExportUnavailableError(
            ReasonCode.EXPORT_MISSING, f"The export {run.export} was deleted; the one of that id is another one."
        )
    if not may_send(run.acts_for, job.through):
        raise ExportUnavailableError(
            ReasonCode.ACCESS_WITHDRAWN,
            f"Whom the run acts for is no longer among the users of the connection {job.connection_id}.",
        )
    job.require_segments()
    return job


def withdrawal(store: Store, run: Run, plan: Plan) -> Reason | None:
    """Why nothing more of a run may go out through the connection it was planned with; None where it may."""
    connection = plan.connection
    found = store.find(connection_blob(connection), Saved[Connection])
    if found is None or found.document.uid != plan.connection_uid:
        message = f"The connection {connection} was deleted while the run was under way."
        return Reason(code=ReasonCode.CONNECTION_MISSING, message=message)
    if found.document.definition.consent is None:
        message = f"The consent of the connection {connection} was withdrawn while the run was under way."
        return Reason(code=ReasonCode.CONSENT_WITHDRAWN, message=message)
    if not may_send(run.acts_for, found.document):
        message = f"Whom the run acts for may no longer use the connection {connection}."
        return Reason(code=ReasonCode.ACCESS_WITHDRAWN, message=message)
    return None


def fingerprint(job: ExportWithConnection, extracts: Sequence[Extract]) -> str:
    """Of everything that decides what SendGrid gets; names, schedules, waits and guards do not."""
    parts = [
        job.uid,
        job.export.model_dump_json(exclude=NO_MATTER),
        job.connection.model_dump_json(include={"secret_name", "region"}),
        *(extract.identity for extract in extracts),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
