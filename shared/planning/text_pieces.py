"""A text in pieces of whole lines, which DuckDB reads some at a time as one file.

Its CSV reader finds line breaks inside of values only if it does not read in parallel, and then keeps all of a
file in memory. So a text is cut at line ends without looking whether the line end is inside of a value, and an end
mark is put behind. If the reader finds no fault, and the end mark is a row of its own, everything before it is
well-formed. If not, a piece was cut in the wrong place or is damaged; then each is read alone, and if need be
repaired.

One query reads several pieces, for to plan a query takes as long as to run it over some megabytes.

Pieces may be read ahead, as if those before them were well-formed. If not, and something is left of those before,
what follows is taken back and cut anew, as it is without reading ahead.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
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


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Pieces of whole lines that are being read."""

    finish: Callable[[], bool]
    """Takes them; whether they were found well-formed. If not, none was taken."""
    drop: Callable[[], None]
    """Called instead when they are not to be taken."""


class Pieces:
    """Cuts a text and has every piece read."""

    def __init__(
        self,
        begin: Callable[[Sequence[bytes]], Reading],
        *,
        sentinels: Sentinels,
        size: int = PIECE_BYTES,
        ahead: int = 0,
    ) -> None:
        """Prepare for one text.

        Args:
            begin: begins to read pieces. They are finished in order.
            sentinels: what stands for malformed records of the text.
            size: bytes of a piece.
            ahead: readings that may be begun before an earlier one is finished.
        """
        self._begin = begin
        self._size = size
        self._ahead = ahead
        self._under_way: deque[tuple[Sequence[bytes], Reading | None]] = deque()
        """Pieces, and their reading unless they are known to be damaged."""
        self._damaged = False
        """Whether the last pieces that were finished were damaged; none are read ahead of such."""
        self._closed = False
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
        self._cut()

    def close(self) -> None:
        """Take note that nothing follows."""
        self._closed = True
        while self._pending or self._pieces or self._under_way:
            text = b"".join(self._blocks).rstrip(b"\n")  # blank lines at the end of the file are no rows
            self._set_pending([], known=0)
            if text:
                self._pieces.append(text + b"\n")
            self._give()
            self.settle()

    def settle(self) -> None:
        """Finish all that was begun."""
        while self._under_way:
            self._finish_first()
            self._cut()

    def _cut(self) -> None:
        while self._pending >= self._known + self._size:
            text = b"".join(self._blocks)
            end = self._end_of_piece(text)
            self._pieces.append(text[:end])
            self._set_pending([text[end:]], known=0)
            if len(self._pieces) == PIECES_AT_A_TIME:
                self._give()

    def _set_pending(self, blocks: list[bytes], *, known: int) -> None:
        self._blocks = blocks
        self._pending = sum(map(len, blocks))
        self._known = known

    def _end_of_piece(self, text: bytes) -> int:
        """Where a piece may end: behind a line if there is one; further than what is known in any case."""
        wanted = self._known + self._size
        return text.rfind(b"\n", self._known, wanted) + 1 or text.rfind(b"\n", self._known) + 1 or len(text)

    def _give(self) -> None:
        """Have the pieces read, and finish those for which it is time."""
        if self._pieces:
            self._under_way.append((self._pieces, self._begin_sound(self._pieces)))
            self._pieces = []
        while len(self._under_way) > (0 if self._damaged else self._ahead):
            self._finish_first()

    def _finish_first(self) -> None:
        """Finish the first of the pieces under way. What it raises is the end of the others, too."""
        pieces, reading = self._under_way.popleft()
        final = self._closed and not (self._under_way or self._pieces or self._pending)
        try:
            self._damaged = not (reading and reading.finish())
            rest = self._read_damaged(pieces, final=final) if self._damaged else b""
        except BaseException:
            self._take_back()
            raise
        if rest or self._repair.overflowing:
            self._set_pending([rest, *self._take_back(), *self._pieces, *self._blocks], known=len(rest))
            self._pieces = []

    def _take_back(self) -> list[bytes]:
        """The pieces under way, which are not any more."""
        pieces = [piece for begun, _ in self._under_way for piece in begun]
        for _, reading in self._under_way:
            if reading:
                reading.drop()
        self._under_way.clear()
        return pieces

    def _begin_sound(self, pieces: Sequence[bytes]) -> Reading | None:
        """Have the pieces read as they are; None if that is in vain."""
        in_vain = self._repair.overflowing or not all(map(_may_be_sound, pieces))
        return None if in_vain else self._begin(pieces)

    def _read_damaged(self, pieces: Sequence[bytes], *, final: bool) -> bytes:
        """Have each piece read alone; the rest of the last one that cannot be judged before more is there."""
        rest = b""
        for number, piece in enumerate(pieces, 1):
            rest = self._read_alone(rest + piece, final=final and number == len(pieces))
        return rest

    def _read_alone(self, piece: bytes, *, final: bool) -> bytes:
        if (reading := self._begin_sound([piece])) and reading.finish():
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
        if text and not self._begin([text]).finish():
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
