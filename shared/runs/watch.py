"""Wait until a run changes, for those who would ask again and again otherwise.

Each wait holds a thread of the instance, so there are a few at a time; one look a second is one listing of names.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from shared.limits import WAIT_LOOK, WAITS_AT_ONCE
from shared.model.list_ready import ListReady
from shared.runs.views import get_run
from shared.storage.layout import RunBlobs

if TYPE_CHECKING:
    from shared.model.runs import Run
    from shared.services import Services


class Watch:
    """Lets a few wait at a time; who would be one more is not kept."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(WAITS_AT_ONCE)

    def wait(self, services: Services, export: str, run: str, *, seconds: int) -> bool:
        """Return when something of the run changes, when nothing more will, or after that time.

        A run that is over and whose list is looked after changes once more.

        False, and at once, where as many wait already as may. Raises NotFoundError.
        """
        if not self._places.acquire(blocking=False):
            return False
        try:
            _wait(services, RunBlobs(export=export, run=run), seconds)
        finally:
            self._places.release()
        return True


def _wait(services: Services, blobs: RunBlobs, seconds: int) -> None:
    end = time.monotonic() + seconds
    versions = _versions(services, blobs)
    before = get_run(services, blobs.export, blobs.run)
    for _ in range(seconds):
        left = end - time.monotonic()
        if _is_settled(before) or left <= 0:
            return
        time.sleep(min(WAIT_LOOK, left))
        if (now := _versions(services, blobs)) == versions:
            continue
        versions = now
        if _seen(get_run(services, blobs.export, blobs.run)) != _seen(before):
            return


def _versions(services: Services, blobs: RunBlobs) -> frozenset[str]:
    """Of everything that is stored of the run."""
    return frozenset(item.etag for item in services.store.blobs.list_blobs(blobs.folder))


def _is_settled(run: Run) -> bool:
    """Whether nothing of the run changes any more."""
    return run.status.is_terminal and run.list_ready is not ListReady.LOOKING


def _seen(run: Run) -> tuple[object, ...]:
    """What a change is seen by."""
    return run.status, run.counts, run.chunks, run.list_ready
