"""Who an export has brought onto its list: one generation a run, and the document that names the current one."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime

from shared.model.definitions import Identifier, RunId
from shared.model.documents import Document
from shared.model.runs import MembershipChange


class Membership(Document):
    """The members of an export's list, as far as the export has brought them."""

    connection: Identifier
    list_id: UUID
    run: RunId
    """Which run left it so."""
    blob: str
    """Parquet: `address`, in the form in which SendGrid has it, each once; `hash`, of the contact as it was sent.

    The hash is missing where it is not certain that the contact arrived just so.
    """
    etag: str
    """Of the blob."""
    size: int
    """Bytes of the blob."""
    change: MembershipChange
    mapping_digest: str
    sent_all_at: AwareDatetime
    """When a run last sent those who were unchanged, too."""

    def is_of(self, connection: str, list_id: UUID) -> bool:
        """Whether it is about this list of this account."""
        return self.connection == connection and self.list_id == list_id
