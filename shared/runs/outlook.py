"""What is to be expected of an export: how it went last, when it is due next, and what will hinder it.

It is told from what is stored; SendGrid and the extracts are not asked.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from shared.definitions.resolve import why_not_shared
from shared.model.arrival import Awaited
from shared.model.definitions import FollowRefresh
from shared.model.reason_codes import ReasonCode
from shared.model.runs import RunKind
from shared.model.warning_codes import ExportWarning, WarningCode
from shared.runs.schedule import effective, next_due
from shared.runs.views import find_run
from shared.storage.layout import awaited_blob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from shared.model.definitions import Connection, Export, OwnSchedule, Saved
    from shared.model.runs import Run
    from shared.services import Services

LAST_RUN_LOOKS: Final = 20
"""Runs that are looked at to find the last one; dry runs and those that the caller may not see do not count."""
LASTING: Final = frozenset(
    {
        ReasonCode.LIST_MISSING,
        ReasonCode.CUSTOM_FIELD_MISSING,
        ReasonCode.COLUMN_MISSING,
        ReasonCode.COLUMN_AMBIGUOUS,
        ReasonCode.EXTRACT_MISSING,
        ReasonCode.EXTRACT_AMBIGUOUS,
        ReasonCode.TOO_MANY_CONTACTS,
        ReasonCode.SECRET_MISSING,
        ReasonCode.SECRET_EMPTY,
        ReasonCode.SECRET_FORBIDDEN,
        ReasonCode.SECRET_MALFORMED,
        ReasonCode.KEY_REFUSED,
        ReasonCode.SCOPE_MISSING,
        ReasonCode.ADDRESS_NOT_ALLOWED,
        ReasonCode.ACCESS_WITHDRAWN,
    }
)
"""Reasons for which the next run ends, too, unless somebody changes something."""


def find_last_run(services: Services, export: str, *, shown: Callable[[Run], bool]) -> Run | None:
    """The newest run of an export that is `shown` and no dry run or adoption."""
    folders = services.store.blobs.list_level(f"runs/{export}/").folders
    ids = sorted((folder.rpartition("/")[2] for folder in folders), reverse=True)
    found = (find_run(services, export, run) for run in ids[:LAST_RUN_LOOKS])
    return next((run for run in found if run is not None and run.kind is RunKind.SEND and shown(run)), None)


def find_next_due(export: Export, refresh: OwnSchedule | None, now: datetime) -> datetime | None:
    """When the export is due next, in UTC; None where it runs on demand only, or not at all."""
    schedule = effective(export.schedule, refresh)
    if schedule is None or not export.enabled or export.connection is None:
        return None
    return next_due(schedule, after=now)


def tell_hindrances(
    export: Export, connection: Connection | None, refresh: OwnSchedule | None
) -> Iterator[ExportWarning]:
    """What the definitions themselves say."""
    if not export.enabled:
        yield _as_warning(ReasonCode.EXPORT_DISABLED, "The export is disabled: no run starts.")
    if export.connection is None:
        yield _as_warning(ReasonCode.EXPORT_DETACHED, "The export has no connection: no run starts.")
    elif connection is None:
        message = f"The connection {export.connection} does not exist."
        yield _as_warning(ReasonCode.CONNECTION_MISSING, message)
    elif connection.consent is None:
        message = f"The connection {export.connection} has no consent to the data transfer: no run starts."
        yield _as_warning(ReasonCode.CONSENT_MISSING, message)
    if connection is not None and (why := why_not_shared(connection, export)):
        yield _as_warning(ReasonCode.SEGMENT_NOT_SHARED, why)
    if isinstance(export.schedule, FollowRefresh) and refresh is None:
        yield _as_warning(WarningCode.REFRESH_OFF, WarningCode.REFRESH_OFF.meaning)


def tell_last_hindrance(
    run: Run | None, saved: Saved[Export], through: Saved[Connection] | None
) -> Iterator[ExportWarning]:
    """Why the last run ended, if the next one ends so, too, as long as neither definition has changed since."""
    if run is None or run.reason is None or run.reason.code not in LASTING:
        return
    changed = max(each.updated_at for each in (saved, through) if each is not None)
    if changed <= run.created_at:
        yield _as_warning(run.reason.code, f"The last run ended with: {run.reason.message}")


def tell_leavers(run: Run | None, export: Export) -> Iterator[ExportWarning]:
    """Who has left and stays on the list, and gets mail, until somebody decides about the last run."""
    if run is not None and run.removals_to_confirm and export.leavers == "remove":
        message = (
            f"{run.removals_to_confirm:,} leavers that the run {run.id} found are still on the list,"
            " until somebody confirms that they are to be taken off."
        )
        yield _as_warning(ReasonCode.REMOVALS_WITHHELD, message)


def find_awaited(services: Services, saved: Saved[Export]) -> Awaited | None:
    """How far an export is that waits for its extract; None if it does not."""
    if not saved.definition.is_awaiting:
        return None
    found = services.store.find(awaited_blob(saved.id), Awaited)
    is_its = found is not None and found.document.uid == saved.uid
    return found.document if found and is_its else Awaited.since(saved.updated_at, uid=saved.uid)


def waits_for(saved: Saved[Export], awaited: Awaited | None) -> str | None:
    """What starts the export next, as a sentence; None where that is not its extract."""
    if awaited is None:
        return None
    segments = ", ".join(saved.definition.segments)
    since = awaited.until + timedelta(seconds=1)  # the first whole second after it
    return f"A complete delivery of {segments}, since {since:%Y-%m-%dT%H:%M:%S}Z."


def tell_awaited(awaited: Awaited | None) -> Iterator[ExportWarning]:
    """Why the newest delivery does not start the export that waits for it."""
    if awaited is not None and awaited.problem is not None:
        yield _as_warning(awaited.problem.code, awaited.problem.message)


def _as_warning(code: str, message: str) -> ExportWarning:
    return ExportWarning(code=code, message=message)
