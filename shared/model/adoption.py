"""What an adoption finds: who of those on a list is in the extracts; and what it waits for meanwhile."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime

from shared.model.definitions import Identifier
from shared.model.documents import Document


class Adopted(Document):
    """Who was on the list, in figures: on_list = made + known + others."""

    on_list: int
    """Contacts in SendGrid's export of the list."""
    made: int
    """In the extracts, and made members."""
    known: int
    """Members of this export already, or of another one to the list."""
    others: int
    """Nobody brings them, as far as the app knows."""
    attempt: str
    """Folder of the list of others."""


class ListExport(Document):
    """SendGrid's export of a list, asked for by a run."""

    connection: Identifier
    list_id: UUID
    id: str
    """SendGrid's own."""
    asked_at: AwareDatetime
    tries: int
    """How often an export was asked for."""

    def is_of(self, connection: str, list_id: UUID) -> bool:
        """Whether it is about this list of this account."""
        return self.connection == connection and self.list_id == list_id
