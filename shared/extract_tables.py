"""One file of an extract as a table that DuckDB reads: its columns, and the SQL that reads them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from shared.csv_layout import HEAD_BYTES, Layout, detect_encoding, detect_layout, foreign_format, no_text
from shared.csv_records import BLANK, Marks, Repair, Syntax, with_end_mark
from shared.duckdb_files import PROTOCOL, PageReader, PlanFiles, StreamReader, framed
from shared.extract_streams import plain_text, read_range, unpacked_blocks, unreadable
from shared.limits import RECORD_BYTES_MAX
from shared.plan_query import identifier, quoted
from shared.rejections import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from shared.extracts import ExtractFile
    from shared.storage import Blobs

PARQUET_MAGIC: Final = b"PAR1"
JSON_SUFFIXES: Final = (".json", ".jsonl", ".ndjson")
LINE: Final = Syntax(delimiter="\x01", quoting=False)
"""JSON lines as a table of one column: a control character cannot stand in JSON."""
ODD_LEADS: Final = (b"\x7f", b"\xc2", b"\xe1", b"\xe2", b"\xe3")
"""A byte of these begins every blank and control character beyond ASCII."""
BUFFER_BYTES: Final = 2 * RECORD_BYTES_MAX + 64 * 1024


class Table(Protocol):
    """A file to plan from."""

    file: ExtractFile
    names: tuple[str, ...]
    """Of the columns."""
    first_row: int
    """Number of its first row, for people."""
    is_text: bool
    """Whether rows may be malformed."""
    odd: bool
    """Whether the file may hold blanks and control characters beyond ASCII; known after it was read."""

    def relation(self, files: PlanFiles, blobs: Blobs, marks: Marks, *, repair: bool) -> str:
        """What stands in FROM; registers the file with `files`."""

    def value(self, position: int) -> str:
        """SQL expression of a column's value as text; NULL when it is empty."""

    def email(self, position: int, marks: Marks) -> str:
        """SQL expression of the column with e-mail addresses; says so where the row is no row."""


@dataclass(kw_only=True)
class CsvTable:
    """CSV in any of its forms."""

    file: ExtractFile
    encoding: str
    layout: Layout
    is_text: bool = True
    odd: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        return self.layout.names

    @property
    def first_row(self) -> int:
        """After the header, if there is one."""
        return self.layout.first_row

    def relation(self, files: PlanFiles, blobs: Blobs, marks: Marks, *, repair: bool) -> str:
        """A scan of the file's text."""
        columns = len(self.names)
        return _text_relation(self, files, blobs, marks, self.layout.syntax, columns, repair=repair)

    def value(self, position: int) -> str:
        """The column."""
        return f"c{position}"

    def email(self, position: int, marks: Marks) -> str:
        """The column; marks stand in every column of a row."""
        del marks
        return f"c{position}"

    def blocks(self, blobs: Blobs) -> Iterator[bytes]:
        """The text after the header."""
        return _without_head(plain_text(unpacked_blocks(blobs, self.file), self.encoding), self.layout.skipped)


@dataclass(kw_only=True)
class JsonTable:
    """One JSON object a line."""

    file: ExtractFile
    encoding: str
    names: tuple[str, ...]
    first_row: int = 1
    is_text: bool = True
    odd: bool = False

    def relation(self, files: PlanFiles, blobs: Blobs, marks: Marks, *, repair: bool) -> str:
        """A scan of the file's lines."""
        return _text_relation(self, files, blobs, marks, LINE, 1, repair=repair)

    def value(self, position: int) -> str:
        """The member, if it is not empty."""
        pointer = "/" + self.names[position].replace("~", "~0").replace("/", "~1")
        return f"nullif(json_extract_string(c0, {quoted(pointer)}), '')"

    def email(self, position: int, marks: Marks) -> str:
        """The member, or a mark for a line that is no object."""
        return f"""CASE
            WHEN c0 IS NULL THEN {quoted(marks.token + BLANK)}
            WHEN starts_with(c0, {quoted(marks.token)}) THEN c0
            WHEN json_valid(c0) AND json_type(c0) = 'OBJECT' THEN {self.value(position)}
            ELSE {quoted(marks.token + Rejected.ROW_MALFORMED)}
        END"""

    def blocks(self, blobs: Blobs) -> Iterator[bytes]:
        """The whole text."""
        return plain_text(unpacked_blocks(blobs, self.file), self.encoding)


@dataclass(kw_only=True)
class ParquetTable:
    """Parquet; every value has a type."""

    file: ExtractFile
    names: tuple[str, ...]
    types: tuple[str, ...]
    first_row: int = 1
    is_text: bool = False
    odd: bool = field(default=True)

    def relation(self, files: PlanFiles, blobs: Blobs, marks: Marks, *, repair: bool) -> str:
        """A scan of the file."""
        del marks, repair
        return _parquet_relation(files, blobs, self.file)

    def value(self, position: int) -> str:
        """The column as text: days as YYYY-MM-DD, whole numbers without a fraction."""
        column, kind = identifier(self.names[position]), self.types[position]
        if kind in {"FLOAT", "DOUBLE"}:
            whole = f"try_cast({column} AS HUGEINT)"
            return f"CASE WHEN NOT isnan({column}) THEN if({whole} = {column}, {whole}::VARCHAR, {column}::VARCHAR) END"
        if kind.startswith("TIMESTAMP"):
            return f"strftime(make_timestamp(epoch_us({column})), '%Y-%m-%dT%H:%M:%SZ')"
        if kind.endswith("[]"):
            return f"nullif(array_to_string({column}, ','), '')"
        if kind.startswith(("STRUCT", "MAP")):
            return f"to_json({column})::VARCHAR"
        return f"nullif({column}::VARCHAR, '')"

    def email(self, position: int, marks: Marks) -> str:
        """The column."""
        del marks
        return self.value(position)


def open_table(connection: duckdb.DuckDBPyConnection, files: PlanFiles, blobs: Blobs, file: ExtractFile) -> Table:
    """Find out what `file` is. Raises RunEndError when it is nothing we read."""
    head = _head(blobs, file)
    if head.startswith(PARQUET_MAGIC):
        return _parquet_table(connection, files, blobs, file)
    if file.source.format == "parquet" or file.name.endswith(".parquet"):
        raise unreadable(file, "is not Parquet")
    if what := foreign_format(head):
        raise unreadable(file, what)
    encoding = detect_encoding(head, file.source)
    text = b"".join(plain_text([head], encoding)).decode("utf-8", "surrogateescape")
    if what := no_text(text):
        raise unreadable(file, what)
    if _is_json(text, file):
        return _json_table(text, file, encoding)
    complete = len(head) < HEAD_BYTES
    layout = detect_layout(text, file.source, complete=complete)
    return CsvTable(file=file, encoding=encoding, layout=layout)


def _head(blobs: Blobs, file: ExtractFile) -> bytes:
    head = b""
    for block in unpacked_blocks(blobs, file, HEAD_BYTES):
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


def _json_table(text: str, file: ExtractFile, encoding: str) -> JsonTable:
    names: dict[str, None] = {}
    for line in text.split("\n"):
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            names.update(dict.fromkeys(row))
    return JsonTable(file=file, encoding=encoding, names=tuple(names))


def _parquet_table(
    connection: duckdb.DuckDBPyConnection, files: PlanFiles, blobs: Blobs, file: ExtractFile
) -> ParquetTable:
    described = connection.execute(f"DESCRIBE FROM {_parquet_relation(files, blobs, file)}").fetchall()
    names, types = zip(*((row[0], row[1]) for row in described), strict=True)
    return ParquetTable(file=file, names=names, types=types)


def _parquet_relation(files: PlanFiles, blobs: Blobs, file: ExtractFile) -> str:
    def fetch(offset: int, length: int) -> bytes:
        return read_range(blobs, file, offset=offset, length=length)

    files.readers["source"] = lambda: PageReader(file.size, fetch)
    files.sizes["source"] = file.size
    return f"read_parquet('{PROTOCOL}://source', binary_as_string = true)"


def _text_relation(
    table: CsvTable | JsonTable,
    files: PlanFiles,
    blobs: Blobs,
    marks: Marks,
    syntax: Syntax,
    columns: int,
    *,
    repair: bool,
) -> str:
    def read() -> StreamReader:
        blocks = _watched(table, table.blocks(blobs))
        if repair:
            blocks = Repair(syntax, columns, marks).blocks(blocks)
        return StreamReader(framed(with_end_mark(blocks, marks.end(syntax, columns))))

    files.readers["source"] = read
    quote = quoted('"' if syntax.quoting else "")
    names = ", ".join(f"c{position}: 'VARCHAR'" for position in range(columns))
    return f"""read_csv('{PROTOCOL}://source', compression = 'zstd', columns = {{{names}}},
            auto_detect = false, header = false, delim = {quoted(syntax.delimiter)}, quote = {quote}, escape = {quote},
            max_line_size = {RECORD_BYTES_MAX}, buffer_size = {BUFFER_BYTES}, parallel = false, store_rejects = true)"""


def _watched(table: CsvTable | JsonTable, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same blocks; `table` learns whether there is anything odd in them."""
    for block in blocks:
        table.odd = table.odd or any(lead in block for lead in ODD_LEADS)
        yield block


def _without_head(blocks: Iterator[bytes], skipped: int) -> Iterator[bytes]:
    for block in blocks:
        yield block[skipped:]
        skipped = max(0, skipped - len(block))
        if not skipped:
            break
    yield from blocks
