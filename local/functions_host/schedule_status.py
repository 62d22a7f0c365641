"""When a timer last fired and fires next, remembered across restarts.

Follows ScheduleMonitor and StorageScheduleMonitor of the timer extension
(https://github.com/Azure/azure-webjobs-sdk-extensions, src/WebJobs.Extensions/Extensions/Timers/Scheduling).
"""

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import ContainerClient

from local.functions_host.ncrontab import Interval, Schedule

HOST_ID = "local"
NEVER = datetime.min.replace(tzinfo=UTC)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ScheduleStatus:
    """The moments the host keeps for a timer; ``last`` is NEVER before the first run."""

    last: datetime
    next: datetime
    last_updated: datetime

    @classmethod
    def from_json(cls, text: str | bytes) -> "ScheduleStatus":
        """Read what was stored.

        Raises:
            ValueError: it is not a stored status.
        """
        content = json.loads(text)
        if not isinstance(content, dict):
            raise ValueError("a schedule status is a JSON object")  # noqa: TRY004  # one kind of error for the caller
        names = ("Last", "Next", "LastUpdated")
        last, following, updated = (_read_moment(content.get(name)) for name in names)
        return cls(last=last, next=following, last_updated=updated)

    def as_dict(self) -> dict[str, str]:
        """Return it the way it is stored and told to functions."""
        moments = {"Last": self.last, "Next": self.next, "LastUpdated": self.last_updated}
        return {name: moment.isoformat() for name, moment in moments.items()}


def _read_moment(value: Any) -> datetime:  # noqa: ANN401  # whatever the blob holds
    moment = datetime.fromisoformat(value) if isinstance(value, str) else NEVER
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Resumption:
    """How a timer goes on after a start: its status, and whether it missed at least one occurrence."""

    status: ScheduleStatus
    is_past_due: bool
    is_changed: bool


def resume(stored: ScheduleStatus | None, schedule: Schedule | Interval, now: datetime) -> Resumption:
    """Decide how a timer goes on.

    A timer seen for the first time starts at ``now``. One whose next occurrence lies behind is past due,
    unless the schedule was changed in the meantime: then it starts anew.
    """
    if stored is None:
        fresh = ScheduleStatus(last=NEVER, next=schedule.next_after(now), last_updated=now)
        return Resumption(status=fresh, is_past_due=False, is_changed=True)
    base = stored.last_updated if stored.last == NEVER else stored.last
    expected = schedule.next_after(now if base == NEVER else base)
    if expected == stored.next:
        return Resumption(status=stored, is_past_due=now > stored.next, is_changed=False)
    if now > expected:
        base, expected = now, schedule.next_after(now)
    changed = ScheduleStatus(last=NEVER, next=expected, last_updated=base)
    return Resumption(status=changed, is_past_due=False, is_changed=True)


class StatusStore:
    """Keeps the status of one timer in a blob; a fault of the storage is logged and otherwise ignored."""

    def __init__(self, container: ContainerClient, function_name: str) -> None:
        """Take the container of the hosts and the function whose timer it is."""
        self._container = container
        self._blob = container.get_blob_client(f"timers/{HOST_ID}/{function_name}/status")

    def read(self) -> ScheduleStatus | None:
        """Return the stored status, or None when there is none that can be read."""
        try:
            return ScheduleStatus.from_json(self._blob.download_blob().readall())
        except ResourceNotFoundError:
            return None
        except (AzureError, ValueError):
            logger.warning("The status of a timer cannot be read: %s", self._blob.blob_name, exc_info=True)
            return None

    def write(self, status: ScheduleStatus) -> None:
        """Store a status."""
        content = json.dumps(status.as_dict())
        try:
            try:
                self._blob.upload_blob(content, overwrite=True)
            except ResourceNotFoundError:
                self._create_container()
                self._blob.upload_blob(content, overwrite=True)
        except AzureError:
            logger.warning("The status of a timer cannot be stored: %s", self._blob.blob_name, exc_info=True)

    def _create_container(self) -> None:
        try:
            self._container.create_container()
        except ResourceExistsError:
            return
