"""Timer triggers: wait, run the function, remember.

Follows TimerListener of the timer extension (https://github.com/Azure/azure-webjobs-sdk-extensions).
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from local.functions_host.ncrontab import Interval, Schedule
from local.functions_host.protos import TypedData
from local.functions_host.schedule_status import ScheduleStatus, StatusStore, resume
from local.functions_host.timer_lease import TimerLease

# A long wait is cut in pieces, lest a clock set anew meanwhile goes unnoticed.
LONGEST_NAP_SECONDS = 60.0


def timer_payload(status: ScheduleStatus | None, *, is_past_due: bool = False) -> TypedData:
    """Return what a function is told about its timer."""
    return TypedData(
        json=json.dumps(
            {
                "Schedule": {"AdjustForDST": True},
                "ScheduleStatus": status.as_dict() if status else None,
                "IsPastDue": is_past_due,
            }
        )
    )


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class TimerListener:
    """Runs one function by its schedule, one run at a time; how a run ends makes no difference."""

    def __init__(
        self,
        *,
        schedule: Schedule | Interval,
        store: StatusStore | None,
        run_on_startup: bool,
        run: Callable[[TypedData], Awaitable[object]],
        lease: TimerLease | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Take the schedule and what to do when it is time.

        Without a store nothing is ever past due; without a lease every host runs the timer.
        """
        self._lease = lease
        self._schedule = schedule
        self._store = store
        self._run_on_startup = run_on_startup
        self._run = run
        self._clock = clock
        self._stopping = asyncio.Event()

    async def listen(self) -> None:
        """Run the function when it is time, until stopped; returns when a run under way is done, too.

        Raises:
            HostEndError: the storage refuses the lease.
        """
        while self._lease is not None and not self._stopping.is_set():
            if await asyncio.to_thread(self._lease.acquire):
                await self._listen_with(self._lease)
            else:
                await self._nap(self._lease.seconds)
        if self._lease is None:
            await self._listen()

    async def _listen_with(self, lease: TimerLease) -> None:
        """Run the timer for as long as the lease is this host's."""
        listening = asyncio.create_task(self._listen())
        try:
            while not listening.done():
                await asyncio.wait({listening}, timeout=lease.seconds / 2)
                if not listening.done() and not await asyncio.to_thread(lease.renew):
                    listening.cancel()
                    return
            listening.result()
        finally:
            listening.cancel()
            await asyncio.to_thread(lease.release)

    async def _nap(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _listen(self) -> None:
        status, is_past_due = await self._resume()
        if is_past_due or self._run_on_startup:
            status = await self._fire(status, is_past_due=is_past_due, is_scheduled=False)
        while not await self._is_stopped_before(status.next):
            status = await self._fire(status, is_past_due=False, is_scheduled=True)

    def stop(self) -> None:
        """Start no more runs."""
        self._stopping.set()

    async def _resume(self) -> tuple[ScheduleStatus, bool]:
        stored = await asyncio.to_thread(self._store.read) if self._store else None
        resumption = resume(stored, self._schedule, self._clock())
        if self._store and resumption.is_changed:
            await asyncio.to_thread(self._store.write, resumption.status)
        return resumption.status, resumption.is_past_due

    async def _is_stopped_before(self, moment: datetime) -> bool:
        while (left := (moment - self._clock()).total_seconds()) > 0 and not self._stopping.is_set():
            await self._nap(min(left, LONGEST_NAP_SECONDS))
        return self._stopping.is_set()

    async def _fire(self, status: ScheduleStatus, *, is_past_due: bool, is_scheduled: bool) -> ScheduleStatus:
        fired_at = max(self._clock(), status.next) if is_scheduled else self._clock()
        await self._run(timer_payload(status if self._store else None, is_past_due=is_past_due))
        # Counted from the start of the run: of the occurrences it outlasts, one is made up for, at once.
        following = self._schedule.next_after(fired_at)
        updated = ScheduleStatus(last=fired_at, next=following, last_updated=fired_at)
        if self._store:
            await asyncio.to_thread(self._store.write, updated)
        return updated
