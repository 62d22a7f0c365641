"""A text in pieces of whole lines, which DuckDB reads some at a time as one file.

Its CSV reader finds line breaks inside of values only if it does not read in parallel, and then keeps all of a
file in memory. So a text is cut at line ends without looking whether the line end is inside of a value, and an end
mark is put behind. If the reader finds no fault, and the end mark is a row of its own, everything before it is
well-formed. If not, a piece was cut in the wrong place or is damaged; then each is read alone, and if need be
repaired.

One query reads several pieces, for to plan a query takes as long as to run it over some megabytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.extracts.csv_records import Repair
from shared.extracts.encodings import SAMPLE_BYTES
from shared.extracts.streams import first_undecodable, is_utf8
from shared.limits import RECORD_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.extracts.csv_records import Sentinels

PIECE_BYTES: Final = 3 << 20
PIECES_AT_A_TIME: Final = 3
REPAIRED_BYTES: Final = 256 * 1024
"""Bytes repaired at a time: what is left of malformed records may be longer than they were."""


class UntellableError(Exception):
    """A text that is not even told into rows after its repair."""


class Pieces:
    """Cuts a text and has every piece read."""

    def __init__(
        self, read: Callable[[Sequence[bytes]], bool], *, sentinels: Sentinels, size: int = PIECE_BYTES
    ) -> None:
        """Prepare for one text.

        Args:
            read: takes pieces of whole lines; whether it found them well-formed. If not, none was taken.
            sentinels: what stands for malformed records of the text.
            size: bytes of a piece.
        """
        self._read = read
        self._size = size
        self._repair = Repair(sentinels)
        self._pieces: list[bytes] = []
        self._blocks: list[bytes] = []
        self._pending = 0
        self.undecodable = ""
        """Some text in which there are bytes that are not UTF-8, with `surrogateescape`."""
        self._known = 0
        """So many of the pending bytes were looked at before and end within a record."""

    def take(self, block: bytes) -> None:
        """Take what comes next of the text; it may begin and end anywhere."""
        self._blocks.append(block)
        self._pending += len(block)
        while self._pending >= self._known + self._size:
            text = b"".join(self._blocks)
            end = self._end_of_piece(text)
            self._pieces.append(text[:end])
            rest = self._give(final=False) if len(self._pieces) == PIECES_AT_A_TIME else b""
            self._known = len(rest)
            self._blocks = [rest + text[end:]]
            self._pending = len(self._blocks[0])

    def _end_of_piece(self, text: bytes) -> int:
        """Where a piece may end: behind a line if there is one; further than what is known in any case."""
        wanted = self._known + self._size
        return text.rfind(b"\n", self._known, wanted) + 1 or text.rfind(b"\n", self._known) + 1 or len(text)

    def close(self) -> None:
        """Take note that nothing follows."""
        text = b"".join(self._blocks).rstrip(b"\n")  # blank lines at the end of the file are no rows
        if text:
            self._pieces.append(text + b"\n")
        self._give(final=True)

    def _give(self, *, final: bool) -> bytes:
        """Have the pieces read; the rest of the last one that cannot be judged before more is there."""
        pieces, self._pieces = self._pieces, []
        if not pieces or self._read_sound(pieces):
            return b""
        rest = b""
        for number, piece in enumerate(pieces, 1):
            rest = self._read_alone(rest + piece, final=final and number == len(pieces))
        return rest

    def _read_sound(self, pieces: Sequence[bytes]) -> bool:
        """Whether the pieces were read as they are."""
        return not self._repair.overflowing and all(map(_may_be_sound, pieces)) and self._read(pieces)

    def _read_alone(self, piece: bytes, *, final: bool) -> bytes:
        if self._read_sound([piece]):
            return b""
        if not self.undecodable and (start := first_undecodable(piece)) is not None:
            begin = piece.rfind(b"\n", 0, max(start - SAMPLE_BYTES // 2, 0)) + 1
            self.undecodable = piece[begin : begin + SAMPLE_BYTES].decode("utf-8", "surrogateescape")
        rest = b""
        ready: list[bytes] = []
        for start in range(0, len(piece), REPAIRED_BYTES):
            end = start + REPAIRED_BYTES
            repaired, rest = self._repair.repair(rest + piece[start:end], final=final and end >= len(piece))
            ready.append(repaired)
            if sum(map(len, ready)) >= self._size:
                self._read_repaired(ready)
        self._read_repaired(ready)
        return rest

    def _read_repaired(self, ready: list[bytes]) -> None:
        text = b"".join(ready)
        ready.clear()
        if text and not self._read([text]):
            raise UntellableError


def has_empty_record(sentinels: Sentinels, pieces: Sequence[bytes]) -> bool:
    """Whether there is a line of as many delimiters as there are columns, as spreadsheets write it; it is no row.

    With more or fewer of them, the reader finds fault with the line.
    """
    if sentinels.columns == 1:
        return False
    line = sentinels.syntax.delimiter.encode() * (sentinels.columns - 1) + b"\n"
    return any(piece.startswith(line) or b"\n" + line in piece for piece in pieces)


def _may_be_sound(piece: bytes) -> bool:
    """Whether there is nothing in a piece that the reader would not notice."""
    # it looks for bytes that are not UTF-8 only in the columns it is asked for, passes over blank lines, and takes
    # lines that are too long where they happen to lie well
    blank_lines = piece.startswith(b"\n") or b"\n\n" in piece
    return piece.endswith(b"\n") and not blank_lines and not _has_long_line(piece) and is_utf8(piece)


def _has_long_line(piece: bytes) -> bool:
    """Whether there is a line of more than half of the longest there may be, or perhaps a shorter one."""
    half = RECORD_BYTES_MAX // 2
    return any(piece.find(b"\n", start, start + half) < 0 for start in range(0, len(piece), half))
