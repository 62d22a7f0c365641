"""No cell of a CSV of ours is run by a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.model.definitions import FieldMapping
from shared.model.rejections import as_cell
from shared.planning.engine import Engine, open_engine
from shared.planning.locate import locate
from shared.planning.plan import plan
from tests.corpus.corpus import Collected
from tests.support.factories import NOW
from tests.support.memory_storage import MemoryBlobs
from tests.unit.shared.planning.planned import an_extract

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMULAS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r1",
    "\n1",
    "\x00=1",
    "  =1",
    "\xa0=1",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff201",
)
HARMLESS = ("", "1-1", "a=b", "ada@example.com", "'=1", " 1", "(+46)", "é")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine() as opened:
        yield opened


@pytest.mark.parametrize("value", FORMULAS)
def test_a_formula_gets_an_apostrophe(engine: Engine, value: str) -> None:
    assert as_cell(value) == f"'{value}"
    assert engine.rows("SELECT as_cell($value)", {"value": value}) == [(f"'{value}",)]


@pytest.mark.parametrize("value", HARMLESS)
def test_other_values_stay_as_they_are(engine: Engine, value: str) -> None:
    assert as_cell(value) == value
    assert engine.rows("SELECT as_cell($value), as_cell(NULL)", {"value": value}) == [(value, None)]


@given(value=st.text(st.sampled_from("=+-@\t\r\n\x00 \xa0\uff1d\uff0b\uff0d\uff20'a1\u2003"), max_size=5))
def test_both_ways_of_writing_a_cell_agree(engine: Engine, value: str) -> None:
    assert engine.rows("SELECT as_cell($value)", {"value": value}) == [(as_cell(value),)]


def test_names_in_the_list_of_rejected_rows_are_no_formulas() -> None:
    link, dial = '=HYPERLINK("http://127.0.0.1","x")', "=cmd|' !A0'_Customers.csv"
    blobs, sink = MemoryBlobs(lambda: NOW), Collected()
    text = io.StringIO()
    csv.writer(text).writerows([[link, "@Name"], ["nobody", "=1"], ["ada@example.com", "Ada"]])
    blobs.create(dial, text.getvalue().encode())
    extracts, mapping = [an_extract(blobs, [dial], "-Segment")], FieldMapping(email=link, first_name="@Name")
    plan(extracts, mapping, blobs=blobs, sink=sink)
    rows = list(csv.reader(io.StringIO(sink.rejected.decode())))[1:]
    assert rows == [["'-Segment", f"'{dial}", "2", "", f"'{link}", "email_invalid"]]
    (place,) = locate(extracts, mapping, ["ada@example.com"], blobs=blobs, custom_fields={})
    assert (place.segment, place.file) == ("'-Segment", f"'{dial}")
