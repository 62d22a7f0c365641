from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.extracts import csv_records
from shared.extracts.csv_records import Repair, Sentinels, Syntax
from shared.planning import text_pieces as pieces_module
from shared.planning.text_pieces import PIECES_AT_A_TIME, Pieces, Reading, UntellableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SYNTAX = Syntax(delimiter=",", quoting=True)
MARKS = Sentinels(token="!", syntax=SYNTAX, columns=2, column=0)
WELL_FORMED = re.compile(f"(?:{SYNTAX.pattern(2)})+".encode())
RECORD_MOST = 60
REPAIRED = 50

SCRAPS = [
    b'"',
    b'""',
    b",",
    b"\n",
    b" ",
    b"a",
    b"b,c\n",
    b'd,"e\nf"\n',
    b'"g\nh",i\n',
    b"\xff",
    b"\xc3",
    b"x" * 25,
]
TEXTS = st.lists(st.sampled_from(SCRAPS), max_size=30).map(b"".join)


@pytest.fixture(autouse=True, scope="module")
def short_records() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_records, "RECORD_BYTES_MAX", RECORD_MOST)
        patch.setattr(pieces_module, "REPAIRED_BYTES", REPAIRED)
        yield


class Reader:
    """Takes pieces that are well-formed, as DuckDB does, and keeps a diary."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.refused: list[bytes] = []
        self.at_a_time: list[int] = []
        self.under_way = 0
        self.most_under_way = 0

    def begin(self, pieces: Sequence[bytes]) -> Reading:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        return Reading(finish=lambda: self.read(pieces), drop=self.drop)

    def drop(self) -> None:
        self.under_way -= 1

    def read(self, pieces: Sequence[bytes]) -> bool:
        self.under_way -= 1
        text = b"".join(pieces)
        text.decode()
        self.at_a_time.append(len(pieces))
        well_formed = WELL_FORMED.fullmatch(text) is not None
        (self.taken if well_formed else self.refused).extend(pieces)
        return well_formed


class FullError(Exception):
    """Something is full."""


def read(*blocks: bytes, size: int, ahead: int = 0) -> Reader:
    reader = Reader()
    pieces = Pieces(reader.begin, sentinels=MARKS, size=size, ahead=ahead)
    for block in blocks:
        pieces.take(block)
    pieces.close()
    assert reader.under_way == 0
    return reader


def mark(what: str) -> bytes:
    return MARKS.line(what).encode()


def test_a_text_is_cut_at_line_ends() -> None:
    reader = read(b"aa,b\nc,ddd\ne,f\n" * 3, size=12)
    first, second, third = b"aa,b\nc,ddd\n", b"e,f\naa,b\n", b"c,ddd\ne,f\n"
    assert reader.taken == [first, second, third, first, b"e,f\n"]
    assert reader.refused == []


def test_a_line_longer_than_a_piece_is_a_piece() -> None:
    assert read(b"a,b\n", b"cccccccccccc,d\n", b"e,f\n", size=4).taken == [b"a,b\n", b"cccccccccccc,d\n", b"e,f\n"]


def test_several_pieces_are_read_at_a_time() -> None:
    reader = read(*[b"a,b\n"] * 7, size=4)
    assert reader.at_a_time == [PIECES_AT_A_TIME] * 2 + [1]


def test_of_several_pieces_only_what_is_damaged_is_repaired() -> None:
    reader = read(b"a,b\n", b"c\nd,e\n", b"f,g\n", size=4)
    assert reader.taken[0] == b"a,b\n"
    assert b"".join(reader.taken[1:]) == mark("row_malformed") + b"d,e\nf,g\n"


def test_a_value_that_is_cut_is_carried_over() -> None:
    text = b'a,"' + b"bbbbb\n" * 7 + b'c"\nd,e\n'
    reader = read(text, size=10)
    assert b"".join(reader.taken) == text
    assert reader.refused != []


@pytest.mark.timeout(30)
@pytest.mark.parametrize("at_a_time", [1, PIECES_AT_A_TIME])
def test_what_is_carried_over_does_not_keep_a_longer_line_from_being_read(
    at_a_time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces_module, "PIECES_AT_A_TIME", at_a_time)
    reader = read(b"a\n", *[b"x" * 10] * 20, b"\nb,c\n", size=8)
    assert b"".join(reader.taken) == mark("row_malformed") + mark("row_too_long") + b"b,c\n"


def test_the_end_of_a_line_that_is_too_long_is_no_row() -> None:
    taken = b"".join(read(*[b"x" * 10] * 20, b",y\nb,c\n", size=10).taken)
    assert taken == mark("row_too_long") + b"b,c\n"


def test_a_record_that_is_too_long_costs_its_first_line_only() -> None:
    inside = b"".join(b"%d,b\n" % number for number in range(20))
    assert b"".join(read(b'a,"b\n' + inside, size=10).taken) == mark("row_malformed") + inside


@pytest.mark.parametrize("size", [10, 1000])
@pytest.mark.parametrize(("length", "fits"), [(RECORD_MOST, True), (RECORD_MOST + 1, False)])
def test_a_record_may_reach_the_limit_but_not_pass_it(size: int, length: int, *, fits: bool) -> None:
    # the text is damaged, for the reader itself refuses records that are too long
    record = b"a," + b"x" * (length - 2) + b"\n"
    taken = b"".join(read(b"damage\n" + record + b"c,d\n", size=size).taken)
    assert taken == mark("row_malformed") + (record if fits else mark("row_too_long")) + b"c,d\n"


def test_a_line_that_is_too_long_and_never_ends_is_one_row() -> None:
    assert b"".join(read(b"a,b\n", *[b"x" * 20] * 20, size=10).taken) == b"a,b\n" + mark("row_too_long")


@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n\n"])
@pytest.mark.parametrize("size", [4, 1000])
def test_the_last_line_need_not_end_and_blank_lines_behind_it_are_no_rows(end: bytes, size: int) -> None:
    taken = b"".join(read(b"a,b\nc,d" + end, size=size).taken)
    assert taken.replace(mark("blank"), b"") == b"a,b\nc,d\n"


def test_a_value_that_never_ends_costs_its_line_only() -> None:
    assert b"".join(read(b'a,b\nc,"d\ne,f', size=1000).taken) == b"a,b\n" + mark("row_malformed") + b"e,f\n"


@pytest.mark.parametrize("text", [b"", b"\n", b"\n\n\n"])
def test_nothing_is_not_read(text: bytes) -> None:
    assert read(text, size=1000).at_a_time == []


def test_bytes_that_are_not_utf_8_are_never_shown_to_the_reader() -> None:
    reader = read(b"a,b\nc,\xff\nd,e\n", size=1000)
    assert reader.taken == [b"a,b\n" + mark("row_undecodable") + b"d,e\n"]
    assert reader.refused == []


def test_characters_are_not_cut() -> None:
    text = "é,漢\n".encode() * 5
    assert b"".join(read(*(bytes([byte]) for byte in text), size=3).taken) == text


def test_a_text_refused_after_its_repair_is_given_up() -> None:
    reading = Reading(finish=lambda: False, drop=lambda: None)
    pieces = Pieces(lambda _: reading, sentinels=MARKS, size=1000)
    pieces.take(b"a,b\n")
    with pytest.raises(UntellableError):
        pieces.close()


def without_blank_end(text: bytes) -> bytes:
    return re.sub(rb"(?:!blank,\n)*$", b"", text)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(text=TEXTS, size=st.integers(1, 80), block=st.integers(1, 40))
def test_pieces_and_blocks_of_any_size_give_what_a_repair_of_all_gives(text: bytes, size: int, block: int) -> None:
    reader = read(*(text[start : start + block] for start in range(0, len(text), block)), size=size)
    whole, rest = Repair(MARKS).repair(text, final=True)
    assert rest == b""
    assert without_blank_end(b"".join(reader.taken)) == without_blank_end(whole)


# --- pieces that are read ahead -----------------------------------------------------------------------------


def test_pieces_are_begun_before_those_in_front_are_finished() -> None:
    assert read(*[b"a,b\n"] * 30, size=4).most_under_way == 1
    assert read(*[b"a,b\n"] * 30, size=4, ahead=2).most_under_way == 3


@settings(deadline=None, derandomize=True, max_examples=300)
@given(text=TEXTS, size=st.integers(1, 20), block=st.integers(1, 40), ahead=st.integers(1, 3))
def test_the_same_is_read_however_far_ahead(text: bytes, size: int, block: int, ahead: int) -> None:
    blocks = [text[start : start + block] for start in range(0, len(text), block)]
    taken, one_by_one = (b"".join(read(*blocks, size=size, ahead=most).taken) for most in (ahead, 0))
    assert without_blank_end(taken) == without_blank_end(one_by_one)


@pytest.mark.parametrize("damaged_at", [0, 4, 11])
def test_an_error_in_some_pieces_is_the_end_of_those_behind(damaged_at: int) -> None:
    begun: list[int] = []
    finished: list[int] = []
    dropped: list[int] = []

    def begin(_: Sequence[bytes]) -> Reading:
        number = len(begun)
        begun.append(number)

        def finish() -> bool:
            if number == damaged_at:
                raise FullError
            finished.append(number)
            return True

        return Reading(finish=finish, drop=lambda: dropped.append(number))

    pieces = Pieces(begin, sentinels=MARKS, size=4, ahead=2)
    pieces.take(b"a,b\n" * 2)
    with pytest.raises(FullError):
        pieces.take(b"a,b\n" * 40)
    pieces.settle()
    assert finished == list(range(damaged_at))
    assert [*finished, damaged_at, *dropped] == begun


def test_what_was_begun_can_be_finished_before_the_text_ends() -> None:
    reader = Reader()
    pieces = Pieces(reader.begin, sentinels=MARKS, size=4, ahead=2)
    for _ in range(7):
        pieces.take(b"a,b\n")
    assert reader.taken == []
    pieces.settle()
    assert reader.taken == [b"a,b\n"] * 6
