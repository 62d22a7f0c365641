from __future__ import annotations

import codecs
import contextlib
import csv
import gzip
import re
from typing import TYPE_CHECKING, Literal
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.errors import RunEndError
from shared.model.definitions import FieldMapping, SourceOptions
from shared.planning import planner as steps
from shared.planning import text_pieces as pieces
from tests.unit.shared.planning.planned import (
    AS_DECLARED,
    Planned,
    Row,
    as_csv,
    as_json_lines,
    as_parquet,
    assert_accounted_for,
    on_cores,
    plan_file,
    plan_segments,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = b"EMail,FirstName\n"
RECORDS = (
    b"ann@example.com,Ann\n",
    b"ann@example.com,Ann again\r\n",
    b'"bo@example.com","Bo, ""B"""\r',
    b'cy@example.com,"two\nlines"\n',
    "di@münchen.example,Dí\n".encode(),
    b"eli@example.com,Eli,\n",
)
DAMAGED = (b'"fay@example.com,Fay\n', b'gil@example.com,"Gil\n', b'hal@example.com,"Hal"x\n', b"ida@example.com\n")
SCRAPS = (
    *(b'"', b'""', b'" "', b",", b",,", b";", b"\n", b"\n\n", b"\r", b"\r\n", b" ", b"  ", b"\t", b"\\"),
    *(b"\0", b"\x1a", b"\xff", b"\xc3", b"\xe2\x80", "é".encode(), "\u3000".encode(), codecs.BOM_UTF8, b"a"),
    b"ju@example.com",
)
NASTY = st.lists(st.sampled_from((*RECORDS, *DAMAGED, *SCRAPS)), max_size=40).map(b"".join)
PIECES = (40, 97, 1000)

LETTERS = st.sampled_from("aB1é漢")
WORDS = st.text(st.sampled_from("aé漢'\"\\,;|\t\n \u00a0\u3000\x7f\x85"), max_size=12)
NAMES = st.builds(str.__add__, LETTERS, WORDS)
ADDRESSES = st.sampled_from(
    ["ann@example.com", "Bo@Example.com", " cy@example.com", "DI@example.com ", "eli@example.com", "", "nobody"]
)
ROWS = st.lists(st.tuples(ADDRESSES, NAMES | WORDS), min_size=1, max_size=8)


def examples(number: int) -> settings:
    return settings(max_examples=number, deadline=None, derandomize=True)


@contextlib.contextmanager
def in_pieces_of(size: int) -> Iterator[None]:
    with patch.object(steps, "PIECE_BYTES", size), patch.object(pieces, "REPAIRED_BYTES", size):
        yield


# --- a reference, in a few lines ----------------------------------------------------------------------------


def tidied(value: str) -> str:
    value = re.sub("[\t\n\v\f\r\x85]", " ", re.sub("\r\n", "\n", value))
    return re.sub("[\x00-\x1f\x7f-\x9f]", "", value).strip(" \u00a0\u3000")


def contacts_of(rows: list[Row]) -> list[dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for email, name in rows:
        address, first_name = tidied(email).lower(), tidied(name)
        if "@" in address and address not in found:
            found[address] = {"email": address} | ({"first_name": first_name} if first_name else {})
    return list(found.values())


# --- anything at all ----------------------------------------------------------------------------------------


@examples(40)
@given(NASTY)
def test_every_row_of_a_damaged_csv_has_one_outcome(body: bytes) -> None:
    planned = plan_file(HEADER + body, source=AS_DECLARED)
    assert_accounted_for(planned, line_breaks=1 + body.count(b"\n") + body.count(b"\r"))


@examples(30)
@given(
    NASTY | st.binary(max_size=60) | NASTY.map(lambda text: codecs.BOM_UTF8 + text),
    st.sampled_from(["auto", "absent"]),
)
def test_whatever_a_file_holds_it_is_planned_or_refused(data: bytes, header: Literal["auto", "absent"]) -> None:
    mapping = FieldMapping(email="column_1", first_name="column_1")
    try:
        planned = plan_file(data, mapping=mapping, source=SourceOptions(header=header))
    except RunEndError:
        return
    assert_accounted_for(planned, line_breaks=data.count(b"\n") + data.count(b"\r"))


def outcome(data: bytes, size: int) -> tuple[object, ...]:
    with in_pieces_of(size):
        planned = plan_file(data, source=AS_DECLARED)
    return planned.outcome, planned.lines, planned.rejected


@examples(16)
@given(NASTY)
@example(b'kim@example.com,"K" "im"\nida@example.com\n')
@example(b'kim@example.com, "K,\nim" \nida@example.com\n')
@example(b'kim@example.com,K"im",""\nida@example.com\n')
def test_the_size_of_a_piece_has_no_say(body: bytes) -> None:
    whole = outcome(HEADER + body, pieces.PIECE_BYTES)
    assert [outcome(HEADER + body, size) for size in PIECES] == [whole] * len(PIECES)


@examples(30)
@given(st.lists(NASTY, max_size=3).map(b"".join), st.sampled_from(PIECES))
def test_the_number_of_cores_has_no_say(body: bytes, size: int) -> None:
    def on(cores: int) -> tuple[object, ...]:
        with on_cores(cores):
            return outcome(HEADER + body, size)

    assert on(2) == on(1)


# --- damage is local ----------------------------------------------------------------------------------------

QUOTED = st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
LINES = {
    b"zoe@example.com": "row_malformed",
    b"zoe@example.com,Zoe,or not": "row_malformed",
    b'zoe@example.com,"Zoe"x': "row_malformed",
    b'zoe@example.com,"Zoe': "row_malformed",
    b'"zoe@example.com,Zoe': "row_malformed",
    b"zoe@example.com,Zo\xeb": "row_undecodable",
    b'zoe@example.com,"Z\noe\xff"': "row_undecodable",
}


@pytest.mark.parametrize("damage", LINES)
@examples(6)
@given(
    names=st.lists(st.tuples(NAMES, QUOTED), min_size=1, max_size=8),
    place=st.integers(min_value=0, max_value=8),
    blank_lines=st.integers(min_value=0, max_value=2),
    size=st.sampled_from((*PIECES, pieces.PIECE_BYTES)),
)
def test_a_damaged_line_costs_itself_only(
    damage: bytes, names: list[tuple[str, int]], place: int, blank_lines: int, size: int
) -> None:
    # no name begins with a delimiter or a line break: the quotation mark before it would end an unclosed value
    rows = [(f"p{number}@example.com", name) for number, (name, _) in enumerate(names)]
    records = [
        as_csv([row], quoting=quoting).split(b"\n", 1)[1] for row, (_, quoting) in zip(rows, names, strict=True)
    ]
    place = min(place, len(rows))
    records.insert(place, b"\n" * blank_lines + damage + b"\n")
    with in_pieces_of(size):
        planned = plan_file(HEADER + b"".join(records), source=AS_DECLARED)
    assert planned.contacts == contacts_of(rows)
    assert planned.rejected_rows == [(place + blank_lines + 2, LINES[damage])]


def test_an_unclosed_quotation_mark_takes_what_a_later_one_closes() -> None:
    planned = plan_file(HEADER + b'zoe@example.com,"Zoe\nann@example.com,"\nAnn"\nbo@example.com,Bo\n')
    assert [contact["email"] for contact in planned.contacts] == ["zoe@example.com", "bo@example.com"]
    assert planned.rejected_rows == [(3, "row_malformed")]


# --- however it is written ----------------------------------------------------------------------------------


def assert_planned(planned: Planned, rows: list[Row]) -> None:
    assert planned.contacts == contacts_of(rows)
    assert planned.outcome.counts.rows_read == len(rows)
    assert planned.outcome.counts.rejected == sum("@" not in email for email, _ in rows)


@examples(40)
@given(
    rows=ROWS,
    delimiter=st.sampled_from([("comma", ","), ("semicolon", ";"), ("tab", "\t"), ("pipe", "|")]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=QUOTED,
    mark=st.sampled_from([b"", codecs.BOM_UTF8]),
    packed=st.booleans(),
)
def test_a_dialect_changes_nothing(
    rows: list[Row], delimiter: tuple[str, str], line_end: str, quoting: int, mark: bytes, *, packed: bool
) -> None:
    data = mark + as_csv(rows, delimiter=delimiter[1], lineterminator=line_end, quoting=quoting)
    # in a few rows of many lines another delimiter may seem to explain more
    many_lines = any("\n" in name for _, name in rows)
    source = SourceOptions.model_validate({"delimiter": delimiter[0] if many_lines else "auto"})
    assert_planned(plan_file(gzip.compress(data) if packed else data, source=source), rows)


@examples(12)
@given(ROWS)
def test_a_format_changes_nothing(rows: list[Row]) -> None:
    assert_planned(plan_file(as_csv(rows), source=AS_DECLARED), rows)
    assert_planned(plan_file(as_json_lines(rows), "part.jsonl"), rows)
    assert_planned(plan_file(as_parquet(rows), "part.parquet"), rows)


@examples(20)
@given(
    rows=st.lists(ROWS, min_size=3, max_size=3),
    listed=st.permutations(["a/1.csv", "a/2.csv", "a/3.csv"]),
    in_first=st.integers(min_value=0, max_value=3),
)
def test_the_first_row_wins_by_segment_then_by_name_of_file(
    rows: list[list[Row]], listed: list[str], in_first: int
) -> None:
    files = dict(zip(["a/1.csv", "a/2.csv", "a/3.csv"], map(as_csv, rows), strict=True))
    first = {name: files[name] for name in listed if int(name[2]) > in_first}
    second = {name: files[name] for name in listed if int(name[2]) <= in_first}
    planned = plan_segments({"First": first, "Second": second}, source=AS_DECLARED)
    assert_planned(planned, [row for part in (*rows[in_first:], *rows[:in_first]) for row in part])


@pytest.mark.parametrize("size", [*PIECES, pieces.PIECE_BYTES])
def test_addresses_are_known_from_piece_to_piece(size: int) -> None:
    rows = [(f"p{number % 50}@example.com", "x" * number) for number in range(49)] * 2
    with in_pieces_of(size):
        assert_planned(plan_file(as_csv(rows)), rows)
