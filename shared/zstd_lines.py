"""The text of a `.zst` file. Python 3.13 cannot decompress Zstandard, DuckDB can; it gives lines of UTF-8."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from shared.limits import RECORD_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.extracts import ExtractFile

LINES_AT_A_TIME: Final = 4096
NEVER_SEEN: Final = "\x01\x02\x03\x04"
"""A delimiter that no text has."""


def zstd_lines(blocks: Iterator[bytes], file: ExtractFile) -> Iterator[bytes]:
    """Blocks of whole lines of the compressed `blocks`.

    Raises RunEndError if the file is damaged, is not UTF-8, or has a line longer than any row may be.
    """
    import duckdb

    from shared.duckdb_files import PROTOCOL, PlanFiles, StreamReader
    from shared.extract_streams import unreadable

    files = PlanFiles()
    files.readers["lines"] = lambda: StreamReader(blocks)
    with contextlib.closing(duckdb.connect(":memory:", config={"threads": 1})) as connection:
        connection.register_filesystem(files)
        try:
            lines = connection.execute(f"""
                FROM read_csv('{PROTOCOL}://lines', compression = 'zstd', columns = {{line: 'VARCHAR'}},
                    auto_detect = false, header = false, delim = '{NEVER_SEEN}', quote = '', escape = '',
                    max_line_size = {RECORD_BYTES_MAX}, buffer_size = {2 * RECORD_BYTES_MAX}, parallel = false)
            """)
            while rows := lines.fetchmany(LINES_AT_A_TIME):
                yield ("\n".join(line or "" for (line,) in rows) + "\n").encode()
        except duckdb.Error:
            if files.failure:
                raise files.failure from None
            raise unreadable(file, "is damaged Zstandard, not UTF-8, or has a line longer than a megabyte") from None
