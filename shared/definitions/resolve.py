"""Load an export with its connection, and say why it cannot run: one place, for HTTP and for runs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.definitions.access import require_use
from shared.errors import ExportUnavailableError
from shared.model.definitions import Connection, Export, Saved
from shared.model.reasons import ReasonCode
from shared.sendgrid.gateway import Account
from shared.storage.layout import connection_blob, export_blob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.definitions.access import Caller
    from shared.extracts.extract import Extract
    from shared.model.runs import Plan
    from shared.storage.documents import Store


@dataclass(frozen=True, kw_only=True)
class ExportWithConnection:
    """An export and the connection it goes through, as they are now."""

    id: str
    """Of the export."""
    export: Export
    connection: Connection

    @property
    def account(self) -> Account:
        """The SendGrid account to write to."""
        return Account(
            connection=self.export.connection,
            secret_name=self.connection.secret_name,
            region=self.connection.region,
        )

    def has_target_of(self, plan: Plan) -> bool:
        """Whether the export goes through the connection and to the list that the plan was made for."""
        return (plan.connection, plan.list_id) == (self.export.connection, self.export.list_id)

    def require_consent(self) -> None:
        """Raises ExportUnavailableError without a consent to the data transfer."""
        if self.connection.consent is None:
            raise ExportUnavailableError(
                ReasonCode.CONSENT_MISSING,
                f"The connection {self.export.connection} has no consent to the data transfer; an administrator "
                "gives it.",
            )

    def require_runnable(self) -> None:
        """Raises ExportUnavailableError when the export is disabled, or has no consent."""
        if not self.export.enabled:
            raise ExportUnavailableError(
                ReasonCode.EXPORT_DISABLED, f"The export {self.id} is disabled; enable it to run it."
            )
        self.require_consent()


def resolve_export(store: Store, export: str) -> ExportWithConnection:
    """Load the export and its connection. Raises ExportUnavailableError when one of them is missing."""
    saved = store.find(export_blob(export), Saved[Export])
    if saved is None:
        raise ExportUnavailableError(ReasonCode.EXPORT_MISSING, f"There is no export {export}.")
    definition = saved.document.definition
    connection = store.find(connection_blob(definition.connection), Saved[Connection])
    if connection is None:
        raise ExportUnavailableError(
            ReasonCode.CONNECTION_MISSING,
            f"The export {export} names the connection {definition.connection}, which does not exist; choose "
            "another one.",
        )
    return ExportWithConnection(id=export, export=definition, connection=connection.document.definition)


def resolve_export_for(store: Store, export: str, caller: Caller) -> ExportWithConnection:
    """Load the export and its connection for a caller.

    Raises ExportUnavailableError, and ForbiddenError unless the caller may use the connection.
    """
    job = resolve_export(store, export)
    require_use(caller, job.export.connection, job.connection)
    return job


def fingerprint(job: ExportWithConnection, extracts: Sequence[Extract]) -> str:
    """Of everything that decides what SendGrid gets; names, schedules and guards do not."""
    parts = [
        job.export.model_dump_json(exclude={"name", "schedule", "enabled", "overlap", "max_contacts"}),
        job.connection.model_dump_json(include={"secret_name", "region"}),
        *(extract.identity for extract in extracts),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
