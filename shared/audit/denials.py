"""Denials, folded: who asks for the same in vain again and again fills no storage."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from shared.limits import DENIALS_FOLDED

if TYPE_CHECKING:
    from datetime import datetime

    from shared.model.audit import AuditedRequest

WINDOW: Final = timedelta(seconds=DENIALS_FOLDED)


@dataclass(frozen=True, kw_only=True)
class Denied:
    """Requests of one caller for one operation that were denied."""

    request: AuditedRequest
    """The last of them."""
    status: int
    """The answer to it."""
    count: int


@dataclass(kw_only=True)
class _Window:
    ends_at: datetime
    repeated: Denied | None = None


class Denials:
    """Tells of the first denial at once, and of those that follow it within a minute in one."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], _Window] = {}
        self._lock = threading.Lock()

    def add(self, request: AuditedRequest, status: int, now: datetime) -> bool:
        """Whether this denial is to be told now; otherwise `take_due` has it among others later."""
        key = (request.caller.id, request.operation)
        with self._lock:
            window = self._windows.get(key)
            if window is None:
                self._windows[key] = _Window(ends_at=now + WINDOW)
                return True
            count = window.repeated.count if window.repeated else 0
            window.repeated = Denied(request=request, status=status, count=count + 1)
            return False

    def take_due(self, now: datetime) -> list[Denied]:
        """The denials whose minute is over, each once. One that goes on has a new minute."""
        with self._lock:
            over = {key: window for key, window in self._windows.items() if window.ends_at <= now}
            for key, window in over.items():
                if window.repeated is None:
                    del self._windows[key]
                else:
                    self._windows[key] = _Window(ends_at=now + WINDOW)
        return [window.repeated for window in over.values() if window.repeated]
