"""A text in pieces of whole lines, each of which DuckDB reads as a file of its own.

Its CSV reader finds line breaks inside of values only if it does not read in parallel, and then keeps all of a
file in memory. So a text is cut at line ends without looking whether the line end is inside of a value, and an end
mark is put behind each piece. If the end mark is the one line that the reader refused, everything before it is
well-formed. If not, the piece was cut in the wrong place or is damaged: it is repaired and read once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.planning.csv_records import Repair
from shared.planning.streams import is_utf8

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.planning.csv_records import Marks, Syntax

PIECE_BYTES: Final = 8 << 20


class UntellableError(Exception):
    """A text that is not even told into rows after its repair."""


class Pieces:
    """Cuts a text and has every piece read."""

    def __init__(
        self,
        read: Callable[[memoryview], bool],
        *,
        syntax: Syntax,
        columns: int,
        marks: Marks,
        size: int = PIECE_BYTES,
    ) -> None:
        """Prepare for one text.

        Args:
            read: takes whole lines; whether it found them well-formed. If not, they were not taken.
            syntax: how records are written.
            columns: values in each.
            marks: what stands for malformed records.
            size: bytes of a piece.
        """
        self._read = read
        self._size = size
        self._wanted = size
        self._repair = Repair(syntax, columns, marks)
        self._blocks: list[bytes] = []
        self._pending = 0

    def take(self, block: bytes) -> None:
        """Take what comes next of the text; it may begin and end anywhere."""
        self._blocks.append(block)
        self._pending += len(block)
        while self._pending >= self._wanted:
            text = b"".join(self._blocks)
            end = text.rfind(b"\n", 0, self._wanted) + 1 or text.rfind(b"\n") + 1 or len(text)
            rest = self._give(memoryview(text)[:end], final=False)
            self._wanted = len(rest) + self._size
            self._blocks = [rest + text[end:]]
            self._pending = len(self._blocks[0])

    def close(self) -> None:
        """Take note that nothing follows."""
        text = b"".join(self._blocks).rstrip(b"\n")  # blank lines at the end of the file are no rows
        self._blocks.clear()
        if text:
            self._give(memoryview(text + b"\n"), final=True)

    def _give(self, text: memoryview, *, final: bool) -> bytes:
        """Have a piece read; the rest of it that cannot be judged before more is there."""
        # the reader looks for bytes that are not UTF-8 only in the columns it is asked for
        sound = text[-1] == ord("\n") and not self._repair.overflowing and is_utf8(text)
        if sound and self._read(text):
            return b""
        repaired, rest = self._repair.repair(bytes(text), final=final)
        if repaired and not self._read(memoryview(repaired)):
            raise UntellableError
        return rest
