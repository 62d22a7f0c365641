"""One planner at a time: it uses the instance's whole core and much of its memory."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final

from shared.errors import PlannerBusyError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLANNER: Final = threading.Lock()


FOR_EVER: Final = -1.0


@contextlib.contextmanager
def one_planner(*, wait: float = FOR_EVER) -> Iterator[None]:
    """Held while planning.

    Raises PlannerBusyError when another plan is made here and does not end within `wait` seconds.
    """
    if not _PLANNER.acquire(timeout=wait):
        raise PlannerBusyError("another plan is being made here")
    try:
        yield
    finally:
        _PLANNER.release()


def require_idle_planner() -> None:
    """Raise PlannerBusyError while a plan is made here: what comes before the plan need not be done in vain."""
    if _PLANNER.locked():
        raise PlannerBusyError("another plan is being made here")
