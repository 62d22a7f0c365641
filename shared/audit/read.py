"""Reads the audit log, newest entries first, a page at a time, whatever the size of a day.

Entries of a blob are in the order of their times (log.py). So each blob of a day is read backwards in ranges, from
where the page before ended, which is found by halving; and the blobs of a day are merged. In memory are a page and
a range of each blob of one day.
"""

from __future__ import annotations

import heapq
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from shared.audit.query import make_cursor
from shared.errors import BlobMissingError
from shared.limits import AUDIT_SCAN_MAX
from shared.model.audit import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.audit.query import AuditQuery, Position
    from shared.storage.interfaces import AppendBlobs, BlobItem

RANGE: Final = 64 << 10
"""Bytes that are read of a blob at first, and twice as many each time …"""
RANGE_MAX: Final = 1 << 20
"""… up to so many: a page needs little, and a search for what is rare not many calls."""
PROBE: Final = 8 << 10
"""Bytes that are read to see of which time a place in a blob is."""
NAME: Final = re.compile(r"(\d{4})/(\d{2})/(\d{2})/(\d{2})(\d{2})(\d{2})(\d{6})-[0-9A-Za-z]+\.jsonl", re.ASCII)
TIME: Final = re.compile(rb'\{"time":"([0-9T:.-]{26}Z)"')
"""Begin of every line."""

type Line = tuple[Position, AuditEntry]


@dataclass(frozen=True, kw_only=True)
class AuditPage:
    """Some entries, newest first."""

    entries: tuple[AuditEntry, ...]
    cursor: str | None
    """Where to go on; None at the end of the log. A page may be short, even empty, and still go on."""
    unreadable: int
    """Lines that were passed over, since they are no entries that this version can read."""


def read_audit(blobs: AppendBlobs, query: AuditQuery) -> AuditPage:
    """The newest entries that are asked for. Raises InvalidInputError and StorageUnavailableError."""
    reader = _Reader(blobs, begin=query.begin, end=query.end)
    found: list[AuditEntry] = []
    cursor = None
    for looked_at, (position, entry) in enumerate(reader.lines(), start=1):
        if query.asks_for(entry):
            found.append(entry)
        if len(found) == query.limit or looked_at == AUDIT_SCAN_MAX:
            cursor = make_cursor(position)
            break
    return AuditPage(entries=tuple(found), cursor=cursor, unreadable=reader.unreadable)


class _Reader:
    """Reads entries from `begin` on and before `end`."""

    def __init__(self, blobs: AppendBlobs, *, begin: str, end: Position) -> None:
        self._blobs = blobs
        self._begin = begin
        self._end = end
        self.unreadable = 0

    def lines(self) -> Iterator[Line]:
        """Entries with their positions, newest first."""
        for day in self._days():
            streams = [self._of_blob(item) for item in self._blobs.list_blobs(day) if self._may_hold(item)]
            yield from heapq.merge(*streams, key=lambda line: line[0], reverse=True)

    def _days(self) -> Iterator[str]:
        """Folders of days that may hold such entries, newest first."""
        first, last = _folder(self._begin), _folder(self._end[0])
        folders = [""]
        while folders:
            folder = folders.pop()
            if folder.count("/") == 3:  # noqa: PLR2004 - year, month, day
                yield folder
                continue
            below = (f"{name}/" for name in self._blobs.list_level(folder).folders)
            folders += [name for name in below if first[: len(name)] <= name <= last[: len(name)]]

    def _may_hold(self, item: BlobItem) -> bool:
        """Whether the blob is one of the log's and begins before `end`."""
        named = NAME.fullmatch(item.name)
        return named is not None and "{}-{}-{}T{}:{}:{}.{}Z".format(*named.groups()) <= self._end[0]

    def _of_blob(self, item: BlobItem) -> Iterator[Line]:
        """Entries of a blob, newest first."""
        try:
            for line in self._backwards(item.name, self._place(item)):
                time = TIME.match(line)
                if time is None:
                    self.unreadable += 1
                    continue
                position = (time[1].decode(), item.name)
                if position[0] < self._begin:
                    return
                if position < self._end and (entry := self._parsed(line)):
                    yield position, entry
        except BlobMissingError:
            return  # past its retention, and removed meanwhile

    def _parsed(self, line: bytes) -> AuditEntry | None:
        try:
            return AuditEntry.model_validate_json(line)
        except ValidationError:
            self.unreadable += 1
            return None

    def _place(self, item: BlobItem) -> int:
        """An offset at which a line begins: before it are all lines that come before `end`, and few others."""
        low, high = 0, item.size
        while high - low > RANGE:
            middle = (low + high) // 2
            found = self._first_line(item.name, middle)
            if found is None or found[0] >= high:
                break
            place, time = found
            low, high = (low, place) if time > self._end[0] else (place, high)
        return high

    def _first_line(self, name: str, offset: int) -> tuple[int, str] | None:
        """Offset and time of the first entry that begins behind an offset; None where none does soon."""
        probe = self._blobs.read_grown(name, offset=offset, length=PROBE)
        found = re.search(rb"\n" + TIME.pattern, probe)
        return (offset + found.start() + 1, found[1].decode()) if found else None

    def _backwards(self, name: str, end: int) -> Iterator[bytes]:
        """Lines before an offset at which a line begins, the last one first."""
        rest, length = b"", RANGE
        while end > 0:
            start = max(0, end - length)
            rest, *lines = (self._blobs.read_grown(name, offset=start, length=end - start) + rest).split(b"\n")
            yield from (line for line in reversed(lines) if line)
            end, length = start, min(2 * length, RANGE_MAX)
        if rest:
            yield rest


def _folder(time: str) -> str:
    """The folder of the day of a time."""
    return f"{time[:10].replace('-', '/')}/"
