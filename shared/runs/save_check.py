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
from shared.runs.found_extracts import find_extracts
from shared.runs.planner_lock import one_planner
from shared.runs.preview import FirstRows
from shared.sendgrid.preflight import check_sendgrid
from shared.storage.bounded import BoundedBlobs
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.definitions.resolve import ExportWithConnection
    from shared.services import Services

THREADS: Final = 4
"""At work at a time; whoever finds none free is told that it was not looked at."""
ROWS: Final = 1
"""Read of an extract: columns are found or not before the first."""
LOOKED_AT: Final = {"extracts": "The extracts", "sendgrid": "The list and the custom fields at SendGrid"}


@functools.cache
def _pool() -> ThreadPoolExecutor:
    """Of the process: what runs over its time goes on to its own deadline, and must not become more and more."""
    return ThreadPoolExecutor(THREADS, thread_name_prefix="save-check")


def check_saved(services: Services, job: ExportWithConnection) -> list[ExportWarning]:
    """What will hinder a run of the export as it is saved now. Raises nothing."""
    checks: dict[str, Callable[[ExportWithConnection], None]] = {
        "extracts": lambda job: _check_extracts(services, job),
        "sendgrid": lambda job: _check_sendgrid(services, job),
    }
    running = {name: _pool().submit(_warning, name, check, job) for name, check in checks.items()}
    wait(running.values(), timeout=SAVE_CHECK_SECONDS)
    for each in running.values():
        each.cancel()  # what has not begun must not begin for nobody
    found = (
        each.result() if each.done() and not each.cancelled() else not_checked(name)
        for name, each in running.items()
    )
    return [warning for warning in found if warning is not None]


def _warning(
    name: str, check: Callable[[ExportWithConnection], None], job: ExportWithConnection
) -> ExportWarning | None:
    """What the check finds; the reason for which a run would end, if any."""
    try:
        check(job)
    except RunEndError as error:
        return ExportWarning(code=error.reason.code, message=error.reason.message)
    except Exception as error:  # noqa: BLE001 - whatever it is, the export is saved; its text may hold data
        log_event(Event.SAVE_CHECK_FAILED, level=logging.WARNING, export=job.id, error=type(error).__name__)
        return not_checked(name)
    return None


def not_checked(name: str) -> ExportWarning:
    """A warning that something of LOOKED_AT was not looked at."""
    return ExportWarning(
        code=WarningCode.NOT_CHECKED, message=f"{LOOKED_AT[name]} could not be looked at in time."
    )


def _check_extracts(services: Services, job: ExportWithConnection) -> None:
    """Raises RunEndError where a segment has no extract, or the extract not the columns of the mapping.

    Of which kind custom fields are, SendGrid is asked elsewhere; for the columns it does not matter.
    """
    from shared.planning.plan import plan

    extracts, mapping = find_extracts(services, job), job.export.mapping
    assumed = {
        name: CustomField(id=f"c{number}_T", type="Text") for number, name in enumerate(mapping.custom_fields)
    }
    with one_planner(wait=SAVE_CHECK_SECONDS / 2):
        plan(
            extracts,
            mapping,
            blobs=BoundedBlobs(services.extracts, size=PREVIEW_BYTES, seconds=SAVE_CHECK_SECONDS, advice=""),
            sink=FirstRows(),
            custom_fields=assumed,
            rows=ROWS,
        )


def _check_sendgrid(services: Services, job: ExportWithConnection) -> None:
    """Raises RunEndError where SendGrid does not take the key, or has no such list or custom field."""
    check_sendgrid(services.sendgrid, job.account, job.export, attempt=1)
