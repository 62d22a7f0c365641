"""The ids of many leavers from one export of the list, for a search takes a hundred of them at a time.

The first removal's message that finds no look-up begins it, notes that, and follows it; the others wait. Whatever
goes wrong with it, or takes too long, the ids are searched.

The export is asked for after the plan was committed, so whom an earlier run has brought is in it if they are on
the list, as far as SendGrid can tell: who is not in it counts as absent, as with a search.
"""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn
from uuid import uuid4

from shared.errors import (
    BlobChangedError,
    BlobExistsError,
    FileGoneError,
    ListExportPendingError,
    PlannerBusyError,
    RunEndError,
    StorageUnavailableError,
    TransientError,
)
from shared.limits import (
    LIST_EXPORT_UNKNOWN,
    LOOK_UP_FROM,
    LOOK_UP_LOOK,
    LOOK_UP_PATIENCE,
    PLANNER_LOOK,
    POLL_FIRST,
)
from shared.model.look_up import LookUp
from shared.model.runs import ParquetBlob
from shared.runs.job_looks import export_wait
from shared.runs.planner_lock import one_planner
from shared.sendgrid.contact_exports import ExportState, find_list_export, start_list_export

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.runs.tasks import Task
    from shared.sendgrid.contact_exports import ContactExport
    from shared.services import Services
    from shared.storage.documents import Versioned

READERS: Final = 16
"""Blobs read at a time."""
CHUNKS_AT_ONCE: Final = 500


def is_looked_up(leavers: int) -> bool:
    """Whether an export of the list is quicker than searches for so many."""
    return leavers >= LOOK_UP_FROM


def find_leavers(services: Services, task: Task, *, attempt: int) -> ParquetBlob | None:
    """Where the ids of the leavers of the task's plan are; None where they are to be searched.

    Raises ListExportPendingError while they are not there yet.
    """
    if not is_looked_up(sum(chunk.contacts for chunk in task.plan.chunks if chunk.removal)):
        return None
    return _LookUpStep(services=services, task=task, attempt=attempt).found()


@dataclass(frozen=True, kw_only=True)
class _LookUpStep:
    """What one removal's message does for the look-up."""

    services: Services
    task: Task
    attempt: int
    """Of the message."""

    def found(self) -> ParquetBlob | None:
        """Where the ids are; None where they are to be searched. Raises ListExportPendingError."""
        noted = self._noted()
        look_up = noted.document
        age = (self.services.clock() - look_up.begun_at).total_seconds()
        if look_up.found is not None or look_up.given_up or age > LOOK_UP_PATIENCE:
            return look_up.found
        if look_up.chunk != self.task.chunk.number:
            raise ListExportPendingError(LOOK_UP_LOOK)
        try:
            return self._go_on(noted, age)
        except StorageUnavailableError:
            raise  # that is nobody's fault and has waits of its own
        except PlannerBusyError:
            wait = PLANNER_LOOK
        except TransientError as error:
            wait = max(error.retry_after or 0.0, export_wait(age))
        except (RunEndError, FileGoneError):
            self._note(noted, {"given_up": True})
            return None
        raise ListExportPendingError(wait)

    def _noted(self) -> Versioned[LookUp]:
        """The run's look-up, begun by this chunk if there is none."""
        services, name = self.services, self.task.blobs.look_up
        found = services.store.find(name, LookUp)
        if found is None:
            with contextlib.suppress(BlobExistsError):  # another chunk was faster
                services.store.create(name, LookUp(chunk=self.task.chunk.number, begun_at=services.clock()))
            found = services.store.get(name, LookUp)
        return found

    def _note(self, noted: Versioned[LookUp], changes: dict[str, object]) -> None:
        try:
            self.services.store.replace(
                self.task.blobs.look_up, noted.document.model_copy(update=changes), etag=noted.etag
            )
        except BlobChangedError:
            raise ListExportPendingError(POLL_FIRST) from None  # another message of this chunk goes on with it

    def _go_on(self, noted: Versioned[LookUp], age: float) -> ParquetBlob:
        """Take the next step. Raises ListExportPendingError, or what ends the look-up or puts it off."""
        gateway, export_id = self.services.sendgrid, noted.document.export_id
        if export_id is None:
            self._ask(noted)
        export = find_list_export(gateway, self.task.account, export_id, attempt=self.attempt)
        is_lost = export.state is ExportState.UNKNOWN and age > LIST_EXPORT_UNKNOWN
        if is_lost or export.state is ExportState.FAILURE:
            raise FileGoneError("SendGrid's export of the list failed")
        if export.state is not ExportState.READY:
            raise ListExportPendingError(export_wait(age))
        with one_planner(wait=False):
            found = self._find(export)
        self._note(noted, {"found": found})
        return found

    def _ask(self, noted: Versioned[LookUp]) -> NoReturn:
        """Ask for an export and note it at once; cut off in between another is asked for, which does no harm."""
        list_id = self.task.plan.list_id
        export_id = start_list_export(self.services.sendgrid, self.task.account, list_id, attempt=self.attempt)
        self._note(noted, {"export_id": export_id})
        raise ListExportPendingError(POLL_FIRST)

    def _find(self, export: ContactExport) -> ParquetBlob:
        from shared.planning.look_up import find_ids

        files = (self.services.sendgrid.read_file(url) for url in export.urls)
        data = find_ids(self._leavers(), files, contacts=export.contacts)
        blob = self.task.blobs.found_ids(self.task.plan.attempt, uuid4().hex[:12])
        return ParquetBlob(blob=blob, etag=self.services.store.blobs.upsert(blob, data), size=len(data))

    def _leavers(self) -> Iterator[bytes]:
        """The lines of all removals, some chunks at a time."""
        numbers = [chunk.number for chunk in self.task.plan.chunks if chunk.removal]
        with ThreadPoolExecutor(READERS, thread_name_prefix="read-leavers") as pool:
            for start in range(0, len(numbers), CHUNKS_AT_ONCE):
                yield b"".join(pool.map(self._lines, numbers[start : start + CHUNKS_AT_ONCE]))

    def _lines(self, number: int) -> bytes:
        return self.services.store.blobs.get(self.task.blobs.chunk(self.task.plan.attempt, number)).data
