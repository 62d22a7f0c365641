"""How the ids of many leavers are found: by one export of the list, which one chunk's message follows for all."""

from __future__ import annotations

from pydantic import AwareDatetime

from shared.model.documents import Document
from shared.model.runs import ParquetBlob


class LookUp(Document):
    """How far the look-up of a run's leavers is."""

    chunk: int
    """Whose message goes on with it; the others wait."""
    begun_at: AwareDatetime
    export_id: str | None = None
    """SendGrid's own; None until it was asked for."""
    found: ParquetBlob | None = None
    """`address` and `contact_id` of each leaver on the list, by address."""
    given_up: bool = False
    """Whether ids are searched instead."""
