"""What is written down about extracts that start their exports: how far each export is, and who looks next."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Self

from pydantic import AwareDatetime, Field

from shared.model.documents import Document
from shared.model.messages import EVENTS_QUEUE
from shared.model.reasons import Reason


class Awaited(Document):
    """How far an export is that waits for its extract."""

    uid: str
    """Which export of that id."""
    until: AwareDatetime
    """What was delivered up to this moment needs no run any more."""
    seen: str | None = None
    """Digest of what the last look found."""
    seen_since: AwareDatetime | None = None
    """When a look found just that for the first time."""
    problem: Reason | None = None
    """Why what was found cannot be read as a whole."""
    told: str | None = None
    """Digest of what was found with a problem that had its run, or was there before the export waited."""

    @classmethod
    def since(cls, moment: datetime, *, uid: str) -> Self:
        """An export that waits from a moment on; storage tells the times of files in whole seconds."""
        return cls(uid=uid, until=moment.replace(microsecond=0) - timedelta(microseconds=1))


class LookOut(Document):
    """Who looks for arrivals next; one message at a time does, whatever number of events there is."""

    token: str | None = None
    """Of the message that looks, or is to look; None while nobody has asked."""
    at: AwareDatetime
    """When that message is to come."""
    begun_at: AwareDatetime | None = None
    """When it has begun to look; None while it is on its way."""
    again: bool = False
    """Whether somebody has asked since it has begun."""
    looked_at: AwareDatetime
    """When a look ended last; before that, when the first one was asked for."""


class LookMessage(Document):
    """Look for arrivals."""

    queue: ClassVar[str] = EVENTS_QUEUE
    look: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")] | None
    """Token of the look; None has a look asked for, in place of an event that came while storage was away."""
    storage_waits: Annotated[int, Field(ge=0)] = 0
    """How often it was put off because storage did not answer."""
