"""The text of a `.zst` file. Python 3.13 cannot decompress Zstandard, DuckDB can; it gives lines of UTF-8."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import TYPE_CHECKING, Final

from shared.limits import RECORD_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.extracts import ExtractFile

NEVER_SEEN: Final = "\x01\x02\x03\x04"
"""A delimiter that no text has."""
LOOK_AGAIN: Final = 0.2
"""Seconds after which a waiting writer looks whether anybody still reads."""


class _NobodyReadsError(Exception):
    """The reader of the lines went away before their end."""


def zstd_lines(blocks: Iterator[bytes], file: ExtractFile) -> Iterator[bytes]:
    """The text compressed in `blocks`, with one kind of line break, in blocks of a few megabytes.

    Raises RunEndError if the file is damaged, is not UTF-8, or has a line longer than any row may be.
    """
    pieces: queue.Queue[bytes | BaseException | None] = queue.Queue(maxsize=1)
    nobody_reads = threading.Event()

    def hand_over(piece: bytes | BaseException | None) -> None:
        while not nobody_reads.is_set():
            with contextlib.suppress(queue.Full):
                pieces.put(piece, timeout=LOOK_AGAIN)
                return
        raise _NobodyReadsError

    def decompress() -> None:
        with contextlib.suppress(_NobodyReadsError):
            try:
                _copy_lines(blocks, file, hand_over)
                hand_over(None)
            except _NobodyReadsError:
                raise
            except BaseException as error:  # noqa: BLE001  # the reader raises it
                hand_over(error)

    worker = threading.Thread(target=decompress, name="unpack-zstd")
    worker.start()
    try:
        while (piece := pieces.get()) is not None:
            if isinstance(piece, BaseException):
                raise piece
            yield piece
    finally:
        nobody_reads.set()
        worker.join()


def _copy_lines(blocks: Iterator[bytes], file: ExtractFile, take: Callable[[bytes], None]) -> None:
    import duckdb

    from shared.duckdb_files import PROTOCOL, PlanFiles, StreamReader
    from shared.extract_streams import unreadable

    files = PlanFiles()
    files.readers["packed"] = lambda: StreamReader(blocks)
    files.sinks["lines"] = take
    with contextlib.closing(
        duckdb.connect(":memory:", config={"threads": 1, "preserve_insertion_order": False})
    ) as connection:
        connection.register_filesystem(files)
        try:
            connection.execute(f"""
                COPY (
                    FROM read_csv('{PROTOCOL}://packed', compression = 'zstd', columns = {{line: 'VARCHAR'}},
                        auto_detect = false, header = false, delim = '{NEVER_SEEN}', quote = '', escape = '',
                        max_line_size = {RECORD_BYTES_MAX}, buffer_size = {2 * RECORD_BYTES_MAX}, parallel = false, strict_mode = false)
                ) TO '{PROTOCOL}://lines' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', USE_TMP_FILE false)
            """)
        except duckdb.Error:
            if files.failure:
                raise files.failure from None
            why = "is damaged Zstandard, or not UTF-8, or has a line longer than a megabyte"
            raise unreadable(file, why) from None
