"""One planner at a time: it uses the instance's whole core and much of its memory."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final

from shared.errors import PlannerBusyError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLANNER: Final = threading.Lock()


@contextlib.contextmanager
def one_planner(*, wait: bool = True) -> Iterator[None]:
    """Held while planning. Raises PlannerBusyError when another plan is made here and this one is not to wait."""
    if not _PLANNER.acquire(blocking=wait):
        raise PlannerBusyError("another plan is being made here")
    try:
        yield
    finally:
        _PLANNER.release()


def require_idle_planner() -> None:
    """Raise PlannerBusyError while a plan is made here: what comes before the plan need not be done in vain."""
    if _PLANNER.locked():
        raise PlannerBusyError("another plan is being made here")
