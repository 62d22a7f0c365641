"""Files as DuckDB sees them: texts in memory and blobs to read, sinks to write, nothing on disk."""

from __future__ import annotations

import io
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from fsspec.spec import AbstractFileSystem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PROTOCOL: Final = "plan"
TEXT: Final = "text"
PAGE_BYTES: Final = 1 << 20
"""Bytes asked of the store when a file is read by position."""
PAGES: Final = 12
"""Pages that are kept; a file of columns needs one more for each that is read."""


class TextReader(io.RawIOBase):
    """Several texts, one behind the other."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        super().__init__()
        self._texts = [memoryview(text) for text in texts]
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes; fewer at the end."""
        start, wanted = self._position, size if size >= 0 else sum(map(len, self._texts))
        parts = []
        for text in self._texts:
            parts.append(text[start : start + wanted])
            wanted -= len(parts[-1])
            start = max(start - len(text), 0)
        data = b"".join(parts)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to `offset` from the start, which is all that DuckDB asks."""
        self._position = offset + whence
        return self._position

    def tell(self) -> int:
        """Where the next read begins."""
        return self._position


class PageReader(io.RawIOBase):
    """A file read by position, in pages of which the last used are kept.

    DuckDB reads one handle from several threads, each of which seeks before it reads: every thread has a
    position of its own.
    """

    def __init__(self, size: int, fetch: Callable[[int, int], bytes], *, pages: int = PAGES) -> None:
        """`fetch` takes offset and length; so many `pages` are kept."""
        super().__init__()
        self._size = size
        self._fetch = fetch
        self._most = pages
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
        page = self._pages.pop(number, None)
        if page is None:
            while len(self._pages) >= self._most:
                self._pages.pop(next(iter(self._pages)))
            page = self._fetch(number * PAGE_BYTES, PAGE_BYTES)
        self._pages[number] = page  # behind those that were used before
        return page


class SinkWriter(io.RawIOBase):
    """Hands on what DuckDB writes."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        super().__init__()
        self._take = take

    def write(self, data: bytes) -> int:  # type: ignore[override]  # DuckDB gives bytes
        """Take all of `data`."""
        self._take(data)
        return len(data)


class _OfThread(threading.local):
    """What each thread has for itself: the engine reads and writes on the thread that asks it to."""

    text: Sequence[bytes] = ()
    failure: BaseException | None = None


class PlanFiles(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """The files of one plan, by name; register it with one connection.

    An error that a file raises reaches Python as an error of DuckDB, with text that may hold people's data;
    the original is kept until the thread takes it.
    """

    protocol = PROTOCOL
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self._own = _OfThread()
        self._sinks: dict[str, Callable[[bytes], object]] = {}
        self._sinks_added = 0
        self._pages: dict[str, Callable[[], PageReader]] = {}
        self._sizes: dict[str, int] = {}

    @property
    def text(self) -> Sequence[bytes]:
        """What this thread reads under the name TEXT, one part behind the other."""
        return self._own.text

    @text.setter
    def text(self, texts: Sequence[bytes]) -> None:
        self._own.text = texts

    def take_failure(self) -> BaseException | None:
        """What a file raised on this thread, if there is something that was not taken yet."""
        failure, self._own.failure = self._own.failure, None
        return failure

    def add_pages(self, name: str, size: int, fetch: Callable[[int, int], bytes], *, columns: int = 0) -> None:
        """Let a file of `size` bytes, or `columns` of it, be read by position; `fetch` takes offset and length."""
        self._pages[name] = lambda: PageReader(size, self._guarded(fetch), pages=PAGES + columns)
        self._sizes[name] = size

    def add_bytes(self, name: str, data: bytes) -> None:
        """Let `data` be read by position."""
        self.add_pages(name, len(data), lambda offset, length: data[offset : offset + length])

    def add_sink(self, take: Callable[[bytes], object]) -> str:
        """A name under which `take` can be written to, once."""
        self._sinks_added += 1
        name = f"sink/{self._sinks_added}"
        self._sinks[name] = take
        return name

    def open(self, path: str, mode: str = "rb", **_: object) -> io.RawIOBase:
        """Open what goes by the name `path`."""
        name = self._strip_protocol(path)
        if "w" in mode:
            return SinkWriter(self._guarded(self._sinks.pop(name)))
        return TextReader(self.text) if name == TEXT else self._pages[name]()

    def _guarded[**P, R](self, function: Callable[P, R]) -> Callable[P, R]:
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except BaseException as error:
                self._own.failure = error
                raise

        return call

    def glob(self, path: str, **_: object) -> list[str]:
        """`path` itself: names hold no patterns."""
        return [path]

    def info(self, path: str, **_: object) -> dict[str, object]:
        """Name, kind and size; a sink has none."""
        name = self._strip_protocol(path)
        size = sum(map(len, self.text)) if name == TEXT else self._sizes.get(name, 0)
        return {"name": name, "size": size, "type": "file"}

    def exists(self, path: str, **_: object) -> bool:
        """Whether there is something to read under `path`."""
        name = self._strip_protocol(path)
        return name == TEXT or name in self._pages

    def isfile(self, path: str) -> bool:
        """Say the same as `exists`."""
        return self.exists(path)

    def modified(self, path: str) -> datetime:
        """Always the same: versions are pinned elsewhere."""
        del path
        return datetime(2000, 1, 1, tzinfo=UTC)
