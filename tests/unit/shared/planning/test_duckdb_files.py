from __future__ import annotations

import threading
import time

from shared.planning.duckdb_files import PAGE_BYTES, PageReader

CONTENT = bytes(range(256)) * (3 * PAGE_BYTES // 256)


def slowly(offset: int, length: int) -> bytes:
    """Answer like a blob: meanwhile other threads get their turn."""
    time.sleep(0.002)
    return CONTENT[offset : offset + length]


def test_threads_that_share_a_handle_do_not_move_each_others_position() -> None:
    reader = PageReader(len(CONTENT), slowly)
    wrong = []

    def work(first: int) -> None:
        for offset in range(first, len(CONTENT) - 1000, 400_003):
            reader.seek(offset)
            if reader.read(1000) != CONTENT[offset : offset + 1000]:
                wrong.append(offset)

    threads = [threading.Thread(target=work, args=(number * 1009,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_reads_go_on_where_the_last_one_ended() -> None:
    reader = PageReader(10, lambda offset, length: b"0123456789"[offset : offset + length])
    assert [reader.read(4), reader.tell(), reader.read(), reader.read(4)] == [b"0123", 4, b"456789", b""]


def test_the_pages_used_last_are_kept() -> None:
    asked: list[int] = []

    def fetch(offset: int, length: int) -> bytes:
        asked.append(offset // PAGE_BYTES)
        return CONTENT[offset : offset + length]

    reader = PageReader(len(CONTENT), fetch, pages=2)
    for page in (0, 1, 0, 2, 0, 1):
        reader.seek(page * PAGE_BYTES)
        assert reader.read(3) == CONTENT[:3]
    assert asked == [0, 1, 2, 1]
