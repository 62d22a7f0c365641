"""Who must not be written to: the account's suppression lists, and unsubscribe groups with their members."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

FIRST_GROUP_ID = 254_500
"""Near the ids recorded in 2026; SendGrid's are numbers, all accounts' together."""


class SuppressionKind(StrEnum):
    """The lists; the words are those of their paths."""

    UNSUBSCRIBES = "unsubscribes"
    """Those who want no mail at all, the global suppressions."""
    BOUNCES = "bounces"
    BLOCKS = "blocks"
    INVALID_EMAILS = "invalid_emails"
    SPAM_REPORTS = "spam_reports"


@dataclass(kw_only=True)
class Group:
    """An unsubscribe group."""

    id: int
    name: str
    description: str
    is_default: bool
    members: dict[str, float] = field(default_factory=dict)
    """Addresses, and since when."""


class Suppressions:
    """All of one account; addresses are kept in lower case. They have no effect on lists of contacts."""

    def __init__(self) -> None:
        self.lists: dict[SuppressionKind, dict[str, float]] = {kind: {} for kind in SuppressionKind}
        """Addresses, and since when, in the order they were added."""
        self.groups: dict[int, Group] = {}
        self._created = 0

    def add(self, kind: SuppressionKind, emails: Iterable[str], now: float) -> None:
        """Puts addresses on a list; who is on it stays since when they were."""
        for email in emails:
            self.lists[kind].setdefault(email.lower(), now)

    def remove(self, kind: SuppressionKind, emails: Iterable[str]) -> None:
        """Takes addresses off a list."""
        for email in emails:
            self.lists[kind].pop(email.lower(), None)

    def create_group(self, *, name: str, description: str, is_default: bool) -> Group:
        """Adds a group without members."""
        self._created += 1
        group_id = FIRST_GROUP_ID + self._created
        group = Group(id=group_id, name=name, description=description, is_default=is_default)
        self.groups[group_id] = group
        return group
