"""How many previews are under way at a time: each holds a thread of the instance, and all want the one planner."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from typing import TYPE_CHECKING

from shared.errors import TooManyRequestsError
from shared.limits import PREVIEW_RETRY_AFTER, PREVIEWS_AT_ONCE, PREVIEWS_OF_A_CALLER

if TYPE_CHECKING:
    from collections.abc import Iterator


class PreviewGate:
    """Lets a few in, and fewer of one caller; whoever is not let in is told at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside: Counter[str] = Counter()

    @contextlib.contextmanager
    def entered(self, caller: str) -> Iterator[None]:
        """Held while a preview is made for `caller`. Raises TooManyRequestsError without any wait."""
        with self._lock:
            if self._inside[caller] >= PREVIEWS_OF_A_CALLER:
                message = "So many requests of yours read extracts already; wait for one of them."
                raise TooManyRequestsError(message, retry_after=PREVIEW_RETRY_AFTER)
            if self._inside.total() >= PREVIEWS_AT_ONCE:
                message = "So many requests read extracts already; ask again soon."
                raise TooManyRequestsError(message, retry_after=PREVIEW_RETRY_AFTER)
            self._inside[caller] += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside[caller] -= 1
                self._inside += Counter()  # forgets who is not inside any more
