"""What a dry run finds: how a run would change the list."""

from __future__ import annotations

from typing import Any

from shared.model.documents import Document


class Forecast(Document):
    """What a run would do now, in figures."""

    new: int
    """Contacts that this export has not brought to the list before."""
    changed: int
    """Contacts that are members and would be sent again."""
    unchanged: int
    rejected: int
    duplicate: int
    leaving: int
    """Members who have left."""
    removed: int
    """Of those, how many would be taken off the list: none where `leavers` is `keep`, or a guard forbids it."""
    sends_all: bool
    """Whether unchanged contacts are sent, too."""
    requests: int
    """Requests to SendGrid, but for those that follow its jobs."""
    seconds: float
    """About how long a run would take, by SendGrid's limits and the usual time of its jobs."""
    attempt: str
    """Folder of the rejected rows and the examples."""
    account_contacts: int | None = None
    """Contacts that SendGrid bills the account for; None when it does not say."""
    account_contacts_after: int | None = None
    """The most that could be afterwards: new contacts may be in the account already."""
    contact_limit: int | None = None
    """What the connection says that the account may hold."""


class Examples(Document):
    """Some of those who would be met; every value is masked."""

    new: tuple[dict[str, Any], ...] = ()
    changed: tuple[dict[str, Any], ...] = ()
    leaving: tuple[str, ...] = ()
