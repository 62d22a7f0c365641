"""Cut a stream of contacts, one a line, into chunks that fit one request each, without looking at single lines."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from shared.limits import BYTES_PER_REQUEST, CONTACTS_PER_REQUEST, REQUEST_OVERHEAD_BYTES
from shared.model import ChunkInfo
from shared.plan_query import NOTE

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK_BYTES: Final = BYTES_PER_REQUEST - REQUEST_OVERHEAD_BYTES
PART_BYTES: Final = 4 << 20
"""The list of rejected rows is written in parts of about so many bytes."""
NOTE_BYTE: Final = NOTE.encode()
NOTES: Final = re.compile(NOTE_BYTE + rb"([^" + NOTE_BYTE + rb"]*)" + NOTE_BYTE)


class LineBuffer:
    """Whole lines out of pieces that end anywhere."""

    def __init__(self) -> None:
        self._tail = b""

    def whole_lines(self, piece: bytes) -> bytes:
        """The lines that `piece` completes."""
        text = self._tail + piece if self._tail else piece
        end = text.rfind(b"\n") + 1
        self._tail = text[end:]
        return text if end == len(text) else text[:end]


class Chunker:
    """Takes contacts' lines and gives chunks on as they fill."""

    def __init__(self, write: Callable[[ChunkInfo, bytes], None]) -> None:
        self.chunks: list[ChunkInfo] = []
        self.cut: Counter[str] = Counter()
        """SendGrid field → values that were shortened."""
        self._write = write
        self._lines = LineBuffer()
        self._pending = b""

    def take(self, piece: bytes) -> None:
        """Take a piece of the stream of lines."""
        lines = self._lines.whole_lines(piece)
        if NOTE_BYTE in lines:
            lines = NOTES.sub(self._read_note, lines)
        self._pending += lines
        self._give(at_least=CHUNK_BYTES + 1)

    def close(self) -> None:
        """Give on what is left."""
        self._give(at_least=1)

    def _read_note(self, note: re.Match[bytes]) -> bytes:
        self.cut.update(note[1].decode().split(" "))
        return b""

    def _give(self, *, at_least: int) -> None:
        """Cut chunks off the pending lines while there are so many bytes of them."""
        start = 0
        while len(self._pending) - start >= at_least:
            end, contacts = longest_chunk(self._pending, start)
            info = ChunkInfo(number=len(self.chunks) + 1, contacts=contacts, bytes=end - start)
            self._write(info, self._pending[start:end])
            self.chunks.append(info)
            start = end
        self._pending = self._pending[start:]


def longest_chunk(text: bytes, start: int) -> tuple[int, int]:
    """Where the longest chunk that begins at `start` ends, and how many contacts it has."""
    end = text.rfind(b"\n", start, start + CHUNK_BYTES) + 1
    contacts = text.count(b"\n", start, end)
    if contacts <= CONTACTS_PER_REQUEST:
        return end, contacts
    return _end_of_line(text, start, end, contacts, CONTACTS_PER_REQUEST), CONTACTS_PER_REQUEST


def _end_of_line(text: bytes, start: int, end: int, lines: int, wanted: int) -> int:
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
        self._lines = LineBuffer()
        self._pending = bytearray()

    def take(self, piece: bytes) -> None:
        """Take a piece."""
        self._pending += self._lines.whole_lines(piece)
        if len(self._pending) >= PART_BYTES:
            self.close()

    def close(self) -> None:
        """Give on what is left."""
        if self._pending:
            self._write(bytes(self._pending))
            self._pending.clear()
