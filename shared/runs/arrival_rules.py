"""When the extracts of an export have arrived. Pure; docs/schedules.md has it in words."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from shared.extracts.extract import Extract
    from shared.model.arrival import Awaited
    from shared.model.definitions import SourceOptions
    from shared.model.reasons import Reason


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a look has found of the segments of an export."""

    uid: str
    """Of the export."""
    extracts: Sequence[Extract]
    """The newest of each segment that can be read."""
    problem: Reason | None
    """Why the newest delivery of a segment cannot be read, or not yet."""

    @property
    def digest(self) -> str:
        """Equal for the same files in the same versions, and the same problem."""
        problem = [self.problem.code, self.problem.message] if self.problem else None
        files = [[extract.segment, extract.identity] for extract in self.extracts]
        return hashlib.sha256(json.dumps([self.uid, problem, files]).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Due:
    """A run that is to start."""

    since: datetime
    """When its extract was there, or its problem."""
    at: datetime
    """When it may start."""


def with_found(awaited: Awaited, found: Found, now: datetime) -> Awaited:
    """How far the export is once this was found; a problem that the first look finds starts nothing."""
    digest = found.digest
    if awaited.seen == digest:
        return awaited
    changes = {"seen": digest, "seen_since": now, "problem": found.problem}
    if awaited.seen is None and found.problem is not None:
        changes["told"] = digest
    return awaited.model_copy(update=changes)


def find_due(awaited: Awaited, found: Found, source: SourceOptions) -> Due | None:
    """The run that what was found asks for; None if it asks for none.

    Args:
        awaited: How far the export is, `found` included.
        found: What the look has found.
        source: Of the export: so long nothing may have changed; so long the first segments of a refresh wait for
            the others, and a problem for its end.
    """
    patience = timedelta(minutes=source.wait_minutes)
    if found.problem is not None:
        since = awaited.seen_since
        return (
            None
            if since is None or awaited.told == found.digest
            else Due(since=since, at=since + max(patience, source.settle))
        )
    new = [extract for extract in found.extracts if extract.delivered_at > awaited.until]
    if not new:
        return None
    is_whole = len(new) == len(found.extracts)
    came = [extract.delivered_at for extract in new]
    calm = max(extract.settled_at(source) for extract in new)
    return Due(since=max(came), at=calm if is_whole else max(calm, min(came) + patience))


def with_run(awaited: Awaited, found: Found, due: Due) -> Awaited:
    """How far the export is once the run has started."""
    if found.problem is not None:
        return awaited.model_copy(update={"told": found.digest})
    return awaited.model_copy(update={"until": max(awaited.until, due.since)})
