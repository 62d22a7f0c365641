"""What a run is to do: the definitions as they are when it is planned."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import BlobMissingError, RunEndError
from shared.model.definitions import Connection, Export, Saved
from shared.model.reasons import ReasonCode, Reason, RunStatus
from shared.sendgrid.gateway import Account
from shared.storage.layout import connection_blob, export_blob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.extracts.discovery import Extract
    from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class ExportWithConnection:
    """An export and the connection it goes through."""

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


def resolve_export(services: Services, export: str) -> ExportWithConnection:
    """The definitions. Raises RunEndError when one is missing, or the consent is."""
    try:
        definition = services.store.get(export_blob(export), Saved[Export]).document.definition
    except BlobMissingError:
        raise _failed(ReasonCode.EXPORT_MISSING, "The export was deleted before the run was planned.") from None
    try:
        saved = services.store.get(connection_blob(definition.connection), Saved[Connection]).document
    except BlobMissingError:
        raise _failed(ReasonCode.CONNECTION_MISSING, f"There is no connection {definition.connection}.") from None
    if saved.definition.consent is None:
        raise _failed(
            ReasonCode.CONSENT_MISSING,
            f"The connection {saved.id} has no consent to the data transfer; an administrator gives it.",
        )
    return ExportWithConnection(export=definition, connection=saved.definition)


def _failed(code: ReasonCode, message: str) -> RunEndError:
    return RunEndError(code, message)


def fingerprint(wish: ExportWithConnection, extracts: Sequence[Extract]) -> str:
    """Of everything that decides what SendGrid gets; names, schedules and guards do not."""
    parts = [
        wish.export.model_dump_json(exclude={"name", "schedule", "enabled", "overlap", "max_contacts"}),
        wish.connection.model_dump_json(include={"secret_name", "region"}),
        *(extract.identity for extract in extracts),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
