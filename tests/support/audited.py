"""What the tests of the audit log write down and read back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from shared.audit import entries
from shared.audit.log import AuditLog
from shared.audit.query import AuditQuery
from shared.audit.read import read_audit
from shared.model.audit import AuditedRequest
from tests.support.factories import NOW, Clock

if TYPE_CHECKING:
    from datetime import datetime

    from shared.model.audit import AuditEntry
    from shared.storage.interfaces import AppendBlobs

ADA: Final = "0f8fad5b-d9cb-469f-a165-70867728950e"
"""Object id of the person who asks, unless the test says."""


def a_caller(**changes: object) -> dict[str, object]:
    return {"id": ADA, "kind": "person", "roles": ("Administrator",)} | changes


def a_request(**changes: object) -> AuditedRequest:
    usual = {
        "operation": "Exports.Save",
        "caller": a_caller(),
        "method": "PUT",
        "path": "/api/exports/{id}",
        "correlation_id": "c-1",
        "export": "loyal",
    }
    return AuditedRequest.model_validate(usual | changes)


def an_entry(
    correlation: str = "c-1", *, status: int = 200, time: datetime = NOW, **changes: object
) -> AuditEntry:
    return entries.outcome(a_request(correlation_id=correlation, **changes), time, status=status)


class Stepping(Clock):
    """A clock on which a second passes at every look."""

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def written(
    blobs: AppendBlobs, count: int, *, process: str = "p1", start: datetime = NOW, step: float = 1
) -> list[str]:
    """Write `count` entries, `step` seconds apart; their correlation ids, oldest first."""
    clock = Clock(start)
    log = AuditLog(blobs, clock, process)
    names = [f"{process}-{number}" for number in range(count)]
    for name in names:
        log.write(an_entry(name))
        clock.pass_(step)
    return names


def pages(blobs: AppendBlobs, **asked: object) -> list[list[str]]:
    """All pages of an answer, as correlation ids."""
    found: list[list[str]] = []
    cursor: str | None = None
    while not found or cursor is not None:
        page = read_audit(blobs, AuditQuery.model_validate({**asked, "cursor": cursor}))
        found.append([entry.correlation_id for entry in page.entries])
        cursor = page.cursor
    return found


def read_all(blobs: AppendBlobs, **asked: object) -> list[str]:
    """Correlation ids of all entries asked for, newest first."""
    return [name for page in pages(blobs, **asked) for name in page]
