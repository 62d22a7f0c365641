"""Look, as an export is saved, at what its runs would find: its extracts and columns, its list and custom fields.

What is found are the reasons for which a run would end. Nothing is stored, and nothing keeps an export from being
saved: what does not answer within SAVE_CHECK_SECONDS is not looked at.
"""

from __future__ import annotations

import functools
import logging
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

from shared.errors import RunEndError
from shared.limits import PREVIEW_BYTES, SAVE_CHECK_SECONDS
from shared.model.definitions import CustomField
from shared.model.warning_codes import ExportWarning, WarningCode
from shared.runs.found_extracts import find_newest
from shared.runs.planner_lock import one_planner
from shared.runs.preview import FirstRows
from shared.sendgrid.preflight import check_sendgrid
from shared.storage.bounded import BoundedBlobs
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from shared.definitions.resolve import ExportWithConnection
    from shared.extracts.extract import Extract
    from shared.model.definitions import FieldMapping
    from shared.services import Services
    from shared.storage.interfaces import ReadableBlobs

THREADS: Final = 4
"""At work at a time; whoever finds none free is told that it was not looked at."""
ROWS: Final = 1
"""Read of each extract: columns are found or not before the first."""
LOOKED_AT: Final = {"extracts": "The extracts", "sendgrid": "The list and the custom fields at SendGrid"}


@functools.cache
def _pool() -> ThreadPoolExecutor:
    """Of the process: what runs over its time goes on to its own deadline, and must not become more and more."""
    return ThreadPoolExecutor(THREADS, thread_name_prefix="save-check")


def check_saved(services: Services, job: ExportWithConnection) -> list[ExportWarning]:
    """What will hinder a run of the export as it is saved now. Raises nothing."""
    checks: dict[str, Callable[[ExportWithConnection], Iterable[RunEndError]]] = {
        "extracts": lambda job: _check_extracts(services, job),
        "sendgrid": lambda job: _check_sendgrid(services, job),
    }
    running = {name: _pool().submit(_warnings, name, check, job) for name, check in checks.items()}
    wait(running.values(), timeout=SAVE_CHECK_SECONDS)
    for each in running.values():
        each.cancel()  # what has not begun must not begin for nobody
    found = (
        each.result() if each.done() and not each.cancelled() else [not_checked(name)]
        for name, each in running.items()
    )
    return [warning for warnings in found for warning in warnings]


def _warnings(
    name: str, check: Callable[[ExportWithConnection], Iterable[RunEndError]], job: ExportWithConnection
) -> list[ExportWarning]:
    """What the check finds: the reasons for which a run would end, until it cannot go on."""
    found: list[ExportWarning] = []
    try:
        for end in check(job):
            found.append(ExportWarning(code=end.reason.code, message=end.reason.message))  # noqa: PERF401 - what was found before an error counts
    except Exception as error:  # noqa: BLE001 - whatever it is, the export is saved; its text may hold data
        log_event(Event.SAVE_CHECK_FAILED, level=logging.WARNING, export=job.id, error=type(error).__name__)
        found.append(not_checked(name))
    return found


def not_checked(name: str) -> ExportWarning:
    """A warning that something of LOOKED_AT was not looked at."""
    return ExportWarning(
        code=WarningCode.NOT_CHECKED, message=f"{LOOKED_AT[name]} could not be looked at in time."
    )


def _check_extracts(services: Services, job: ExportWithConnection) -> Iterator[RunEndError]:
    """For each segment that has no extract, or whose extract has not the columns of the mapping, why not."""
    blobs = BoundedBlobs(services.extracts, size=PREVIEW_BYTES, seconds=SAVE_CHECK_SECONDS, advice="")
    with one_planner(wait=SAVE_CHECK_SECONDS / 2):
        for segment in job.export.segments:
            try:
                _look_at(find_newest(services, blobs, segment, job.export.source), job.export.mapping, blobs)
            except RunEndError as end:
                yield end


def _look_at(extract: Extract, mapping: FieldMapping, blobs: ReadableBlobs) -> None:
    """Raises RunEndError where the extract has not the columns of the mapping.

    Of which kind custom fields are, SendGrid is asked elsewhere; for the columns it does not matter.
    """
    from shared.planning.plan import plan

    assumed = {
        name: CustomField(id=f"c{number}_T", type="Text") for number, name in enumerate(mapping.custom_fields)
    }
    plan([extract], mapping, blobs=blobs, sink=FirstRows(), custom_fields=assumed, rows=ROWS)


def _check_sendgrid(services: Services, job: ExportWithConnection) -> Iterator[RunEndError]:
    """Why SendGrid does not take the key, or has no such list or custom field."""
    try:
        check_sendgrid(services.sendgrid, job.account, job.export, attempt=1)
    except RunEndError as end:
        yield end
