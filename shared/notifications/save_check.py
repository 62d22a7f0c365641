"""Look, as a target is saved, at what will keep it from being told: its secret, its address, what it is for.

Nothing keeps it from being saved: what does not answer within SAVE_CHECK_SECONDS is not looked at.
"""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

from shared.errors import TransientError
from shared.limits import SAVE_CHECK_SECONDS
from shared.model.notification_codes import NotificationCode
from shared.model.warning_codes import ExportWarning, WarningCode
from shared.model.web_address import parse_web_address
from shared.storage.layout import connection_blob, export_blob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.model.notifications import NotificationTarget
    from shared.services import Services

THREADS: Final = 2
"""At work at a time; whoever finds none free is told that it was not looked at."""


@functools.cache
def _pool() -> ThreadPoolExecutor:
    """Of the process: what runs over its time goes on to its own deadline, and must not become more and more."""
    return ThreadPoolExecutor(THREADS, thread_name_prefix="target-check")


def check_target(services: Services, target: NotificationTarget) -> list[ExportWarning]:
    """What will keep the target from being told, as it is saved now."""
    checks: tuple[Callable[[Services, NotificationTarget], NotificationCode | None], ...] = (
        _check_secret,
        _check_address,
    )
    running = [_pool().submit(check, services, target) for check in checks]
    wait(running, timeout=SAVE_CHECK_SECONDS)
    for each in running:
        each.cancel()  # what has not begun must not begin for nobody
    is_known = [each.done() and not each.cancelled() and each.exception() is None for each in running]
    found = [each.result() for each, known in zip(running, is_known, strict=True) if known]
    told = [ExportWarning(code=code, message=f"{code.meaning} {code.action}") for code in found if code]
    if not all(is_known):
        message = "The signing secret, or the address, could not be looked at in time."
        told.append(ExportWarning(code=WarningCode.NOT_CHECKED, message=message))
    return [*told, *_missing(services, target)]


def _check_secret(services: Services, target: NotificationTarget) -> NotificationCode | None:
    return None if services.webhooks.secrets.keys(target.secret_name) else NotificationCode.SECRET_UNAVAILABLE


def _check_address(services: Services, target: NotificationTarget) -> NotificationCode | None:
    address = parse_web_address(target.url)
    found = NotificationCode.TARGET_NOT_ALLOWED if address is None else services.webhooks.client.look_up(address)
    return found if isinstance(found, NotificationCode) else None


def _missing(services: Services, target: NotificationTarget) -> Iterator[ExportWarning]:
    """What it is for and is not there."""
    named = [("connection", each, connection_blob(each)) for each in target.connections or ()]
    named += [("export", each, export_blob(each)) for each in target.exports or ()]
    for kind, identity, blob in named:
        try:
            is_there = any(item.name == blob for item in services.store.blobs.list_blobs(blob))
        except TransientError:
            return
        if not is_there:
            message = f"There is no {kind} {identity}: nothing is told of it."
            yield ExportWarning(code=WarningCode.NAMES_NOTHING, message=message)
