r"""What a well-formed CSV record is, and how files with malformed ones are read all the same.

RFC 4180, taken leniently where writers differ: a blank before a quoted value and blanks behind it do not count,
a quotation mark inside an unquoted value is a character like any other, lines may end in CR, LF or both. A record
has as many values as the file has columns; what it has more must be empty.

A record that is malformed costs its first line only: reading goes on with the next line. So a quotation mark
that is never closed loses one row and not the rest of the file.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Final

from shared.limits import RECORD_BYTES_MAX
from shared.model.rejections import Rejected

UNDECODABLE: Final = "\udc80-\udcff"
"""How `surrogateescape` shows bytes that are not UTF-8."""
RUN_RECORDS: Final = 200
"""Well-formed records are taken so many at a time."""
BLANK: Final = "blank"
"""Stands for a line without anything; it is no row."""
END: Final = "end"
"""Stands behind a piece of text; it is no row."""


@dataclass(frozen=True, kw_only=True)
class Syntax:
    """How the records of one file are written."""

    delimiter: str
    quoting: bool
    """Whether quotation marks protect delimiters and line breaks."""
    ragged: bool = False
    """Whether a record may end before its last columns."""

    def pattern(self, columns: int | None, *, refuse: str = "") -> str:
        """Regular expression of a record with its line break.

        Args:
            columns: how many values it has; None for any number.
            refuse: characters that it must not contain, as a part of a character class.
        """
        separator = re.escape(self.delimiter)
        value = rf"[^{separator}\n{refuse}]*+"
        if self.quoting:
            value = rf'(?: ?+"(?:[^"{refuse}]++|" *+")*+" *+|(?! ?"){value})'
        if columns is None:
            return rf"{value}(?:{separator}{value})*+\n"
        nothing = rf'(?:{separator}(?:"")?)' if self.quoting else separator
        least = 0 if self.ragged else columns - 1
        not_empty = rf"(?!{separator}++\n)" if columns > 1 else ""
        return rf"{not_empty}{value}(?:{separator}{value}){{{least},{columns - 1}}}+{nothing}*+\n"


@dataclass(frozen=True, kw_only=True)
class Sentinels:
    """Records that stand for what is no row, recognisable because nobody can guess them."""

    token: str
    """Begins the value that says what a record stands for."""
    syntax: Syntax
    columns: int
    column: int
    """Position of that value; the others are empty."""

    def line(self, what: str) -> str:
        """A record that stands for `what`."""
        before, behind = self.column, self.columns - self.column - 1
        return self.syntax.delimiter * before + self.token + what + self.syntax.delimiter * behind + "\n"


class Repair:
    """Reads damaged text: well-formed records pass, a mark stands where each malformed one was."""

    def __init__(self, sentinels: Sentinels) -> None:
        self._marks = sentinels
        record = sentinels.syntax.pattern(sentinels.columns, refuse=UNDECODABLE)
        self._run = re.compile(rf"(?:{record}){{1,{RUN_RECORDS}}}+")
        self._record = re.compile(record)
        self._undecodable = re.compile(sentinels.syntax.pattern(sentinels.columns))
        self._bad = re.compile(f"[{UNDECODABLE}]")
        self._delimiter = sentinels.syntax.delimiter if sentinels.columns > 1 else ""
        self.overflowing = False
        """Whether a line that is too long goes on in the text to come."""

    def repair(self, data: bytes, *, final: bool) -> tuple[bytes, bytes]:
        """The repaired text of `data`, and what of it cannot be judged before more is there.

        Args:
            data: text that begins with a record, or within one that overflows; it may end anywhere.
            final: whether nothing follows; all of it is judged then.
        """
        text = data.decode("utf-8", "surrogateescape")
        if final and not text.endswith("\n"):
            text += "\n"
        parts: list[str] = []
        position = self._skip_overflow(text) if self.overflowing else 0
        while position < len(text):
            end = self._well_formed(text, position)
            if end:
                parts.append(text[position:end])
                position = end
            elif not final and len(text) - position <= RECORD_BYTES_MAX:
                break
            else:
                position = self._reject(text, position, parts)
        return "".join(parts).encode(), text[position:].encode("utf-8", "surrogateescape")

    def _well_formed(self, text: str, position: int) -> int:
        """Where a run of well-formed records that begins at `position` ends; 0 if there is none."""
        run = self._run.match(text, position)
        if run is None:
            return 0
        if run.end() - position <= RECORD_BYTES_MAX // 4:
            return run.end()
        fitting = itertools.takewhile(
            lambda record: _fits(record.group()), self._record.finditer(text, position, run.end())
        )
        return max((record.end() for record in fitting), default=0)

    def _reject(self, text: str, position: int, parts: list[str]) -> int:
        """Put a mark for the malformed record at `position`; where reading goes on."""
        what: str
        line_end = text.find("\n", position) + 1
        whole = self._undecodable.match(text, position)
        if line_end and not text[position : line_end - 1].strip(self._delimiter):
            what = BLANK
        elif whole and _fits(whole.group()):
            line_end = whole.end()
            what = Rejected.ROW_UNDECODABLE
        elif not line_end:
            self.overflowing = True
            line_end = len(text)
            what = Rejected.ROW_TOO_LONG
        elif not _fits(text[position:line_end]):
            what = Rejected.ROW_TOO_LONG
        elif self._bad.search(text, position, line_end):
            what = Rejected.ROW_UNDECODABLE
        else:
            what = Rejected.ROW_MALFORMED
        parts.append(self._marks.line(what))
        return line_end

    def _skip_overflow(self, text: str) -> int:
        line_end = text.find("\n") + 1
        self.overflowing = not line_end
        return line_end or len(text)


def _fits(record: str) -> bool:
    """Whether a record, without its line break, is within the limit."""
    if len(record) <= RECORD_BYTES_MAX // 4:
        return True
    return len(record.encode("utf-8", "surrogateescape")) - 1 <= RECORD_BYTES_MAX
