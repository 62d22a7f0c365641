"""Files as DuckDB sees them: blobs and streams to read, sinks to write, nothing on disk.

DuckDB asks for the size of a file it reads by position, and nobody knows the size of a stream. A compressed
file it reads forward only. So streams are handed over as Zstandard frames of uncompressed blocks (RFC 8878,
3.1.1), which cost next to nothing.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from fsspec.spec import AbstractFileSystem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROTOCOL: Final = "plan"
FRAME_HEADER: Final = b"\x28\xb5\x2f\xfd\x00\x38"
"""Magic number; no checksum, no size; a window of 128 KiB."""
FRAME_BLOCK: Final = 128 * 1024
LAST_BLOCK: Final = (1).to_bytes(3, "little")
PAGE_BYTES: Final = 1 << 20
"""Bytes asked of the store when a file is read by position."""
PAGES: Final = 24


class StreamReader(io.RawIOBase):
    """A stream of bytes, which can be read forward only."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        super().__init__()
        self._blocks = blocks
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; none at the end."""
        data = self._rest or next(filter(None, self._blocks), b"")
        self._rest = data[size:]
        return data[:size]

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Do nothing: DuckDB goes to the start of a file that it has just opened."""
        return offset + whence


def framed(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The blocks as a Zstandard frame without compression."""
    yield FRAME_HEADER
    for block in blocks:
        for start in range(0, len(block), FRAME_BLOCK):
            piece = block[start : start + FRAME_BLOCK]
            yield (len(piece) << 3).to_bytes(3, "little") + piece
    yield LAST_BLOCK


class PageReader(io.RawIOBase):
    """A file read by position, in pages of which the last few are kept."""

    def __init__(self, size: int, fetch: Callable[[int, int], bytes]) -> None:
        """`fetch` takes offset and length."""
        super().__init__()
        self._size = size
        self._fetch = fetch
        self._position = 0
        self._pages: dict[int, bytes] = {}

    def read(self, size: int = -1) -> bytes:
        """`size` bytes from where the last read or seek ended."""
        end = self._size if size < 0 else min(self._position + size, self._size)
        first, last = self._position // PAGE_BYTES, max(end - 1, 0) // PAGE_BYTES
        data = b"".join(self._page(number) for number in range(first, last + 1))
        start = self._position - first * PAGE_BYTES
        result = data[start : start + end - self._position]
        self._position = end
        return result

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to `offset` from the start, which is all that DuckDB asks."""
        self._position = offset + whence
        return self._position

    def tell(self) -> int:
        """Where the next read begins."""
        return self._position

    def _page(self, number: int) -> bytes:
        if number not in self._pages:
            while len(self._pages) >= PAGES:
                self._pages.pop(next(iter(self._pages)))
            self._pages[number] = self._fetch(number * PAGE_BYTES, PAGE_BYTES)
        return self._pages[number]


class SinkWriter(io.RawIOBase):
    """Hands on what DuckDB writes."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        super().__init__()
        self._take = take

    def write(self, data: bytes) -> int:  # type: ignore[override]  # DuckDB gives bytes
        """Take all of `data`."""
        self._take(data)
        return len(data)


class PlanFiles(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """The files of one plan, by name; register it with one connection.

    An error that a file raises reaches Python as an error of DuckDB, with text that may hold people's data;
    the original is kept in `failure`.
    """

    protocol = PROTOCOL
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.readers: dict[str, Callable[[], StreamReader | PageReader]] = {}
        self.sizes: dict[str, int] = {}
        self.sinks: dict[str, Callable[[bytes], None]] = {}
        self.failure: BaseException | None = None

    def open(self, path: str, mode: str = "rb", **_: object) -> io.RawIOBase:
        """Open what is registered under `path`."""
        name = self._strip_protocol(path)
        if "w" in mode:
            return SinkWriter(self._guarded(self.sinks[name]))
        reader = self.readers[name]()
        reader.read = self._guarded(reader.read)  # type: ignore[method-assign]
        return reader

    def _guarded[**P, R](self, function: Callable[P, R]) -> Callable[P, R]:
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except BaseException as error:
                self.failure = error
                raise

        return call

    def glob(self, path: str, **_: object) -> list[str]:
        """`path` itself: names hold no patterns."""
        return [path]

    def info(self, path: str, **_: object) -> dict[str, object]:
        """Name, kind and size."""
        name = self._strip_protocol(path)
        return {"name": name, "size": self.sizes.get(name, 0), "type": "file"}

    def exists(self, path: str, **_: object) -> bool:
        """Whether there is something to read under `path`."""
        return self._strip_protocol(path) in self.readers

    def isfile(self, path: str) -> bool:
        """Say the same as `exists`."""
        return self.exists(path)

    def modified(self, path: str) -> datetime:
        """Always the same: versions are pinned elsewhere."""
        del path
        return datetime(2000, 1, 1, tzinfo=UTC)
