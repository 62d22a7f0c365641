"""Who wants to be told of what, what there is to tell, and what became of telling it (docs/notifications.md)."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from shared.limits import TARGET_URL_MAX, TARGETS_NAMED_MAX
from shared.model.definitions import Identifier, RunId, SecretName, Text, unique
from shared.model.documents import Document
from shared.model.notification_codes import NotificationCode
from shared.model.reasons import RunStatus
from shared.model.runs import Trigger
from shared.model.web_address import parse_web_address


class NoticeType(StrEnum):
    """What happened."""

    RUN_ENDED = "run.ended"
    """A run is over, however it ended; dry runs and adoptions are not told."""
    RUN_WARNED = "run.warned"
    """A run is over, and somebody should look: it failed, has warnings, or was skipped, but for `unchanged`."""
    REMOVALS_WAITING = "removals.waiting"
    """A run is over, and has leavers that somebody has to confirm."""
    LIST_READY = "list.ready"
    """SendGrid's list holds what the run has brought."""
    EXPORT_OVERDUE = "export.overdue"
    """An export has not succeeded, or has had no new extract, for longer than it says."""
    EXPORT_RECOVERED = "export.recovered"
    """An export is overdue no more."""
    TEST = "test"
    """Somebody tries whether notifications arrive."""


WANTED: Final = tuple(each for each in NoticeType if each is not NoticeType.TEST)
"""What a target can ask for; a test comes when it is asked for."""

WantedType = Literal[
    NoticeType.RUN_ENDED,
    NoticeType.RUN_WARNED,
    NoticeType.REMOVALS_WAITING,
    NoticeType.LIST_READY,
    NoticeType.EXPORT_OVERDUE,
    NoticeType.EXPORT_RECOVERED,
]
NoticeId = Annotated[str, StringConstraints(pattern=r"^ntc_[0-9a-f]{32}$")]


def _https(url: str) -> str:
    if parse_web_address(url) is None:
        raise ValueError(
            "must be an https:// address without user, blank, backslash or fragment; a host beyond ASCII as xn--…"
        )
    return url


class NotificationTarget(Document):
    """An address that is told when something happens."""

    name: Text
    url: Annotated[str, StringConstraints(max_length=TARGET_URL_MAX), AfterValidator(_https)]
    """Where to; https only, and of the internet, unless NOTIFICATION_ALLOWED_HOSTS names the host."""
    events: Annotated[tuple[WantedType, ...], Field(min_length=1), AfterValidator(unique)]
    """What it is told of. A run's end is told once, by the most particular type that is asked for."""
    connections: (
        Annotated[tuple[Identifier, ...], Field(max_length=TARGETS_NAMED_MAX), AfterValidator(unique)] | None
    ) = None
    """Only of what goes through these; None: through any."""
    exports: (
        Annotated[tuple[Identifier, ...], Field(max_length=TARGETS_NAMED_MAX), AfterValidator(unique)] | None
    ) = None
    """Only of these exports; None: of any."""
    secret_name: SecretName
    """Name of the Key Vault secret that holds the signing secret, `whsec_…`; never the secret."""
    enabled: Annotated[bool, Field(strict=True)] = True

    def wants(self, notice: Notice) -> NoticeType | None:
        """As what the target is told of it: the most particular type that it asks for; None where it is not."""
        is_meant = (
            self.enabled
            and (self.connections is None or notice.connection in self.connections)
            and (self.exports is None or notice.export in self.exports)
        )
        return next((each for each in notice.types if each in self.events), None) if is_meant else None


class Notice(Document):
    """One change of state that there is to tell: ids, codes and counts, and nothing about people.

    What a viewer of its connection may see in the API, and no more.
    """

    id: NoticeId
    """The same for the same change, however often it is told."""
    types: Annotated[tuple[NoticeType, ...], Field(min_length=1)]
    """What it is, the most particular first."""
    at: AwareDatetime
    """When it happened."""
    export: Identifier | None = None
    """None in a test only."""
    connection: Identifier | None = None
    run: RunId | None = None
    trigger: Trigger | None = None
    status: RunStatus | None = None
    reason: str | None = None
    """A code of docs/errors.md."""
    since: AwareDatetime | None = None
    """Of what lasts, such as being overdue."""
    counts: dict[str, int] = Field(default_factory=dict)


def notice_id(*parts: str) -> str:
    """The id of a change of state, by what tells it from all others; a notice's first type should be among it."""
    return f"ntc_{hashlib.sha256('\n'.join(parts).encode()).hexdigest()[:32]}"


class Claim(Document):
    """Somebody notifies a target right now, or died doing so."""

    message: str
    """Id of the queue message that is being worked on."""
    since: AwareDatetime


class NotificationDelivery(Document):
    """How far telling a target of one notice is."""

    type: NoticeType
    """As what it is told."""
    begun_at: AwareDatetime
    """When it was found that the target wants to know; from then on its day counts."""
    tries: int = 0
    """That have ended."""
    claim: Claim | None = None
    ended_at: AwareDatetime | None = None
    """When it was over: told, or given up."""
    code: NotificationCode | None = None
    """Why the newest try failed; None when it was told."""
    status: int | None = None
    """What the target answered, if it did."""


class NotificationOutcome(Document):
    """What became of notifying a target."""

    notice: NoticeId
    type: NoticeType
    at: AwareDatetime
    code: NotificationCode | None = None
    """Why it failed; None when the target took it."""
    status: int | None = None
    """HTTP status that the target answered, if it did."""


class TargetState(Document):
    """How notifying a target went last."""

    last_delivery: NotificationOutcome | None = None
    """The newest that the target took."""
    last_error: NotificationOutcome | None = None
    """The newest try that failed."""
    last_lost: NotificationOutcome | None = None
    """The newest notification that was given up."""
    gone: AwareDatetime | None = None
    """When the definition was saved whose address is gone for good; it is told no more until it is saved again."""
