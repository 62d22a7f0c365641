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
        self._pending = bytearray()

    def take(self, piece: bytes) -> None:
        """Take a piece of the stream of lines."""
        lines = self._lines.whole_lines(piece)
        if NOTE_BYTE in lines:
            lines = NOTES.sub(self._read_note, lines)
        self._pending += lines
        while len(self._pending) > CHUNK_BYTES:
            self._cut_chunk()

    def close(self) -> None:
        """Give on what is left."""
        while self._pending:
            self._cut_chunk()

    def _read_note(self, note: re.Match[bytes]) -> bytes:
        self.cut.update(note[1].decode().split(" "))
        return b""

    def _cut_chunk(self) -> None:
        """Give on the longest chunk that the pending lines begin with."""
        end = self._pending.rfind(b"\n", 0, CHUNK_BYTES) + 1
        contacts = self._pending.count(b"\n", 0, end)
        if contacts > CONTACTS_PER_REQUEST:
            contacts = CONTACTS_PER_REQUEST
            end = _end_of_line(self._pending, contacts, end)
        lines = bytes(self._pending[:end])
        del self._pending[:end]
        info = ChunkInfo(number=len(self.chunks) + 1, contacts=contacts, bytes=len(lines))
        self._write(info, lines)
        self.chunks.append(info)


def _end_of_line(text: bytearray, number: int, end: int) -> int:
    """Where line `number`, from 1, of `text` ends; it does before `end`. Halves the range that is counted."""
    start, before = 0, 0
    while before < number:
        middle = max((start + end) // 2, start + 1)
        lines = text.count(b"\n", start, middle)
        if before + lines < number:
            start, before = middle, before + lines
        elif middle - start == 1:
            return middle
        else:
            end = middle
    return start


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
