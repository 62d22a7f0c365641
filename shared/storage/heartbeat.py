"""Signs of life of the processes that work on messages, so that the work of a dead one is taken up soon.

A process that works writes a blob of its own every few seconds. Whose blob is old is dead, unless storage was away
for the others, too: nobody is believed dead by a process that could not write its own sign a moment ago.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.errors import ExportError
from shared.limits import DEAD_AFTER, HEARTBEAT
from shared.storage.layout import heartbeat_blob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from shared.storage.interfaces import Blobs


class Heartbeat:
    """This process's signs of life, and what those of others say."""

    def __init__(self, blobs: Blobs, clock: Callable[[], datetime]) -> None:
        self.process = uuid.uuid4().hex[:12]
        """Name of this process."""
        self._blobs = blobs
        self._clock = clock
        self._lock = threading.Lock()
        self._working = 0
        self._beaten_at: datetime | None = None
        self._steady_since: datetime | None = None
        """Since when every sign could be written, with no long time between two."""

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Held while a message is worked on; begins with a sign of life if the last one is old."""
        with self._lock:
            self._working += 1
        try:
            self.beat()
            yield
        finally:
            with self._lock:
                self._working -= 1

    @property
    def is_working(self) -> bool:
        """Whether this process has work in hand."""
        return self._working > 0

    def beat(self) -> None:
        """Write a sign of life if the last one is old. A storage that is away costs the sign, not the work."""
        with self._lock:
            now, last = self._clock(), self._beaten_at
            if last is not None and now - last < timedelta(seconds=HEARTBEAT):
                return
            self._beaten_at = now
            if last is None or now - last > timedelta(seconds=DEAD_AFTER):
                self._steady_since = None
        try:
            self._blobs.upsert(heartbeat_blob(self.process), b"")
        except ExportError:
            self._steady_since = None
        else:
            self._steady_since = self._steady_since or now

    def is_gone(self, process: str) -> bool:
        """Whether a process is dead for certain."""
        if not process or process == self.process or not self._can_judge():
            return False
        dead_since = self._clock() - timedelta(seconds=DEAD_AFTER)
        return all(item.modified < dead_since for item in self._blobs.list_blobs(heartbeat_blob(process)))

    def silence(self, process: str) -> timedelta | None:
        """How long ago a process showed its last sign of life; None when there is none."""
        signs = [item.modified for item in self._blobs.list_blobs(heartbeat_blob(process))]
        return self._clock() - max(signs) if signs else None

    def _can_judge(self) -> bool:
        """Whether the others could have written a sign of life lately, had they been alive."""
        steady = self._steady_since
        return steady is not None and self._clock() - steady >= timedelta(seconds=HEARTBEAT)


def keep_beating(heartbeat: Heartbeat) -> None:
    """Write signs of life from a thread of their own while there is work, for as long as the process lives."""
    wake = threading.Event()

    def beat() -> None:
        while not wake.wait(HEARTBEAT / 3):
            if heartbeat.is_working:
                heartbeat.beat()

    threading.Thread(target=beat, name="heartbeat", daemon=True).start()
