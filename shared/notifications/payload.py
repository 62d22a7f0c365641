"""What a target is told, as JSON. Pure.

It has the three members of Standard Webhooks. A member of `data` that is not so of this type is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import AwareDatetime, Field

from shared.model.documents import Document
from shared.model.notifications import NoticeType
from shared.model.reasons import RunStatus
from shared.model.runs import Trigger

if TYPE_CHECKING:
    from shared.model.notifications import Notice


class Links(Document):
    """Where to look; each asks for a key or token, as all of the API does."""

    export: str | None = None
    run: str | None = None
    report: str | None = None


class NotificationData(Document):
    """Of what happened: ids, codes and counts."""

    export: str | None = None
    connection: str | None = None
    run: str | None = None
    trigger: Trigger | None = None
    status: RunStatus | None = None
    reason: str | None = None
    """A code of docs/errors.md; `GET /api/reasons` explains it."""
    since: AwareDatetime | None = None
    """Since when it has been so."""
    counts: dict[str, int] = Field(default_factory=dict)
    links: Links = Links()


class NotificationBody(Document):
    """The body of a notification."""

    type: NoticeType
    timestamp: AwareDatetime
    """When it happened, which may be long before it arrives."""
    data: NotificationData


def body_of(notice: Notice, kind: NoticeType, *, app: str) -> bytes:
    """The notice as a target is told it; `app` is the address of the API, without a slash at its end."""
    own = notice.model_dump(include=set(NotificationData.model_fields))
    data = NotificationData(**own, links=_links(notice, app))
    body = NotificationBody(type=kind, timestamp=notice.at, data=data)
    return body.model_dump_json(exclude_none=True).encode()


def _links(notice: Notice, app: str) -> Links:
    if notice.export is None:
        return Links()
    export = f"{app}/api/exports/{notice.export}"
    run = f"{export}/runs/{notice.run}" if notice.run else None
    return Links(export=export, run=run, report=f"{run}/report" if run else None)
