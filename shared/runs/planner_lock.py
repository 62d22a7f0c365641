"""One planner at a time: it uses the instance's whole core and much of its memory."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_PLANNER: Final = threading.Lock()


def one_planner() -> AbstractContextManager[object]:
    """Held while planning."""
    return _PLANNER
