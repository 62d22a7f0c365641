"""The audit log in storage: blobs of JSON lines that only grow.

`{year}/{month}/{day}/{time}-{process}.jsonl`, all in UTC: a blob holds entries of one day, from the time in its
name on, written by one process, in the order of their times. So names sort by time, no two writers ever meet in a
blob, and a writer that got no answer can tell whether its lines arrived. A blob is left for a new one at midnight,
when it has many blocks, and when it does not end where its writer thinks.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from shared.errors import (
    BlobChangedError,
    BlobExistsError,
    BlobMissingError,
    ExportError,
    SettingsError,
    StorageUnavailableError,
)
from shared.limits import APPEND_BLOCKS_MAX

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from shared.model.audit import AuditEntry
    from shared.storage.interfaces import AppendBlobs

TICK: Final = timedelta(microseconds=1)


def day_folder(moment: datetime) -> str:
    """Where the entries of a day are, with the closing slash; `moment` is in UTC."""
    return f"{moment:%Y/%m/%d}/"


def blob_name(moment: datetime, process: str) -> str:
    """Name of the blob that a process begins at a moment, in UTC."""
    return f"{day_folder(moment)}{moment:%H%M%S%f}-{process}.jsonl"


def serialize_entry(entry: AuditEntry) -> bytes:
    """The entry as a line; its time comes first."""
    return entry.model_dump_json(exclude_none=True).encode() + b"\n"


@dataclass(kw_only=True)
class _Batch:
    """Entries that are written together, and how that ended."""

    entries: list[AuditEntry] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    error: ExportError | None = field(default_factory=lambda: StorageUnavailableError("the writing was cut off"))
    """None once all are written."""


@dataclass(kw_only=True)
class _Open:
    """The blob that is being written."""

    name: str
    day: str
    size: int = 0
    blocks: int = 0


class AuditLog:
    """This process's part of the log. Any number of threads may write.

    While one append is under way, the entries of other threads gather, and the first of these threads writes them
    all: a caller waits for two appends at most, however many call.
    """

    def __init__(self, blobs: AppendBlobs, clock: Callable[[], datetime], process: str) -> None:
        """`clock` tells the time in UTC; `process` is a name that no other process has."""
        self._blobs = blobs
        self._clock = clock
        self._process = process
        self._last: datetime | None = None
        self._batch = _Batch()
        self._gathering = threading.Lock()
        self._writing = threading.Lock()
        self._open: _Open | None = None

    def write(self, entry: AuditEntry) -> None:
        """Write an entry down under the time of now; when this returns, storage has it.

        Raises StorageUnavailableError, after which it may be there or not, and SettingsError.
        """
        with self._gathering:
            batch = self._batch
            batch.entries.append(entry.model_copy(update={"time": self._next_time()}))
            is_first = len(batch.entries) == 1
        if is_first:
            with self._writing:
                self._write(batch)
        else:
            batch.over.wait()
        if isinstance(batch.error, SettingsError):
            raise batch.error
        if batch.error is not None:
            raise StorageUnavailableError(f"The audit log cannot be written: {batch.error}") from batch.error

    def _next_time(self) -> datetime:
        """The time of now, but later than every one before: entries of a blob have an order."""
        now = self._clock()
        self._last = now if self._last is None or now > self._last else self._last + TICK
        return self._last

    def _write(self, batch: _Batch) -> None:
        with self._gathering:
            self._batch = _Batch()
        try:
            for _, entries in itertools.groupby(batch.entries, key=lambda entry: day_folder(entry.time)):
                self._append(list(entries))
            batch.error = None
        except ExportError as error:
            batch.error = error
        finally:
            batch.over.set()

    def _append(self, entries: list[AuditEntry]) -> None:
        """Append entries of one day as one block: they are as many as threads, of a kilobyte each."""
        lines = b"".join(map(serialize_entry, entries))
        first = entries[0].time
        opened = self._opened(first)
        try:
            self._blobs.append(opened.name, lines, offset=opened.size)
        except (BlobMissingError, BlobChangedError):
            # somebody else removed it or wrote into it, or an append that was given up came through after all
            opened = self._new(first)
            self._blobs.append(opened.name, lines, offset=0)
        opened.size += len(lines)
        opened.blocks += 1

    def _opened(self, moment: datetime) -> _Open:
        """The blob for entries of a moment, made if need be."""
        opened = self._open
        if opened is None or opened.day != day_folder(moment) or opened.blocks >= APPEND_BLOCKS_MAX:
            return self._new(moment)
        return opened

    def _new(self, moment: datetime) -> _Open:
        """A new blob, of which this process alone knows the name."""
        name = blob_name(moment, self._process)
        try:
            self._blobs.create_growing(name)
        except BlobExistsError:  # made by a call whose answer was lost
            pass
        except BlobMissingError as error:
            raise SettingsError(
                "The container of the audit log does not exist: create it, or correct AUDIT_CONTAINER."
            ) from error
        self._open = _Open(name=name, day=day_folder(moment))
        return self._open
