from __future__ import annotations

import gzip
import importlib
import os
import time
from typing import TYPE_CHECKING

import pytest

from shared.extracts.extract import ExtractFile
from shared.extracts.streams import BLOCK_BYTES, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FILE = ExtractFile(name="Seg.csv", size=0, etag="")
zstd = importlib.import_module("backports.zstd")
packers = pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])


def blocks(data: bytes, size: int = BLOCK_BYTES) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@packers
def test_members_of_any_length_are_unpacked_in_order(pack: Callable[[bytes], bytes]) -> None:
    texts = [os.urandom(size).hex().encode() for size in (0, 1, 100_000, 0, 9_000_000, 5, 40_000)]
    packed = b"".join(map(pack, texts))
    for size in (BLOCK_BYTES, 70_001):
        assert b"".join(unpacked(blocks(packed, size), FILE)) == b"".join(texts)


@packers
def test_many_members_of_nothing_take_little_time(pack: Callable[[bytes], bytes]) -> None:
    packed = pack(b"") * 200_000
    before = time.process_time()
    assert not any(unpacked(blocks(packed), FILE))
    assert time.process_time() - before < 5
