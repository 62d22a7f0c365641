"""Whether a list holds what a run has left on it, as far as SendGrid's count tells."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime

from shared.model.codes import ExplainedCode
from shared.model.definitions import Identifier, Region, RunId
from shared.model.documents import Document


class ListReady(StrEnum):
    """How far the look after the list is."""

    LOOKING = "looking"
    """SendGrid's count is looked at until it is steady and what was expected."""
    READY = "ready"
    NOT_CONFIRMED = "not_confirmed"
    """The look is over, and nobody can say that the list holds what the run has left on it."""


class ListReadyCode(ExplainedCode):
    """Why a list is not known to be ready."""

    SUPERSEDED = (
        "superseded",
        "A later run began to change the list before it was found ready.",
        "Look at that run instead.",
    )
    IMPORTS_UNCONFIRMED = (
        "imports_unconfirmed",
        "Import jobs of the run were never seen to end, so the count has nothing to be held against.",
        "Look at the list at SendGrid; start a run with force if contacts are missing.",
    )
    FEWER_THAN_EXPECTED = (
        "fewer_than_expected",
        (
            "SendGrid counts fewer contacts on the list than the export has brought: others have taken some off,"
            " or SendGrid takes several for one."
        ),
        "Compare segment and list; a run with force sends all again, and adopting the list tells who is on it.",
    )
    MORE_THAN_EXPECTED = (
        "more_than_expected",
        (
            "SendGrid counts more contacts on the list than there can be once the leavers are off: others have"
            " added some meanwhile, or the leavers are still counted."
        ),
        "Look at the list at SendGrid before it is written to.",
    )
    UNSTEADY = (
        "unsteady",
        "SendGrid's count of the list changed until the looks ended: somebody else changes the list, too.",
        "Look at the list at SendGrid before it is written to.",
    )
    NOT_ANSWERED = (
        "not_answered",
        "SendGrid did not tell the list's count.",
        "Look at the list at SendGrid, and whether the key may still read it.",
    )
    LOOK_FAILED = (
        "look_failed",
        "A look failed for a reason of the app's own.",
        "Look at the list at SendGrid; the app's log has the error.",
    )


class NotConfirmed(Document):
    """Why a list is not known to be ready."""

    code: str
    message: str


class ListCheck(Document):
    """The look after a list once a run on it is over; there is one of each list, that of the newest run."""

    list_id: UUID
    export: Identifier
    run: RunId
    trace_id: str | None = None
    """That of the run."""
    token: str
    """Which message looks next; older ones end."""
    connection: Identifier
    secret_name: str
    region: Region
    least: int
    """Contacts that must be on the list."""
    most: int | None = None
    """Contacts that may be on it; None where nobody was taken off, so that any number may."""
    ends_at: AwareDatetime
    """The last look comes no later."""
    next_at: AwareDatetime
    """When the next look is due."""
    slot: AwareDatetime | None = None
    """The moment the rate limiter has set aside for it."""
    looks: int = 0
    count: int | None = None
    """By SendGrid, at the last look that it answered."""
    same_since: AwareDatetime | None = None
    """The first of the looks in a row that gave this count."""

    def seen(self, count: int | None, now: AwareDatetime) -> ListCheck:
        """The check after one more look; None where SendGrid did not tell."""
        told: dict[str, object] = {"looks": self.looks + 1, "slot": None}
        if count is not None and (count != self.count or self.same_since is None):
            told |= {"count": count, "same_since": now}
        return self.model_copy(update=told)

    @property
    def is_expected(self) -> bool:
        """Whether the count is one that may be."""
        return self.count is not None and self.count >= self.least and not self.is_too_high

    @property
    def is_too_high(self) -> bool:
        """Whether leavers must still be among those counted."""
        return self.count is not None and self.most is not None and self.count > self.most
