import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from local.functions_host.ncrontab import Schedule
from local.functions_host.protos import TypedData
from local.functions_host.schedule_status import ScheduleStatus, StatusStore
from local.functions_host.timer_listener import TimerListener

EVERY_MINUTE = Schedule.parse("0 * * * * *")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Memory:
    """Remembers a status as the blob does."""

    def __init__(self, status: ScheduleStatus | None) -> None:
        self.status = status

    def read(self) -> ScheduleStatus | None:
        return self.status

    def write(self, status: ScheduleStatus) -> None:
        self.status = status


class Timer:
    """A timer with a clock that stands still but for its runs, each of which takes some time."""

    def __init__(self, status: ScheduleStatus | None, durations: list[timedelta]) -> None:
        self.memory = Memory(status)
        self.now = NOON + timedelta(seconds=30)
        self.durations = durations
        self.payloads: list[dict[str, Any]] = []
        self.listener = TimerListener(
            schedule=EVERY_MINUTE,
            store=cast("StatusStore", self.memory),
            run_on_startup=False,
            run=self.run,
            clock=lambda: self.now,
        )

    async def run(self, payload: TypedData) -> None:
        self.payloads.append(json.loads(payload.json or ""))
        self.now += self.durations.pop(0)
        if not self.durations:
            self.listener.stop()

    def listen(self) -> None:
        asyncio.run(self.listener.listen())


def past_due() -> ScheduleStatus:
    last = NOON - timedelta(hours=1)
    return ScheduleStatus(last=last, next=last + timedelta(minutes=1), last_updated=last)


def test_a_past_due_timer_runs_once_and_goes_on_from_there() -> None:
    timer = Timer(past_due(), [timedelta(seconds=1)])
    timer.listen()
    assert [payload["IsPastDue"] for payload in timer.payloads] == [True]
    assert timer.memory.status is not None
    assert timer.memory.status.next == NOON + timedelta(minutes=1)


def test_of_the_occurrences_that_a_run_outlasts_one_is_made_up_for() -> None:
    timer = Timer(past_due(), [timedelta(minutes=5), timedelta(seconds=1)])
    timer.listen()
    assert [payload["IsPastDue"] for payload in timer.payloads] == [True, False]
    assert timer.memory.status is not None
    assert timer.memory.status.next == NOON + timedelta(minutes=6)


def test_the_function_is_told_the_status_before_its_run() -> None:
    timer = Timer(past_due(), [timedelta(seconds=1)])
    timer.listen()
    assert timer.payloads[0]["ScheduleStatus"] == past_due().as_dict()


def test_a_stopped_timer_starts_no_run() -> None:
    timer = Timer(None, [timedelta(seconds=1)])
    timer.listener.stop()
    timer.listen()
    assert timer.payloads == []
