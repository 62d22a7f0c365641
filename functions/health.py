"""Whether the app is well: its settings, its storage, its timers."""

from __future__ import annotations

import functools
import os
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import azure.functions as func

from functions.answers import Health, answer
from functions.operations import Answer, open_to_all
from functions.wiring import get_http_services
from shared import __version__
from shared.errors import SettingsError, StorageUnavailableError
from shared.settings import host_problems, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

blueprint = func.Blueprint()
route = functools.partial(blueprint.route, trigger_arg_name="request")

UP_SINCE = datetime.now(UTC)
"""When this process was started."""


WELL: Final = Answer(description="Everything runs that has to.", model=Health)
UNWELL: Final = Answer(
    description="Something does not; problems says what.", model=Health, headers=("Retry-After",)
)
RETRY_AFTER: Final = "30"
"""Seconds after which it is worth to ask again: timers tick so often."""


@route("api/health", methods=["GET", "HEAD"], auth_level=func.AuthLevel.ANONYMOUS)
@open_to_all("health", answers={200: WELL, 503: UNWELL})
def get_health(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the host passes it
    """Whether everything that has to run does: 503 with what is wrong where it does not."""
    problems = list(_problems())
    status = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
    health = Health(status="degraded" if problems else "ok", version=__version__, problems=tuple(problems) or None)
    headers = {"Retry_After": RETRY_AFTER} if problems else {}
    return answer(health, status=status, exclude_none=True, **headers)


def _problems() -> Iterator[str]:
    wrong = list(host_problems(os.environ))
    yield from wrong
    try:
        read_settings(os.environ)
    except SettingsError as error:
        yield str(error)
        return
    from shared.runs.look_out import late_look
    from shared.runs.pulse import TIMERS, missed

    try:
        store = get_http_services().store
        now = datetime.now(UTC)
        yield from filter(None, (missed(store, timer, now=now, up_since=UP_SINCE) for timer in TIMERS))
        yield from filter(None, [late_look(store, now)])
    except (SettingsError, StorageUnavailableError) as error:
        yield str(error)
