"""The lines of a `.zst` file. Python 3.13 cannot decompress Zstandard; DuckDB can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.limits import RECORD_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.extracts import ExtractFile
    from shared.storage import Blobs

LINES_AT_A_TIME: Final = 4096


def zstd_lines(blobs: Blobs, file: ExtractFile) -> Iterator[bytes]:
    """Blocks of whole lines."""
    raise NotImplementedError
