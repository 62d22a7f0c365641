"""The HTTP API of schedules: when one would be due, before an export is saved with it."""

from __future__ import annotations

from datetime import UTC
from typing import Final
from zoneinfo import ZoneInfo

import azure.functions as func
from pydantic import AwareDatetime

from functions import bodies, requests
from functions.answers import answer
from functions.authorisation import Call, endpoint
from functions.operations import Answer, number, text
from shared.errors import FieldError, InvalidInputError
from shared.limits import CRON_MAX
from shared.model.definitions import FollowRefresh, Off, OnArrival, OwnSchedule, Schedule
from shared.model.documents import Document
from shared.runs.schedule import effective, next_times

blueprint = func.Blueprint()

KINDS: Final[dict[str, type[FollowRefresh | Off | OnArrival | OwnSchedule]]] = {
    "cron": OwnSchedule,
    "refresh": FollowRefresh,
    "arrival": OnArrival,
    "off": Off,
}
TIMES_MAX: Final = 50
TIMES_DEFAULT: Final = 5


class DueTime(Document):
    """A moment at which an export would be due."""

    utc: AwareDatetime
    local: AwareDatetime
    """The same in the schedule's time zone, with its offset then."""


class DueTimes(Document):
    """When an export with a schedule would be due."""

    schedule: OwnSchedule | None
    """What it comes down to, of the refresh, too; null where no clock starts it, or the refresh is off."""
    times: tuple[DueTime, ...]
    """The next ones, the first one first."""


@endpoint(
    blueprint,
    "GET",
    "schedules/next",
    answers={200: Answer(description="The next times.", model=DueTimes)},
    parameters=(
        text("kind", "As in the `schedule` of an export.", enum=[*KINDS], default="cron"),
        text("cron", "The expression, where the kind is cron.", maxLength=CRON_MAX),
        text("time_zone", "By IANA's name, where the kind is cron.", maxLength=100, default="UTC"),
        number("count", "How many.", most=TIMES_MAX, default=TIMES_DEFAULT),
    ),
)
def list_next_times(call: Call) -> func.HttpResponse:
    """The next times of a schedule, in UTC and by the clocks of its time zone; nothing is saved."""
    count = requests.whole_number(call.request, "count", default=TIMES_DEFAULT, most=TIMES_MAX)
    schedule = effective(_schedule(call.request), call.services.settings.refresh)
    if schedule is None:
        return answer(DueTimes(schedule=None, times=()))
    due = next_times(schedule, after=call.services.clock(), count=count)
    zone = ZoneInfo(schedule.time_zone)
    times = tuple(DueTime(utc=each.astimezone(UTC), local=each.astimezone(zone)) for each in due)
    return answer(DueTimes(schedule=schedule, times=times))


def _schedule(request: func.HttpRequest) -> Schedule:
    """The schedule that the parameters tell. Raises InvalidInputError naming each of them that has to change."""
    told = {name: request.params[name] for name in ("cron", "time_zone") if name in request.params}
    kind = request.params.get("kind", "cron")
    if kind not in KINDS:
        message = f"must be {', '.join(KINDS)}"
        raise InvalidInputError("The parameters are not valid.", FieldError(field="kind", message=message))
    return bodies.parameters(KINDS[kind], {"kind": kind, **told})
