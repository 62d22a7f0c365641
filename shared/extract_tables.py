"""One file of an extract as a table: its columns, and the SQL that reads them."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.csv_layout import HEAD_BYTES, detect_encoding, detect_layout, foreign_format, no_text
from shared.csv_records import BLANK, Syntax
from shared.duckdb_files import PROTOCOL
from shared.extract_streams import plain_text, read_range, unpacked_blocks, unreadable, without_head
from shared.limits import RECORD_BYTES_MAX
from shared.plan_query import identifier, quoted
from shared.rejections import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from shared.csv_records import Marks
    from shared.duckdb_files import PlanFiles
    from shared.extracts import ExtractFile
    from shared.storage import Blobs

PARQUET_MAGIC: Final = b"PAR1"
JSON_SUFFIXES: Final = (".json", ".jsonl", ".ndjson")
LINE: Final = Syntax(delimiter="\x01", quoting=False)
"""JSON lines as a table of one column: a control character cannot stand in JSON."""
ODD_LEADS: Final = (b"\x7f", b"\xc2", b"\xe1", b"\xe2", b"\xe3")
"""A byte of these begins every blank and control character beyond ASCII."""
BUFFER_BYTES: Final = 2 * RECORD_BYTES_MAX + 64 * 1024


@dataclass(kw_only=True)
class TextTable:
    """A file of records, one a line or more."""

    file: ExtractFile
    encoding: str
    names: tuple[str, ...]
    """Of the columns."""
    syntax: Syntax
    columns: int
    """Values in a record as DuckDB reads it."""
    skipped: int = 0
    """Bytes of text before the first row: the header."""
    first_row: int = 1
    """Number of the first row, for people."""
    odd: bool = False
    """Whether the file may hold blanks and control characters beyond ASCII; known when it was read."""

    def text(self, blobs: Blobs) -> Iterator[bytes]:
        """The text after the header."""
        blocks = plain_text(unpacked_blocks(blobs, self.file), self.encoding)
        for block in without_head(blocks, self.skipped):
            self.odd = self.odd or any(lead in block for lead in ODD_LEADS)
            yield block

    def relation(self, name: str) -> str:
        """What stands in FROM to read a piece of the text, registered as `name` and with an end mark."""
        quote = quoted('"' if self.syntax.quoting else "")
        columns = ", ".join(f"c{position}: 'VARCHAR'" for position in range(self.columns))
        # Only `parallel = false` reads values with line breaks right. It keeps the whole piece in memory.
        return f"""read_csv('{PROTOCOL}://{name}', columns = {{{columns}}}, auto_detect = false, header = false,
            delim = {quoted(self.syntax.delimiter)}, quote = {quote}, escape = {quote}, store_rejects = true,
            max_line_size = {RECORD_BYTES_MAX}, buffer_size = {BUFFER_BYTES}, parallel = false)"""

    def value(self, position: int) -> str:
        """SQL expression of a column's value as text; NULL when it is empty."""
        return f"c{position}"

    def email(self, position: int, marks: Marks) -> str:
        """The same for the column with e-mail addresses; says so where the row is no row."""
        del marks  # they stand in every column
        return self.value(position)


class JsonTable(TextTable):
    """One JSON object a line."""

    def relation(self, name: str) -> str:
        """The lines, and beside them those that are JSON."""
        return f"(SELECT c0 AS line, if(json_valid(c0), c0, NULL) AS json FROM {super().relation(name)})"

    def value(self, position: int) -> str:
        """The member, if it is not empty."""
        pointer = "/" + self.names[position].replace("~", "~0").replace("/", "~1")
        return f"nullif(json_extract_string(json, {quoted(pointer)}), '')"

    def email(self, position: int, marks: Marks) -> str:
        """The member, or a mark for a line that is no object."""
        return f"""CASE
            WHEN line IS NULL THEN {quoted(marks.token + BLANK)}
            WHEN starts_with(line, {quoted(marks.token)}) THEN line
            WHEN json_type(json) = 'OBJECT' THEN {self.value(position)}
            ELSE {quoted(marks.token + Rejected.ROW_MALFORMED)}
        END"""


@dataclass(kw_only=True)
class ParquetTable:
    """Parquet; every value has a type."""

    file: ExtractFile
    names: tuple[str, ...]
    types: tuple[str, ...]
    first_row: int = 1
    odd: bool = True

    def relation(self, name: str) -> str:
        """What stands in FROM to read the file, registered as `name`."""
        return _parquet_relation(name)

    def value(self, position: int) -> str:
        """The column as text: days as YYYY-MM-DD, whole numbers without a fraction."""
        column, kind = identifier(self.names[position]), self.types[position]
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

    def email(self, position: int, marks: Marks) -> str:
        """The column."""
        del marks
        return self.value(position)


type Table = TextTable | ParquetTable


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
        return JsonTable(file=file, encoding=encoding, names=_members(text), syntax=LINE, columns=1)
    layout = detect_layout(text, file.source, complete=len(head) < HEAD_BYTES)
    return TextTable(
        file=file,
        encoding=encoding,
        names=layout.names,
        syntax=layout.syntax,
        columns=len(layout.names),
        skipped=layout.skipped,
        first_row=layout.first_row,
    )


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


def _members(text: str) -> tuple[str, ...]:
    """Names of the members of the objects in `text`, in the order in which they turn up."""
    names: dict[str, None] = {}
    for line in text.split("\n"):
        with contextlib.suppress(ValueError):
            row = json.loads(line)
            names.update(dict.fromkeys(row if isinstance(row, dict) else ()))
    return tuple(names)


def _parquet_table(
    connection: duckdb.DuckDBPyConnection, files: PlanFiles, blobs: Blobs, file: ExtractFile
) -> ParquetTable:
    register_pages("parquet", files, blobs, file)
    described = connection.execute(f"DESCRIBE FROM {_parquet_relation('parquet')}").fetchall()
    names, types = zip(*((row[0], row[1]) for row in described), strict=True)
    return ParquetTable(file=file, names=names, types=types)


def _parquet_relation(name: str) -> str:
    return f"read_parquet('{PROTOCOL}://{name}', binary_as_string = true)"


def register_pages(name: str, files: PlanFiles, blobs: Blobs, file: ExtractFile) -> None:
    """Let DuckDB read `file` by position, as `name`."""

    def fetch(offset: int, length: int) -> bytes:
        return read_range(blobs, file, offset=offset, length=length)

    files.add_pages(name, file.size, fetch)
