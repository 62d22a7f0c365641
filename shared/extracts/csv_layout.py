"""Encoding, delimiter and header of a CSV file, found out from its first bytes and what was declared. Pure."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from shared.extracts.csv_records import Syntax

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from shared.model.definitions import SourceOptions

HEAD_BYTES: Final = 256 * 1024
"""So much of a file is looked at."""
SAMPLE_RECORDS: Final = 100
DELIMITERS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
ESCAPE_RECORDS: Final = 1000
"""So many are looked at to see whether a backslash escapes."""
HINT: Final = re.compile(r'"?sep=(?P<delimiter>[^\n"])"?\n', re.IGNORECASE)
"""Excel's first line, which says the delimiter."""
ADDRESS: Final = re.compile(r"[^\s@,;|\"<>]+@[^\s@,;|\"<>]+\.[^\s@,;|\"<>]+")
MAIL_NAME: Final = re.compile(r"mail|courriel|correo|posta|adress|address|почт|邮|郵|メール|이메일", re.IGNORECASE)
"""What the name of a column with addresses has in it."""
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
    has_header: bool
    names_are_told: bool
    """Whether the names are surely names, and may be shown."""
    backslash: bool
    """Whether a backslash escapes quotation marks."""


class AmbiguousDelimiterError(Exception):
    """Several delimiters give different rows, and nothing tells which is meant."""

    def __init__(self, delimiters: Sequence[str]) -> None:
        super().__init__(", ".join(delimiters))


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
    declared = None if options.encoding == "auto" else codecs.lookup(options.encoding).name
    even, odd = head[::2].count(0), head[1::2].count(0)
    if declared == "utf-16" or (declared is None and max(even, odd) > max(1, len(head) // 5)):
        return "utf-16-be" if even > odd else "utf-16-le"
    return declared or "utf-8"


STRANGE: Final = re.compile("[\x00-\x08\x0b-\x19\x1b-\x1f]")
"""Control characters that hardly ever stand in text; \x1a once ended files."""


def no_text(text: str) -> str | None:
    """Why `text`, the head of a file, is no table; None if it may be one."""
    if MARKUP.match(text):
        return "is a web page or XML"
    strange = len(STRANGE.findall(text))
    return "is binary" if strange > BINARY_SHARE * len(text) else None


def detect_layout(
    text: str,
    options: SourceOptions,
    *,
    complete: bool,
    wanted: Sequence[str] = (),
    before: Sequence[str] = (),
) -> Layout:
    r"""Delimiter, header and columns of the CSV file that begins with `text`.

    Args:
        text: head of the file, with `\\n` as line break.
        options: what is declared; it is believed.
        complete: whether `text` is the whole file; otherwise its last record may be cut off.
        wanted: columns that a mapping takes, that of the e-mail address first.
        before: names in the header of an earlier part.

    Raises AmbiguousDelimiterError.
    """
    blank = len(text) - len(text.lstrip("\n"))
    body = text[blank:] + ("" if text.endswith("\n") or not complete else "\n")
    hint = HINT.match(body)
    lead = text[:blank] + (hint[0] if hint else "")
    body = body[len(hint[0]) :] if hint else body
    known = hint["delimiter"] if hint and options.delimiter == "auto" else DELIMITERS.get(options.delimiter)
    backslash = _needs_backslash(body, options, known, wanted)
    body = _with_doubled_quotes(body) if backslash else body
    syntax = _detect_syntax(body, options, known, wanted)
    sample = _sample(body, syntax) if body else []
    first = next(_records(body, syntax, 1), None) or body.partition("\n")[0] + "\n"
    values = _values(first, syntax) if body else []
    header = bool(values) and _is_header(values, sample[1:], options, wanted, before)
    names = _names(values, [len(each) for each in sample], options, before, header=header)
    skipped = lead + first if header else lead
    return Layout(
        syntax=replace(syntax, ragged=_is_ragged(sample, names, options)),
        names=tuple(name.strip() for name in names) or ("column_1",),
        skipped=len(skipped.encode("utf-8", "surrogateescape")),
        first_row=skipped.count("\n", 0, len(lead)) + (2 if header else 1),
        has_header=header,
        names_are_told=not header or _is_told(values, sample[1:], options, wanted),
        backslash=backslash,
    )


# --- syntax -------------------------------------------------------------------------------------------------


def _needs_backslash(text: str, options: SourceOptions, known: str | None, wanted: Sequence[str]) -> bool:
    """Whether quotation marks are escaped by a backslash: declared, or whole with it and broken without."""
    if options.escape != "auto" or '\\"' not in text or options.quoting == "none":
        return options.escape == "backslash"
    escaped = _with_doubled_quotes(text)
    return bool(_flaws(text, _detect_syntax(text, options, known, wanted))) and not _flaws(
        escaped, _detect_syntax(escaped, options, known, wanted)
    )


def _flaws(text: str, syntax: Syntax) -> int:
    """Records that are malformed, or have another number of values than the first."""
    records = list(_records(text, syntax, ESCAPE_RECORDS))
    whole = re.compile(syntax.pattern(None))
    widths = [len(_values(record, syntax)) for record in records]
    return sum(
        not whole.fullmatch(record) or width != widths[0] for record, width in zip(records, widths, strict=True)
    )


def _with_doubled_quotes(text: str) -> str:
    """`text` as `streams.plain_text` gives it where a backslash escapes."""
    return re.sub(r'\\(["\\])', lambda match: '""' if match[1] == '"' else match[1], text)


def _detect_syntax(text: str, options: SourceOptions, known: str | None, wanted: Sequence[str]) -> Syntax:
    quoting = options.quoting != "none"
    if known is not None:
        return Syntax(delimiter=known, quoting=quoting)
    candidates = [Syntax(delimiter=delimiter, quoting=quoting) for delimiter in DELIMITERS.values()]
    fitness = {syntax: _fitness(text, syntax, len(options.columns), wanted) for syntax in candidates}
    best = max(fitness.values())
    fitting = [syntax for syntax in candidates if fitness[syntax] == best]
    rows = {
        str([_values(record, syntax) for record in _records(text, syntax, SAMPLE_RECORDS)]) for syntax in fitting
    }
    if len(rows) > 1:
        raise AmbiguousDelimiterError([name for name, each in DELIMITERS.items() if _is_one_of(each, fitting)])
    return fitting[0]


def _is_one_of(delimiter: str, fitting: Sequence[Syntax]) -> bool:
    return any(syntax.delimiter == delimiter for syntax in fitting)


def _fitness(text: str, syntax: Syntax, expected: int, wanted: Sequence[str]) -> tuple[int, ...]:
    """How well a syntax explains `text`.

    In this order: the declared number of columns, the mapped names in the first record, records of one width above
    one, records of one width, records with an address, columns.
    """
    sample = _sample(text, syntax)
    counts = Counter(map(len, sample))
    columns, alike = max(counts.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    header = set(_folded(sample[0])) if sample else set()
    named = sum(name in header for name in _folded(wanted))
    addressed = sum(any(ADDRESS.fullmatch(value.strip()) for value in values) for values in sample)
    fits = expected > 1 and columns == expected
    return (int(fits), named, alike if columns > 1 else 0, alike, addressed, columns)


def _sample(text: str, syntax: Syntax) -> list[list[str]]:
    """Values of the first records."""
    return [_values(record, syntax) for record in _records(text, syntax, SAMPLE_RECORDS)]


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


# --- header and names ---------------------------------------------------------------------------------------


def _is_header(
    values: list[str],
    rows: list[list[str]],
    options: SourceOptions,
    wanted: Sequence[str],
    before: Sequence[str],
) -> bool:
    """Whether the first record names the columns; that of a later part may name others, or be a row."""
    if options.header != "auto":
        return options.header == "present"
    folded = _folded(values)
    if options.columns:
        return set(folded) <= set(_folded(options.columns)) and any(folded)
    if set(_folded([*wanted[:1], *before])) & set(folded):
        return True
    if before and not _names_addresses(values, rows):
        return False
    return not any(ADDRESS.fullmatch(value.strip()) for value in values)


def _names(
    values: list[str], widths: list[int], options: SourceOptions, before: Sequence[str], *, header: bool
) -> list[str]:
    """Names of the columns: as the header, the declaration or an earlier part has them, or made up."""
    if header:
        return values
    known = list(options.columns) or (list(before) if len(before) == len(values) else [])
    width = max([len(known), *widths]) if options.columns else len(known) or len(values)
    return known + [f"column_{number}" for number in range(len(known) + 1, width + 1)]


def _is_ragged(sample: list[list[str]], names: Sequence[str], options: SourceOptions) -> bool:
    """Whether records may end earlier than declared, as writers leave them that add a column later."""
    return bool(options.columns) and any(len(values) < len(names) for values in sample)


def _is_told(values: list[str], rows: list[list[str]], options: SourceOptions, wanted: Sequence[str]) -> bool:
    """Whether the first record surely names columns, so that it may be shown: it could be somebody's row."""
    folded = _folded(values)
    if options.header == "present" or options.columns or set(_folded(wanted[:1])) & set(folded):
        return True
    if any("@" in value for value in values):
        return False
    return _names_addresses(values, rows)


def _names_addresses(values: list[str], rows: list[list[str]]) -> bool:
    """Whether the first record has a name where the others have addresses, or anywhere if none has one."""
    addressed = Counter(
        position for row in rows for position, value in enumerate(row) if ADDRESS.fullmatch(value.strip())
    )
    column = max(addressed, key=addressed.__getitem__, default=None)
    if column is None:
        return any(map(MAIL_NAME.search, values))
    return column < len(values) and "@" not in values[column] and bool(MAIL_NAME.search(values[column]))


def _folded(names: Iterable[str]) -> list[str]:
    return [name.strip().casefold() for name in names]
