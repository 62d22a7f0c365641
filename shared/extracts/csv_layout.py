"""Encoding, delimiter and header of a CSV file, found out from its first bytes and what was declared. Pure."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.extracts.csv_records import Syntax

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.model.definitions import SourceOptions

HEAD_BYTES: Final = 256 * 1024
"""So much of a file is looked at."""
SAMPLE_RECORDS: Final = 100
DELIMITERS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
ADDRESS: Final = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
FOREIGN: Final = {
    b"PK\x03\x04": "is a zip or Excel file",
    b"\xd0\xcf\x11\xe0": "is an Excel file",
    b"%PDF": "is a PDF file",
    b"\x89PNG": "is a picture",
    b"Obj\x01": "is an Avro file",
    b"ORC": "is an ORC file",
}
MARKUP: Final = re.compile(r"\s*<(?:!doctype|html|head|body|\?xml|!--)", re.IGNORECASE)
BINARY_SHARE: Final = 0.1
"""With more control characters than this in its head, a file is no text."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How one text file is written, and where its rows begin."""

    syntax: Syntax
    names: tuple[str, ...]
    """Of the columns."""
    skipped: int
    """Bytes of UTF-8 text before the first row: the header."""
    first_row: int
    """Number of the first row, as a spreadsheet shows it."""


def foreign_format(head: bytes) -> str | None:
    """What a file is that is no text, as the rest of a sentence that begins with "it"; None for text."""
    for magic, what in FOREIGN.items():
        if head.startswith(magic):
            return what
    return None


def detect_encoding(head: bytes, options: SourceOptions) -> str:
    """The declared encoding, or the one that byte order mark and zero bytes tell; UTF-8 if nothing speaks."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = head[::2].count(0), head[1::2].count(0)
    if options.encoding == "utf-16" or max(even, odd) > max(1, len(head) // 5):
        return "utf-16-be" if even > odd else "utf-16-le"
    return "utf-8" if options.encoding == "auto" else options.encoding


STRANGE: Final = re.compile("[\x00-\x08\x0b-\x19\x1b-\x1f]")
"""Control characters that hardly ever stand in text; \x1a once ended files."""


def no_text(text: str) -> str | None:
    """Why `text`, the head of a file, is no table; None if it may be one."""
    if MARKUP.match(text):
        return "is a web page or XML"
    strange = len(STRANGE.findall(text))
    return "is binary" if strange > BINARY_SHARE * len(text) else None


def detect_layout(text: str, options: SourceOptions, *, complete: bool) -> Layout:
    r"""Delimiter, header and columns of the CSV file that begins with `text`.

    Args:
        text: head of the file, with `\\n` as line break.
        options: what is declared; it is believed.
        complete: whether `text` is the whole file; otherwise its last record may be cut off.
    """
    blank = len(text) - len(text.lstrip("\n"))
    body = text[blank:] + ("" if text.endswith("\n") or not complete else "\n")
    syntax = _detect_syntax(body, options)
    first = next(_records(body, syntax, 1), None) or body.partition("\n")[0] + "\n"
    values = _values(first, syntax) if body else []
    header = bool(values) and _is_header(values, options)
    names = values if header else options.columns or [f"column_{n}" for n in range(1, len(values) + 1)]
    skipped = text[:blank] + first if header else text[:blank]
    return Layout(
        syntax=syntax,
        names=tuple(name.strip() for name in names) or ("column_1",),
        skipped=len(skipped.encode("utf-8", "surrogateescape")),
        first_row=blank + (2 if header else 1),
    )


def _detect_syntax(text: str, options: SourceOptions) -> Syntax:
    quoting = options.quoting != "none"
    if options.delimiter != "auto":
        return Syntax(delimiter=DELIMITERS[options.delimiter], quoting=quoting)
    candidates = [Syntax(delimiter=delimiter, quoting=quoting) for delimiter in DELIMITERS.values()]
    return max(candidates, key=lambda syntax: _fitness(text, syntax, len(options.columns)))


def _fitness(text: str, syntax: Syntax, expected: int) -> tuple[bool, int, int]:
    """How well a syntax explains `text`: the declared columns, alike records, many columns."""
    counts = Counter(len(_values(record, syntax)) for record in _records(text, syntax, SAMPLE_RECORDS))
    columns, alike = max(counts.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    return expected > 1 and columns == expected, alike if columns > 1 else 0, columns


def _records(text: str, syntax: Syntax, most: int) -> Iterator[str]:
    """The first records of `text`, malformed ones by lines."""
    record = re.compile(syntax.pattern(None))
    position = 0
    for _ in range(most):
        match = record.match(text, position)
        end = match.end() if match else text.find("\n", position) + 1
        if not end:
            return
        yield text[position:end]
        position = end


def _values(record: str, syntax: Syntax) -> list[str]:
    line = record.removesuffix("\n")
    if not syntax.quoting:
        return line.split(syntax.delimiter)
    reader = csv.reader([line], delimiter=syntax.delimiter, skipinitialspace=True)
    try:
        return next(reader)
    except (csv.Error, StopIteration):
        return line.split(syntax.delimiter)


def _is_header(values: list[str], options: SourceOptions) -> bool:
    """Whether the first record names the columns."""
    if options.header != "auto":
        return options.header == "present"
    if options.columns:
        return _folded(values) == _folded(options.columns)
    return not any(ADDRESS.fullmatch(value.strip()) for value in values)


def _folded(names: Iterable[str]) -> list[str]:
    return [name.strip().casefold() for name in names]
