"""Cut a stream of contacts, one a line, into chunks that fit one request each, without looking at single lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.limits import BYTES_PER_REQUEST, CONTACTS_PER_REQUEST, REQUEST_OVERHEAD_BYTES
from shared.model.runs import ChunkInfo

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK_BYTES: Final = BYTES_PER_REQUEST - REQUEST_OVERHEAD_BYTES
PART_BYTES: Final = 4 << 20
"""The list of rejected rows is written in parts of about so many bytes."""


class Chunker:
    """Takes contacts' lines and gives chunks on as they fill."""

    def __init__(
        self,
        write: Callable[[ChunkInfo, bytes], None],
        *,
        contacts: int | None = None,
        first: int = 1,
        removal: bool = False,
    ) -> None:
        """Give chunks of so many contacts at most, as a request takes by default; the first is number `first`."""
        self._contacts = contacts
        self._first = first
        self._removal = removal
        self.chunks: list[ChunkInfo] = []
        self._write = write
        self._buffer = bytearray(2 * CHUNK_BYTES)  # kept, for fresh memory costs more than what is done with it
        self._filled = 0

    def take(self, lines: bytes) -> None:
        """Take a piece of the stream of lines; it may begin and end anywhere."""
        filled = self._filled + len(lines)
        if filled > len(self._buffer):
            self._buffer.extend(bytes(filled - len(self._buffer)))
        self._buffer[self._filled : filled] = lines
        self._filled = filled
        self._give(at_least=CHUNK_BYTES + 1)

    def close(self) -> None:
        """Give on what is left."""
        self._give(at_least=1)

    def _give(self, *, at_least: int) -> None:
        """Cut chunks off the buffer while there are so many bytes in it."""
        start = 0
        with memoryview(self._buffer) as view:
            while self._filled - start >= at_least:
                end, contacts = longest_chunk(self._buffer, start, self._filled, self._contacts)
                number = self._first + len(self.chunks)
                info = ChunkInfo(number=number, contacts=contacts, bytes=end - start, removal=self._removal)
                self._write(info, bytes(view[start:end]))
                self.chunks.append(info)
                start = end
            view[: self._filled - start] = view[start : self._filled]
        self._filled -= start


def longest_chunk(text: bytearray, start: int, end: int, most: int | None = None) -> tuple[int, int]:
    """Where the longest chunk of `most` contacts from `start` ends, at most at `end`, and how many it has."""
    most = most or CONTACTS_PER_REQUEST
    end = text.rfind(b"\n", start, min(end, start + CHUNK_BYTES)) + 1
    contacts = text.count(b"\n", start, end)
    if contacts <= most:
        return end, contacts
    return _end_of_line(text, start, end, contacts, most), most


def _end_of_line(text: bytearray, start: int, end: int, lines: int, wanted: int) -> int:
    """Where line `wanted`, from 1, of the `lines` from `start` to `end` ends; it guesses, since counting costs."""
    while lines > wanted:
        guess = start + (end - start) * wanted // lines
        middle = (text.rfind(b"\n", start, guess) + 1) or (text.find(b"\n", start) + 1)
        before = lines - text.count(b"\n", middle, end)
        if before > wanted:
            end, lines = middle, before
        elif before == wanted:
            return middle
        else:
            start, lines, wanted = middle, lines - before, wanted - before
    return end


class PartWriter:
    """Takes a text in small pieces and gives it on in parts of whole lines."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._pending = bytearray()

    def take(self, piece: bytes) -> None:
        """Take a piece; it may begin and end anywhere."""
        self._pending += piece
        if len(self._pending) >= PART_BYTES:
            self._give(self._pending.rfind(b"\n") + 1)

    def close(self) -> None:
        """Give on what is left."""
        self._give(len(self._pending))

    def _give(self, end: int) -> None:
        if end:
            self._write(bytes(self._pending[:end]))
            del self._pending[:end]
