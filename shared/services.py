"""What the steps of a run work with, handed in from outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from shared.access.callers import Caller
    from shared.audit.audit import Audit
    from shared.sendgrid.gateway import SendGridGateway
    from shared.settings import Settings
    from shared.storage.documents import Store
    from shared.storage.heartbeat import Heartbeat
    from shared.storage.interfaces import AppendBlobs, Queues, ReadableBlobs
    from shared.webhooks.gateway import WebhookGateway


class Authenticator(Protocol):
    """Finds out who calls."""

    def identify(self, headers: Mapping[str, str], query: Mapping[str, str]) -> Caller:
        """Who calls, by the request's headers, with names in lower case, or its query.

        Raises UnauthenticatedError, and TransientError where that cannot be told now.
        """


@dataclass(frozen=True, kw_only=True)
class Services:
    """The outside world, and the clock."""

    settings: Settings
    store: Store
    extracts: ReadableBlobs
    queues: Queues
    sendgrid: SendGridGateway
    webhooks: WebhookGateway
    heartbeat: Heartbeat
    authenticator: Authenticator
    audit: Audit
    audit_blobs: AppendBlobs
    """Where the audit log is, to be read."""
    clock: Callable[[], datetime]
    jitter: Callable[[], float]
    """Gives a random number in [0, 1)."""
