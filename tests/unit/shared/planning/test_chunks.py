from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.planning import chunks as chunking
from shared.planning.chunks import Chunker, PartWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.model.runs import ChunkInfo

MOST_BYTES, MOST_CONTACTS = 40, 5
REAL_LIMITS = {name: getattr(chunking, name) for name in ("CHUNK_BYTES", "CONTACTS_PER_REQUEST")}

LINES = st.lists(st.integers(min_value=1, max_value=MOST_BYTES).map(lambda size: b"x" * (size - 1) + b"\n"))
SIZES = st.lists(st.integers(min_value=0, max_value=100), max_size=30)


@pytest.fixture(autouse=True, scope="module")
def small_limits() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunking, "CHUNK_BYTES", MOST_BYTES)
        patch.setattr(chunking, "CONTACTS_PER_REQUEST", MOST_CONTACTS)
        patch.setattr(chunking, "PART_BYTES", MOST_BYTES)
        yield


def in_pieces(text: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    for size in sizes:
        yield text[:size]
        text = text[size:]
    yield text


def chunks_of(pieces: Iterable[bytes]) -> list[bytes]:
    """Cut a stream into chunks whose numbers and counts are right."""
    found: list[tuple[ChunkInfo, bytes]] = []
    chunker = Chunker(lambda info, lines: found.append((info, lines)))
    for piece in pieces:
        chunker.take(piece)
    chunker.close()
    for number, (info, lines) in enumerate(found, 1):
        assert (info.number, info.contacts, info.bytes) == (number, lines.count(b"\n"), len(lines))
    assert chunker.chunks == [info for info, _ in found]
    return [lines for _, lines in found]


def parts_of(pieces: Iterable[bytes]) -> list[bytes]:
    found: list[bytes] = []
    writer = PartWriter(found.append)
    for piece in pieces:
        writer.take(piece)
    writer.close()
    return found


def longest_chunks(lines: list[bytes]) -> list[bytes]:
    """Cut line by line."""
    chunks: list[list[bytes]] = []
    for line in lines:
        if not chunks or len(chunks[-1]) == MOST_CONTACTS or len(b"".join(chunks[-1]) + line) > MOST_BYTES:
            chunks.append([])
        chunks[-1].append(line)
    return [b"".join(chunk) for chunk in chunks]


@settings(deadline=None, derandomize=True)
@given(lines=LINES, sizes=SIZES)
def test_chunks_are_as_long_as_the_limits_allow_however_the_stream_comes(
    lines: list[bytes], sizes: list[int]
) -> None:
    assert chunks_of(in_pieces(b"".join(lines), sizes)) == longest_chunks(lines)


@pytest.mark.parametrize(
    ("sizes", "contacts"),
    [
        ([8, 8, 8, 8, 8], [5]),
        ([8, 8, 8, 8, 9], [4, 1]),
        ([20, 20], [2]),
        ([20, 21], [1, 1]),
        ([40, 40, 1], [1, 1, 1]),
        ([2] * 5, [5]),
        ([2] * 6, [5, 1]),
        ([2] * 11, [5, 5, 1]),
        ([1, 1, 1, 1, 30, 1], [5, 1]),
        ([30, 1, 1, 1, 1, 1], [5, 1]),
        ([], []),
    ],
)
def test_a_chunk_may_reach_both_limits_but_not_pass_them(sizes: list[int], contacts: list[int]) -> None:
    text = b"".join(b"x" * (size - 1) + b"\n" for size in sizes)
    assert [chunk.count(b"\n") for chunk in chunks_of([text])] == contacts


def test_a_chunk_goes_on_as_soon_as_more_than_a_chunk_is_there() -> None:
    numbers: list[int] = []
    chunker = Chunker(lambda info, _: numbers.append(info.number))
    chunker.take(b"x" * (MOST_BYTES - 1) + b"\n")
    assert numbers == []
    chunker.take(b"x")
    assert numbers == [1]


def test_the_limits_are_those_of_sendgrid_and_leave_room_for_the_rest_of_the_body() -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in REAL_LIMITS.items():
            patch.setattr(chunking, name, value)
        assert [chunk.count(b"\n") for chunk in chunks_of([b"x\n" * 30_001])] == [30_000, 1]
        long_line = b"x" * (5_499_800 // 4 - 1) + b"\n"
        assert [len(chunk) for chunk in chunks_of([long_line * 5])] == [5_499_800, len(long_line)]


@settings(deadline=None, derandomize=True)
@given(lines=LINES, sizes=SIZES)
def test_parts_are_whole_lines_and_together_the_text(lines: list[bytes], sizes: list[int]) -> None:
    text = b"".join(lines)
    parts = parts_of(in_pieces(text, sizes))
    assert b"".join(parts) == text
    assert all(part.endswith(b"\n") for part in parts)


def test_a_part_waits_until_it_is_long_enough() -> None:
    first, second = b"x" * 18 + b"\n", b"x" * 19 + b"\n"
    assert parts_of([first, second, first]) == [first + second + first]
    assert parts_of([second, second, first]) == [second + second, first]


def test_a_line_longer_than_a_part_waits_for_its_end() -> None:
    line = b"x" * 100
    assert parts_of([line, line, b"\nnext"]) == [line + line + b"\n", b"next"]
