"""One file of an extract as a table: its columns, and the SQL that reads them."""

from __future__ import annotations

import contextlib
import json
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.extracts.csv_layout import HEAD_BYTES, detect_encoding, detect_layout, foreign_format, no_text
from shared.extracts.csv_records import BLANK, Sentinels, Syntax
from shared.extracts.streams import plain_text, read_range, unpacked, unpacked_blocks, unreadable, without_head
from shared.limits import RECORD_BYTES_MAX
from shared.model.rejections import Rejected
from shared.planning.duckdb_files import PROTOCOL, TEXT
from shared.planning.value_rules import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from shared.extracts.extract import ExtractFile
    from shared.planning.duckdb_files import PlanFiles
    from shared.planning.engine import Engine
    from shared.storage.interfaces import Blobs

PARQUET_MAGIC: Final = b"PAR1"
JSON_SUFFIXES: Final = (".json", ".jsonl", ".ndjson")
LINE: Final = Syntax(delimiter="\x01", quoting=False)
"""JSON lines as a table of one column: a control character cannot stand in JSON."""
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

    @abstractmethod
    def read(
        self, blobs: Blobs, take: Callable[[bytes], bool], *, positions: Collection[int], rows: int | None
    ) -> None:
        """Give the text, without a header, to `take`, block by block.

        Args:
            blobs: where the file lies.
            take: takes a block of the text; whether more is wanted.
            positions: of the columns that are needed.
            rows: so many are enough.
        """

    def sentinels(self, token: str, email: int) -> Sentinels:
        """What stands for records of the text that are no rows; `email` is the position of the addresses."""
        return Sentinels(token=token, syntax=self.syntax, columns=self.columns, column=email)

    def relation(self) -> str:
        """What stands in FROM to read some of the text."""
        quote = quoted('"' if self.syntax.quoting else "")
        columns = ", ".join(f"c{position}: 'VARCHAR'" for position in range(self.columns))
        return f"""read_csv('{PROTOCOL}://{TEXT}', columns = {{{columns}}}, auto_detect = false, header = false,
            delim = {quoted(self.syntax.delimiter)}, quote = {quote}, escape = {quote}, new_line = '\\n',
            parallel = false, max_line_size = {RECORD_BYTES_MAX + 1}, buffer_size = {BUFFER_BYTES})"""

    def value(self, position: int) -> str:
        """SQL expression of a column's value as text; NULL when it is empty."""
        return f"c{position}"

    def email(self, position: int, token: str) -> str:
        """The same for the column with e-mail addresses; where the row is no row, `token` and what it is."""
        del token  # it stands in this column
        return self.value(position)

    def may_be_odd(self, text: bytes) -> bool:
        """Whether values of this piece of text may hold blanks and control characters beyond ASCII."""
        return is_odd(text)


@dataclass(kw_only=True)
class TextTable(Table):
    """CSV."""

    encoding: str
    skipped: int = 0
    """Bytes of text before the first row: the header."""

    def read(
        self, blobs: Blobs, take: Callable[[bytes], bool], *, positions: Collection[int], rows: int | None
    ) -> None:
        """Give the text as it is stored."""
        del positions, rows
        for block in without_head(plain_text(unpacked_blocks(blobs, self.file), self.encoding), self.skipped):
            if not take(block):
                return


class JsonTable(TextTable):
    """One JSON object a line."""

    def sentinels(self, token: str, email: int) -> Sentinels:
        """What stands for lines that are no rows: other lines."""
        del email
        return super().sentinels(token, 0)

    def relation(self) -> str:
        """The lines, and beside them those that are JSON."""
        return f"(SELECT c0 AS line, if(json_valid(c0), c0, NULL) AS json FROM {super().relation()})"

    def value(self, position: int) -> str:
        """The member, if it is not empty."""
        pointer = "/" + self.names[position].replace("~", "~0").replace("/", "~1")
        return f"nullif(json_extract_string(json, {quoted(pointer)}), '')"

    def email(self, position: int, token: str) -> str:
        """The member, or what a line that is no object is."""
        return f"""CASE
            WHEN line IS NULL THEN {quoted(token + BLANK)}
            WHEN starts_with(line, {quoted(token)}) THEN line
            WHEN json_type(json) = 'OBJECT' THEN {self.value(position)}
            ELSE {quoted(token + Rejected.ROW_MALFORMED)}
        END"""

    def may_be_odd(self, text: bytes) -> bool:
        """Any character can be written as an escape."""
        return b"\\u" in text or super().may_be_odd(text)


@dataclass(kw_only=True)
class ParquetTable(Table):
    """Parquet; every value has a type, so nothing turns into text by accident."""

    engine: Engine
    types: tuple[str, ...]

    def read(
        self, blobs: Blobs, take: Callable[[bytes], bool], *, positions: Collection[int], rows: int | None
    ) -> None:
        """Write CSV, with a constant behind every row so that none is a blank line."""
        register_parquet(self.engine.files, blobs, self.file)
        values = ", ".join(self._text_of(n) if n in positions else "NULL" for n in range(len(self.names)))
        limit = "" if rows is None else f"LIMIT {rows}"
        with self.engine.beside() as engine:
            engine.copy(f"SELECT {values}, 0 FROM {PARQUET} {limit}", take, "HEADER false")

    def _text_of(self, position: int) -> str:
        """The column as text: days as YYYY-MM-DD, whole numbers without a fraction."""
        column, kind = _identifier(self.names[position]), self.types[position]
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


def open_table(engine: Engine, blobs: Blobs, file: ExtractFile) -> Table | None:
    """Find out what `file` is; None if it holds nothing. Raises RunEndError when it is nothing we read."""
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
        return JsonTable(file=file, encoding=encoding, names=names, syntax=LINE, columns=1)
    layout = detect_layout(text, file.source, complete=len(head) < HEAD_BYTES)
    return TextTable(
        file=file,
        encoding=encoding,
        names=tuple(map(_printable, layout.names)),
        syntax=layout.syntax,
        columns=len(layout.names),
        skipped=layout.skipped,
        first_row=layout.first_row,
    )


def _printable(name: str) -> str:
    """`name` without lone surrogates, which stand for undecodable bytes, and cannot stand in a mapping either."""
    return name.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_odd(text: bytes) -> bool:
    """Whether there are odd characters in `text`."""
    return any(all(byte in text for byte in needed) and re.search(odd, text) for needed, odd in ODD)


def _head(blobs: Blobs, file: ExtractFile) -> bytes:
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


def _parquet_table(engine: Engine, blobs: Blobs, file: ExtractFile) -> ParquetTable:
    register_parquet(engine.files, blobs, file)
    described = engine.rows(f"DESCRIBE FROM {PARQUET}")
    names, types = zip(*((row[0], row[1]) for row in described), strict=True)
    return ParquetTable(
        file=file,
        names=names,
        types=types,
        engine=engine,
        syntax=Syntax(delimiter=",", quoting=True),
        columns=len(names) + 1,
    )


def register_parquet(files: PlanFiles, blobs: Blobs, file: ExtractFile) -> None:
    """Let DuckDB read `file` by position."""

    def fetch(offset: int, length: int) -> bytes:
        return read_range(blobs, file, offset=offset, length=length)

    files.add_pages("parquet", file.size, fetch)


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
