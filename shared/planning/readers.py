"""Engines that read pieces of a text side by side, ahead of what is done with their rows in order.

To make the table `piece` is three quarters of the work, and needs nothing but the text. The engine lets go of
Python meanwhile, so threads share it out over cores. Each query stays on one thread, and keeps the order of rows.
"""

from __future__ import annotations

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

from shared.planning.engine import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from shared.planning.engine import Engine

CORES_MOST: Final = 2
"""Cores used at most: an instance has no more, and each takes 75 MB of memory for text, table and buffers."""


@dataclass(frozen=True, kw_only=True)
class PieceTable:
    """A table `piece`, perhaps still in the making."""

    engine: Engine
    """Has the table; nobody else uses it until the table is closed."""
    rows: Callable[[], int | None]
    """Waits for the table; how many rows it has, None if there is fault with the text. Raises QueryError."""
    close: Callable[[], None]
    """Gives the engine back, as soon as it is done."""


class Readers:
    """Engines with a table `piece` each: one whose rows are dealt with, and those that read ahead."""

    def __init__(self, engines: Sequence[Engine], pool: ThreadPoolExecutor | None) -> None:
        self._pool = pool
        self._idle: SimpleQueue[Engine] = SimpleQueue()
        for engine in engines:
            self._idle.put(engine)

    def begin(self, query: str, texts: Sequence[bytes]) -> PieceTable:
        """Have a query make the table of some texts; without other threads, when it is waited for."""
        engine = self._idle.get()
        make = partial(_make, engine, query, texts)
        if self._pool is None:
            return PieceTable(engine=engine, rows=make, close=partial(self._idle.put, engine))
        made = self._pool.submit(make)

        def close() -> None:
            made.cancel()
            made.add_done_callback(lambda _: self._idle.put(engine))

        return PieceTable(engine=engine, rows=made.result, close=close)


def _make(engine: Engine, query: str, texts: Sequence[bytes]) -> int | None:
    engine.execute("DROP TABLE IF EXISTS piece")  # else the last one is there until the next one is ready
    engine.files.text = texts
    try:
        return engine.number(query)
    except QueryError as error:
        if error.is_about_input:
            return None
        raise
    finally:
        engine.files.text = ()


def cores_to_use() -> int:
    """As many as this process may use, within CORES_MOST."""
    return min(os.process_cpu_count() or 1, CORES_MOST)


@contextlib.contextmanager
def open_readers(engine: Engine, *, ahead: int) -> Iterator[Readers]:
    """An engine, and others beside it to read `ahead` tables; at the end it waits for what is under way."""
    with contextlib.ExitStack() as stack:
        engines = [engine, *(stack.enter_context(engine.beside()) for _ in range(ahead))]
        pool = ThreadPoolExecutor(len(engines), thread_name_prefix="read-pieces") if ahead else None
        yield Readers(engines, stack.enter_context(pool) if pool else None)
