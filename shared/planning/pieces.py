"""A text in pieces of whole lines, each of which DuckDB reads as a file of its own.

Its CSV reader finds line breaks inside of values only if it does not read in parallel, and then keeps all of a
file in memory. So a text is cut at line ends without looking whether the line end is inside of a value, and an end
mark is put behind each piece. If the end mark is the one line that the reader refused, everything before it is
well-formed. If not, the piece was cut in the wrong place or is damaged: it is repaired and read once more.

One query reads several pieces, for to plan a query takes as long as to run it over some megabytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.planning.csv_records import Repair
from shared.planning.streams import is_utf8

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.planning.csv_records import Marks, Syntax

PIECE_BYTES: Final = 4 << 20
PIECES_AT_A_TIME: Final = 3


class UntellableError(Exception):
    """A text that is not even told into rows after its repair."""


class Pieces:
    """Cuts a text and has every piece read."""

    def __init__(
        self,
        read: Callable[[Sequence[memoryview]], bool],
        *,
        syntax: Syntax,
        columns: int,
        marks: Marks,
        size: int = PIECE_BYTES,
    ) -> None:
        """Prepare for one text.

        Args:
            read: takes pieces of whole lines; whether it found them well-formed. If not, none was taken.
            syntax: how records are written.
            columns: values in each.
            marks: what stands for malformed records.
            size: bytes of a piece.
        """
        self._read = read
        self._size = size
        self._repair = Repair(syntax, columns, marks)
        self._pieces: list[memoryview] = []
        self._blocks: list[bytes] = []
        self._pending = 0
        self._wanted = size

    def take(self, block: bytes) -> None:
        """Take what comes next of the text; it may begin and end anywhere."""
        self._blocks.append(block)
        self._pending += len(block)
        while self._pending >= self._wanted:
            text = b"".join(self._blocks)
            end = text.rfind(b"\n", 0, self._wanted) + 1 or text.rfind(b"\n") + 1 or len(text)
            self._pieces.append(memoryview(text)[:end])
            rest = self._give(final=False) if len(self._pieces) == PIECES_AT_A_TIME else b""
            self._wanted = len(rest) + self._size
            self._blocks = [rest + text[end:]]
            self._pending = len(self._blocks[0])

    def close(self) -> None:
        """Take note that nothing follows."""
        text = b"".join(self._blocks).rstrip(b"\n")  # blank lines at the end of the file are no rows
        if text:
            self._pieces.append(memoryview(text + b"\n"))
        self._give(final=True)

    def _give(self, *, final: bool) -> bytes:
        """Have the pieces read; the rest of the last one that cannot be judged before more is there."""
        pieces, self._pieces = self._pieces, []
        if not pieces or self._read_sound(pieces):
            return b""
        rest = b""
        for number, piece in enumerate(pieces, 1):
            text = memoryview(rest + piece) if rest else piece
            rest = self._read_repaired(text, final=final and number == len(pieces))
        return rest

    def _read_sound(self, pieces: Sequence[memoryview]) -> bool:
        """Whether the pieces were read as they are."""
        # the reader looks for bytes that are not UTF-8 only in the columns it is asked for
        sound = all(piece[-1] == ord("\n") and is_utf8(piece) for piece in pieces)
        return sound and not self._repair.overflowing and self._read(pieces)

    def _read_repaired(self, piece: memoryview, *, final: bool) -> bytes:
        if self._read_sound([piece]):
            return b""
        repaired, rest = self._repair.repair(bytes(piece), final=final)
        if repaired and not self._read([memoryview(repaired)]):
            raise UntellableError
        return rest
