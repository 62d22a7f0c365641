"""What is known of how fresh an export is, and whether it is overdue."""

from __future__ import annotations

from pydantic import AwareDatetime

from shared.model.documents import Document


class RejectedShare(Document):
    """How many of its rows a run has rejected."""

    run: str
    share: float


class Freshness(Document):
    """What the runs of an export have left: when it last succeeded, and how old what it read was."""

    export_uid: str
    success_run: str | None = None
    success_at: AwareDatetime | None = None
    """When a run last ended as succeeded or completed with warnings."""
    extract_delivered_at: AwareDatetime | None = None
    """When the oldest of the newest extracts was delivered that the newest run has found."""
    looked_at: AwareDatetime | None = None
    """When that run has looked."""
    rejected: tuple[RejectedShare, ...] = ()
    """Of the latest runs, newest last."""


class Overdue(Document):
    """That an export has not done what it says it does every so often."""

    since: AwareDatetime
    code: str
    """Of a warning: `no_success` or `no_new_extract`."""


class ExportWatch(Document):
    """How an export that is watched is doing."""

    export_uid: str
    watched_since: AwareDatetime
    """Since when it is enabled and says how often it is to succeed; nothing is overdue sooner."""
    overdue: Overdue | None = None


class WatchState(Document):
    """How far the look at all exports is."""

    begun_at: AwareDatetime
    after: str = ""
    """The export after which it goes on; empty when it is over."""
