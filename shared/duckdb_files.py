"""Files as DuckDB sees them: texts in memory and blobs to read, sinks to write, nothing on disk."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from fsspec.spec import AbstractFileSystem

if TYPE_CHECKING:
    from collections.abc import Callable

PROTOCOL: Final = "plan"
PAGE_BYTES: Final = 1 << 20
"""Bytes asked of the store when a file is read by position."""
PAGES: Final = 24


class PageReader(io.RawIOBase):
    """A file read by position, in pages of which the last few are kept.

    DuckDB reads one handle from several threads, each of which seeks before it reads: every thread has a
    position of its own.
    """

    def __init__(self, size: int, fetch: Callable[[int, int], bytes]) -> None:
        """`fetch` takes offset and length."""
        super().__init__()
        self._size = size
        self._fetch = fetch
        self._positions: dict[int, int] = {}
        self._pages: dict[int, bytes] = {}
        self._lock = threading.Lock()

    def read(self, size: int = -1) -> bytes:
        """`size` bytes from where this thread's last read or seek ended."""
        position = self.tell()
        end = self._size if size < 0 else min(position + size, self._size)
        first, last = position // PAGE_BYTES, max(end - 1, 0) // PAGE_BYTES
        with self._lock:
            data = b"".join(self._page(number) for number in range(first, last + 1))
        self.seek(max(end, position))
        start = position - first * PAGE_BYTES
        return data[start : start + end - position] if end > position else b""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to `offset` from the start, which is all that DuckDB asks."""
        self._positions[threading.get_ident()] = offset + whence
        return offset + whence

    def tell(self) -> int:
        """Where this thread's next read begins."""
        return self._positions.get(threading.get_ident(), 0)

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


@dataclass(frozen=True, kw_only=True)
class Readable:
    """A file that DuckDB may read."""

    size: int
    open: Callable[[], io.RawIOBase | io.BytesIO]


class PlanFiles(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """The files of one plan, by name; register it with one connection.

    An error that a file raises reaches Python as an error of DuckDB, with text that may hold people's data;
    the original is kept in `failure`.
    """

    protocol = PROTOCOL
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.readable: dict[str, Readable] = {}
        self.sinks: dict[str, Callable[[bytes], None]] = {}
        self.failure: BaseException | None = None

    def add_text(self, name: str, text: bytes) -> None:
        """Let `text` be read as the file `name`."""
        self.readable[name] = Readable(size=len(text), open=lambda: io.BytesIO(text))

    def add_pages(self, name: str, size: int, fetch: Callable[[int, int], bytes]) -> None:
        """Let a file of `size` bytes be read by position; `fetch` takes offset and length."""
        self.readable[name] = Readable(size=size, open=lambda: PageReader(size, self._guarded(fetch)))

    def open(self, path: str, mode: str = "rb", **_: object) -> io.RawIOBase | io.BytesIO:
        """Open what is registered under `path`."""
        name = self._strip_protocol(path)
        if "w" in mode:
            return SinkWriter(self._guarded(self.sinks[name]))
        return self.readable[name].open()

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
        """Name, kind and size; a sink has none."""
        name = self._strip_protocol(path)
        size = self.readable[name].size if name in self.readable else 0
        return {"name": name, "size": size, "type": "file"}

    def exists(self, path: str, **_: object) -> bool:
        """Whether there is something to read under `path`."""
        return self._strip_protocol(path) in self.readable

    def isfile(self, path: str) -> bool:
        """Say the same as `exists`."""
        return self.exists(path)

    def modified(self, path: str) -> datetime:
        """Always the same: versions are pinned elsewhere."""
        del path
        return datetime(2000, 1, 1, tzinfo=UTC)
