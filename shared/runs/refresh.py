"""Start every export that follows the refresh, on demand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.definitions.manage import list_connections, list_exports
from shared.model.definitions import FollowRefresh
from shared.model.runs import Run, StartedRequest, Trigger
from shared.runs.start import new_run_id, start
from shared.runs.start_once import StartRequest, note_request
from shared.runs.views import find_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shared.model.definitions import Actor, Export, Saved
    from shared.services import Services

EVERY_EXPORT: Final = "_all"
"""In place of an export's id, which has no underscore."""


@dataclass(frozen=True, kw_only=True)
class StartedRefresh:
    """The runs of a refresh, by export."""

    runs: tuple[Run, ...]
    is_replay: bool
    """Whether it was asked for before, under the same key."""


def start_refresh(
    services: Services, *, by: Actor, operation: str, idempotency_key: str | None = None
) -> StartedRefresh:
    """Start a run of every enabled export with a connection that follows the refresh; all have the same id.

    Asked again under the same key, what was cut off is gone on with: exports that were saved since are left out.

    Raises IdempotencyMismatchError when the key was sent with another request.
    """
    noted, is_new = StartedRequest(run=new_run_id(services)), True
    if idempotency_key is not None:
        request = StartRequest(export=EVERY_EXPORT, export_uid="", by=by, operation=operation, key=idempotency_key)
        noted, is_new = note_request(services, request)
    uids = {saved.id: saved.uid for saved in list_connections(services)}
    runs = tuple(
        start(services, _run(services, saved, noted.run, by, uids))
        for saved in _followers(services)
        if is_new or _was_meant(services, saved, noted)
    )
    return StartedRefresh(runs=runs, is_replay=not is_new)


def _followers(services: Services) -> Iterator[Saved[Export]]:
    for saved in list_exports(services):
        export = saved.definition
        if export.enabled and export.connection is not None and isinstance(export.schedule, FollowRefresh):
            yield saved


def _was_meant(services: Services, saved: Saved[Export], noted: StartedRequest) -> bool:
    """Whether the export was as it is now when the request was made, or was started by it."""
    is_older = noted.asked_at is not None and saved.updated_at <= noted.asked_at
    return is_older or find_run(services, saved.id, noted.run) is not None


def _run(services: Services, saved: Saved[Export], run_id: str, by: Actor, uids: Mapping[str, str]) -> Run:
    """A run of the export, not started yet; `uids` are those of the connections that are there."""
    connection = saved.definition.connection
    return Run(
        id=run_id,
        export=saved.id,
        trigger=Trigger.ON_DEMAND,
        export_uid=saved.uid,
        connection=connection,
        connection_uid=uids.get(connection or ""),
        requested_by=by.name,
        acts_for=by,
        created_at=services.clock(),
    )
