"""One file of an extract as a table: its columns, and the SQL that reads them."""

from __future__ import annotations

import contextlib
import json
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from shared.errors import RunEndError
from shared.extracts.csv_layout import (
    HEAD_BYTES,
    AmbiguousDelimiterError,
    detect_encoding,
    detect_layout,
    foreign_format,
    no_text,
)
from shared.extracts.csv_records import BLANK, Sentinels, Syntax
from shared.extracts.encodings import undecodable
from shared.extracts.streams import plain_text, read_range, unpacked, unpacked_blocks, unreadable, without_head
from shared.limits import RECORD_BYTES_MAX
from shared.model.reason_codes import ReasonCode
from shared.model.rejections import Rejected
from shared.planning.duckdb_files import PROTOCOL, TEXT
from shared.planning.value_rules import identifier, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from shared.extracts.extract import ExtractFile
    from shared.planning.duckdb_files import PlanFiles
    from shared.planning.engine import Engine
    from shared.storage.interfaces import ReadableBlobs

PARQUET_MAGIC: Final = b"PAR1"
JSON_SUFFIXES: Final = (".json", ".jsonl", ".ndjson")
LINE: Final = Syntax(delimiter="\x01", quoting=False)
"""JSON lines as a table of one column: a control character cannot stand in JSON."""
NOT_FINITE: Final = r"([:\[,]\s*)[-+]?(?:NaN|Infinity)(\s*[,}\]])"
COLUMN_NAME: Final = re.compile(r"_*[^\W\d_][\w-]*")
"""What names of JSON members look like that are shown: they may as well be somebody's name or number."""
UNDECODABLE: Final = re.compile("[\udc80-\udcff]")
"""How `surrogateescape` shows bytes that are not UTF-8."""
ODD: Final = (
    (b"\x7f", rb"\x7f"),
    (b"\xc2", rb"\xc2[\x80-\xa0]"),
    (b"\xe1\x9a\x80", rb"\xe1\x9a\x80"),
    (b"\xe2\x80", rb"\xe2\x80[\x80-\x8a\xaf]"),
    (b"\xe2\x81\x9f", rb"\xe2\x81\x9f"),
    (b"\xe3\x80", rb"\xe3\x80\x80"),
)
"""Blanks and control characters beyond ASCII, in UTF-8: bytes without which there is none, and a pattern.

A single byte is looked for twenty times as fast as a pattern.
"""
BUFFER_BYTES: Final = 2 * RECORD_BYTES_MAX + 64 * 1024
PARQUET: Final = f"read_parquet('{PROTOCOL}://parquet', binary_as_string = true)"


@dataclass(kw_only=True)
class Table(ABC):
    """A file as text: records, one a line or more."""

    file: ExtractFile
    names: tuple[str, ...]
    """Of the columns."""
    syntax: Syntax
    columns: int
    """Values in a record of the text."""
    first_row: int = 1
    """Number of the first row, for people."""
    names_are_told: bool = True
    """Whether the names are surely names, and may be shown."""
    has_header: bool = False
    """Whether the file itself names its columns in a first record."""
    may_have_more: ClassVar[bool] = False
    """Whether rows may have values under names that are not among them."""

    def require_told_names(self) -> None:
        """Raises RunEndError where the names may be somebody's data."""
        if not self.names_are_told:
            what = "may name its columns after somebody, or have no header, so they are not shown"
            raise unreadable(self.file, what)

    @abstractmethod
    def read(
        self, blobs: ReadableBlobs, take: Callable[[bytes], bool], *, positions: Collection[int], rows: int | None
    ) -> None:
        """Give the text, without a header, to `take`, block by block.

        Args:
            blobs: where the file lies.
            take: takes a block of the text; whether more is wanted.
            positions: of the columns that are needed.
            rows: so many are enough.
        """

    def sentinels(self, token: str, email: int | None) -> Sentinels:
        """What stands for records of the text that are no rows; `email` is the position of the addresses."""
        return Sentinels(token=token, syntax=self.syntax, columns=self.columns, column=email or 0)

    def relation(self, pieces: Sequence[bytes]) -> str:
        """What stands in FROM to read some pieces of the text."""
        quote = quoted('"' if self.syntax.quoting else "")
        columns = ", ".join(f"c{position}: 'VARCHAR'" for position in range(self.columns))
        padding = ", null_padding = true" if self.syntax.ragged else ""
        return f"""read_csv('{PROTOCOL}://{TEXT}', columns = {{{columns}}}, auto_detect = false, header = false,
            delim = {quoted(self.syntax.delimiter)}, quote = {quote}, escape = {quote}, new_line = '\\n',
            parallel = false{padding}{self._nulls(pieces)},
            max_line_size = {RECORD_BYTES_MAX + 1}, buffer_size = {BUFFER_BYTES})"""

    def _nulls(self, pieces: Sequence[bytes]) -> str:
        """An option with the values that mean nothing; only those that stand in the text, for each costs time."""
        nulls = [null for null in self.file.source.nulls if _stands_in(null.encode(), pieces)]
        return f", nullstr = [{', '.join(map(quoted, ['', *nulls]))}]" if nulls else ""

    def value(self, position: int) -> str:
        """SQL expression of a column's value as text; NULL when it is empty."""
        return f"c{position}"

    def email(self, position: int | None, token: str) -> str:
        """The same for the column with e-mail addresses; where the row is no row, `token` and what it is."""
        if position is None:
            return f"CASE WHEN starts_with(c0, {quoted(token)}) THEN c0 END"
        return self.value(position)  # the token stands in this column

    def may_be_odd(self, text: bytes) -> bool:
        """Whether values of this piece of text may hold blanks and control characters beyond ASCII."""
        return is_odd(text)


@dataclass(kw_only=True)
class TextTable(Table):
    """CSV."""

    encoding: str
    skipped: int = 0
    """Bytes of text before the first row: the header."""
    backslash: bool = False
    """Whether a backslash escapes quotation marks."""

    def read(
        self, blobs: ReadableBlobs, take: Callable[[bytes], bool], *, positions: Collection[int], rows: int | None
    ) -> None:
        """Give the text as it is stored."""
        del positions, rows
        text = plain_text(unpacked_blocks(blobs, self.file), self.encoding, backslash=self.backslash)
        for block in without_head(text, self.skipped):
            if not take(block):
                return


class JsonTable(TextTable):
    """One JSON object a line."""

    may_have_more = True

    def add_names(self, names: Sequence[str]) -> None:
        """Read these members, too, should they turn up."""
        self.names += tuple(names)

    def sentinels(self, token: str, email: int | None) -> Sentinels:
        """What stands for lines that are no rows: other lines."""
        del email
        return super().sentinels(token, 0)

    def relation(self, pieces: Sequence[bytes]) -> str:
        """The lines, and beside them those that are JSON; NaN and Infinity, which Python writes, are null."""
        finite = f"""CASE WHEN contains(c0, 'NaN') OR contains(c0, 'Infinity')
            THEN regexp_replace(c0, {quoted(NOT_FINITE)}, '\\1null\\2', 'g') ELSE c0 END"""
        lines = f"(SELECT c0 AS line, {finite} AS finite FROM {super().relation(pieces)})"
        return f"(SELECT line, if(json_valid(finite), finite, NULL) AS json FROM {lines})"

    def value(self, position: int) -> str:
        """The member, if it is not empty."""
        pointer = "/" + self.names[position].replace("~", "~0").replace("/", "~1")
        text = f"json_extract_string(json, {quoted(pointer)})"
        nulls = ", ".join(map(quoted, ("", *self.file.source.nulls)))
        return f"CASE WHEN {text} NOT IN ({nulls}) THEN {text} END"

    def _nulls(self, pieces: Sequence[bytes]) -> str:
        """A line is a value of its own, and means what it says."""
        del pieces
        return ""

    def email(self, position: int | None, token: str) -> str:
        """The member, or what a line that is no object is."""
        member = "NULL" if position is None else self.value(position)
        return f"""CASE
            WHEN line IS NULL THEN {quoted(token + BLANK)}
            WHEN starts_with(line, {quoted(token)}) THEN line
            WHEN json_type(json) = 'OBJECT' THEN {member}
            ELSE {quoted(token + Rejected.ROW_MALFORMED)}
        END"""

    def may_be_odd(self, text: bytes) -> bool:
        """Any character can be written as an escape."""
        return b"\\u" in text or super().may_be_odd(text)


@dataclass(kw_only=True)
class ParquetTable(Table):
    """Parquet; every value has a type, so nothing turns into text by accident."""

    engine: Engine
    identifiers: tuple[str, ...]
    """Names of the columns in SQL, which does not tell names apart that differ in case only."""
    types: tuple[str, ...]

    def read(
        self, blobs: ReadableBlobs, take: Callable[[bytes], bool], *, positions: Collection[int], rows: int | None
    ) -> None:
        """Write CSV, with a constant behind every row so that none is a blank line."""
        register_parquet(self.engine.files, blobs, self.file, columns=len(positions))
        values = ", ".join(self._text_of(n) if n in positions else "NULL" for n in range(len(self.names)))
        limit = "" if rows is None else f"LIMIT {rows}"
        with self.engine.beside() as engine:
            engine.copy(f"SELECT {values}, 0 FROM {PARQUET} {limit}", take, "HEADER false")

    def _text_of(self, position: int) -> str:
        """The column as text: days as YYYY-MM-DD, whole numbers without a fraction."""
        column, kind = identifier(self.identifiers[position]), self.types[position]
        if kind in {"FLOAT", "DOUBLE"}:
            whole = f"try_cast({column} AS HUGEINT)"
            text = f"if({whole} = {column}, {whole}::VARCHAR, {column}::VARCHAR)"
            return f"CASE WHEN NOT isnan({column}) THEN {text} END"
        if kind.startswith("TIMESTAMP"):
            return f"strftime(make_timestamp(epoch_us({column})), '%Y-%m-%dT%H:%M:%SZ')"
        if kind.endswith("[]"):
            return f"nullif(array_to_string({column}, ','), '')"
        if kind.startswith(("STRUCT", "MAP")):
            return f"to_json({column})::VARCHAR"
        return f"nullif({column}::VARCHAR, '')"


def _stands_in(value: bytes, pieces: Sequence[bytes]) -> bool:
    """Whether a value stands in some piece; its first byte alone is looked for ten times as fast."""
    return any(value[:1] in piece and value in piece for piece in pieces)


def open_table(
    engine: Engine,
    blobs: ReadableBlobs,
    file: ExtractFile,
    *,
    wanted: Sequence[str] = (),
    before: Sequence[str] = (),
) -> Table | None:
    """Find out what `file` is; None if it holds nothing.

    Args:
        engine: reads Parquet.
        blobs: where the file lies.
        file: a part of an extract.
        wanted: columns that a mapping takes, that of the e-mail address first.
        before: names in the header of an earlier part, which this one may lack.

    Raises RunEndError when it is nothing we read.
    """
    table = _open(engine, blobs, file, wanted, before)
    if table is not None and table.columns > file.source.limits.columns:
        message = (
            f"{file.name} has {table.columns:,} columns, more than the {file.source.limits.columns:,} allowed."
        )
        raise RunEndError(ReasonCode.TOO_MANY_COLUMNS, message)
    return table


def _open(
    engine: Engine, blobs: ReadableBlobs, file: ExtractFile, wanted: Sequence[str], before: Sequence[str]
) -> Table | None:
    head = _head(blobs, file)
    if head.startswith(PARQUET_MAGIC):
        return _parquet_table(engine, blobs, file)
    if file.source.format == "parquet" or file.name.endswith(".parquet"):
        raise unreadable(file, "is not Parquet")
    if what := foreign_format(head):
        raise unreadable(file, what)
    encoding = detect_encoding(head, file.source)
    text = b"".join(plain_text([head], encoding)).decode("utf-8", "surrogateescape")
    if what := no_text(text):
        raise unreadable(file, what)
    if not text.strip("\n"):
        return None
    if _is_json(text, file):
        names = tuple(map(_printable, _members(text)))
        declared = {*wanted, *file.source.columns}
        told = all(name in declared or COLUMN_NAME.fullmatch(name) for name in names)
        return JsonTable(file=file, encoding=encoding, names=names, syntax=LINE, columns=1, names_are_told=told)
    return _text_table(file, text, encoding, complete=len(head) < HEAD_BYTES, wanted=wanted, before=before)


def _text_table(
    file: ExtractFile, text: str, encoding: str, *, complete: bool, wanted: Sequence[str], before: Sequence[str]
) -> TextTable:
    try:
        layout = detect_layout(text, file.source, complete=complete, wanted=wanted, before=before)
    except AmbiguousDelimiterError as error:
        message = f"The values of {file.name} may be separated by {error}: each gives other rows."
        raise RunEndError(ReasonCode.DELIMITER_AMBIGUOUS, message) from None
    if layout.has_header and any(UNDECODABLE.search(name) for name in layout.names):
        raise undecodable(file, text, what="the names of the columns")
    return TextTable(
        file=file,
        encoding=encoding,
        names=tuple(map(_printable, layout.names)),
        syntax=layout.syntax,
        columns=len(layout.names),
        skipped=layout.skipped,
        first_row=layout.first_row,
        names_are_told=layout.names_are_told,
        has_header=layout.has_header,
        backslash=layout.backslash,
    )


def _printable(name: str) -> str:
    """`name` without lone surrogates, which stand for undecodable bytes, and cannot stand in a mapping either."""
    return name.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_odd(text: bytes) -> bool:
    """Whether there are odd characters in `text`."""
    return any(all(byte in text for byte in needed) and re.search(odd, text) for needed, odd in ODD)


def _head(blobs: ReadableBlobs, file: ExtractFile) -> bytes:
    head = b""
    stored = (
        read_range(blobs, file, offset=offset, length=HEAD_BYTES) for offset in range(0, file.size, HEAD_BYTES)
    )
    for block in unpacked(stored, file):
        head += block
        if len(head) >= HEAD_BYTES:
            break
    return head


def _is_json(text: str, file: ExtractFile) -> bool:
    if file.source.format != "auto":
        return file.source.format == "jsonl"
    name = file.name.casefold().removesuffix(".gz").removesuffix(".zst")
    start = text.lstrip()[:2]
    if name.endswith(JSON_SUFFIXES) and start.startswith("["):
        raise unreadable(file, "is one JSON array; JSON lines, one object a line, are read")
    return name.endswith(JSON_SUFFIXES) or start == '{"'


def _members(text: str) -> tuple[str, ...]:
    """Names of the members of the objects in `text`, in the order in which they turn up."""
    names: dict[str, None] = {}
    for line in text.split("\n"):
        with contextlib.suppress(ValueError, RecursionError):
            row = json.loads(line)
            names.update(dict.fromkeys(row if isinstance(row, dict) else ()))
    return tuple(names)


def _parquet_table(engine: Engine, blobs: ReadableBlobs, file: ExtractFile) -> ParquetTable:
    register_parquet(engine.files, blobs, file)
    described = engine.rows(f"DESCRIBE FROM {PARQUET}")
    identifiers, types = zip(*((row[0], row[1]) for row in described), strict=True)
    schema = engine.rows(f"SELECT name, num_children FROM parquet_schema('{PROTOCOL}://parquet')")
    names = _top_level(schema)
    return ParquetTable(
        file=file,
        names=names if len(names) == len(identifiers) else identifiers,
        identifiers=identifiers,
        types=types,
        engine=engine,
        syntax=Syntax(delimiter=",", quoting=True),
        columns=len(names) + 1,
    )


def _top_level(schema: Sequence[tuple[str, int | None]]) -> tuple[str, ...]:
    """Names of the columns in a Parquet schema, which lists every node with how many children follow it."""
    names: list[str] = []
    below = 0
    for name, children in schema[1:]:
        if below == 0:
            names.append(name)
        else:
            below -= 1
        below += children or 0
    return tuple(names)


def register_parquet(files: PlanFiles, blobs: ReadableBlobs, file: ExtractFile, *, columns: int = 0) -> None:
    """Let DuckDB read `columns` of `file` by position."""

    def fetch(offset: int, length: int) -> bytes:
        return read_range(blobs, file, offset=offset, length=length)

    files.add_pages("parquet", file.size, fetch, columns=columns)
