"""What a run is to do: the definitions as they are when it is planned."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import BlobMissingError, RunEndError
from shared.model import Connection, Export, Saved
from shared.records import Reason, RunStatus
from shared.services import Account
from shared.store import connection_blob, export_blob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.extracts import Extract
    from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class Wish:
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


def read_wish(services: Services, export: str) -> Wish:
    """The definitions. Raises RunEndError when one is missing, or the consent is."""
    try:
        definition = services.store.get(export_blob(export), Saved[Export]).document.definition
    except BlobMissingError:
        raise _failed("export_missing", "The export was deleted before the run was planned.") from None
    try:
        saved = services.store.get(connection_blob(definition.connection), Saved[Connection]).document
    except BlobMissingError:
        raise _failed("connection_missing", f"There is no connection {definition.connection}.") from None
    if saved.definition.consent is None:
        raise _failed(
            "consent_missing",
            f"The connection {saved.id} has no consent to the data transfer; an administrator gives it.",
        )
    return Wish(export=definition, connection=saved.definition)


def _failed(code: str, message: str) -> RunEndError:
    return RunEndError(RunStatus.FAILED, Reason(code=code, message=message))


def fingerprint(wish: Wish, extracts: Sequence[Extract]) -> str:
    """Of everything that decides what SendGrid gets; names, schedules and guards do not."""
    parts = [
        wish.export.model_dump_json(exclude={"name", "schedule", "enabled", "overlap", "max_contacts"}),
        wish.connection.model_dump_json(include={"secret_name", "region"}),
        *(extract.identity for extract in extracts),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
