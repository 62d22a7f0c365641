"""Who an export has brought onto its list: one generation a run, and the document that names the current one."""

from __future__ import annotations

from enum import Enum
from uuid import UUID

from pydantic import AwareDatetime

from shared.model.adoption import Adopted
from shared.model.definitions import Identifier, RunId
from shared.model.documents import Document
from shared.model.reasons import Reason
from shared.model.runs import ExtractSummary, MembershipChange, ParquetBlob


class Leavers(Enum):
    """What becomes of the members that have left."""

    STAY = "stay"
    WAIT = "wait"
    """They are taken off the list if somebody confirms it."""
    GO = "go"
    """They are taken off the list."""


class Membership(Document):
    """The members of an export's list, as far as the export has brought them."""

    export_uid: str
    connection: Identifier
    list_id: UUID
    run: RunId
    """Which run left it so."""
    noted_at: AwareDatetime
    generation: ParquetBlob
    """A row for each member, with these columns.

    `address`, in the form in which SendGrid has it; `hash`, the fingerprint of the contact as it was sent, null
    where it is not certain that it arrived just so; `joined` and `brought`, the runs that brought it first and
    last; `missing`, in how many runs in a row it was in no extract.
    """
    change: MembershipChange
    mapping_digest: str
    sent_all_at: AwareDatetime
    """When a run last sent those who were unchanged, too."""

    def is_of(self, export_uid: str, connection: str, list_id: UUID) -> bool:
        """Whether this export has brought them, to this list of this account."""
        return (self.export_uid, self.connection, self.list_id) == (export_uid, connection, list_id)


class Adoption(Document):
    """What an adoption has found, decided before anybody is made a member."""

    membership: Membership
    adopted: Adopted
    extracts: tuple[ExtractSummary, ...]
    warnings: tuple[Reason, ...] = ()
    """What people must hear although the list was adopted, the gravest first."""
