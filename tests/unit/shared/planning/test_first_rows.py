"""What the first rows of a file say of its columns."""

from __future__ import annotations

import json

import pytest

from shared.definitions.segment_details import SegmentDetails, describe_segment
from shared.model.definitions import SourceOptions
from shared.planning.first_rows import COLUMNS_MOST
from tests.support.in_memory_app import InMemoryApp
from tests.unit.shared.definitions.test_segments import a_parquet_file


def look(data: str | bytes, name: str = "Seg.csv", **source: object) -> SegmentDetails:
    app = InMemoryApp()
    app.extracts.upsert(name, data if isinstance(data, bytes) else data.encode())
    return describe_segment(app.services, "Seg", SourceOptions.model_validate(source))


def kinds(found: SegmentDetails) -> dict[str, str | None]:
    return {column.name: column.type for column in found.columns or ()}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["ada@example.com", " BO@Example.com "], "email"),
        (["ada@example.com", "nobody"], "text"),
        (["+46 70-123 45 67"], "phone"),
        (["0701234567"], "number"),
        (["2024-01-31", "", "0000-00-00"], "date"),
        (["31/12/2024", "12/31/2024"], "date"),
        (["20240131"], "date"),
        (["1", "-2.5", "3e4"], "number"),
        (["1", "two"], "text"),
        (["", "  "], None),
    ],
)
def test_a_column_is_the_narrowest_kind_that_all_its_values_are(values: list[str], kind: str | None) -> None:
    rows = "".join(f'x@example.com,"{value}"\n' for value in values)
    assert kinds(look(f"EMail,Value\n{rows}"))["Value"] == kind


def test_numbers_are_read_as_they_are_declared_to_be_written() -> None:
    assert kinds(look("EMail;N\na@example.com;1,5\n"))["N"] == "text"
    assert kinds(look("EMail;N\na@example.com;1,5\n", decimal_separator="comma"))["N"] == "number"


def test_bad_rows_and_line_breaks_in_values_do_not_count_and_do_not_hinder() -> None:
    data = (
        b'EMail,Note\na@example.com,"one\ntwo"\n\ntoo,many,values\nb@example.com,\xff\xfe\nc@example.com,"open\n'
    )
    found = look(data)
    assert (found.rows, kinds(found)) == (1, {"EMail": "email", "Note": "text"})
    assert found.columns
    assert found.columns[1].samples == ("o******",)


def test_json_lines_and_parquet_are_looked_into() -> None:
    lines = "\n".join(map(json.dumps, [{"email": "a@example.com", "n": 1}, {"email": "b@example.com", "d": "x"}]))
    found = look(f"{lines}\nrubbish\n", "Seg.jsonl")
    assert (found.rows, kinds(found)) == (2, {"email": "email", "n": "number", "d": "text"})
    parquet = look(a_parquet_file(5_000), "Seg.parquet")
    assert (parquet.rows, kinds(parquet)) == (100, {"Id": "number", "EMail": "text"})


def test_samples_do_not_tell_which_stand_in_one_row() -> None:
    found = look("Code,EMail\nz1,b@example.com\ny2,c@example.com\nx3,a@example.com\n")
    assert [column.samples for column in found.columns or ()] == [
        ("x*", "y*", "z*"),
        ("a***********", "b***********", "c***********"),
    ]


def test_a_very_wide_file_is_named_whole_and_looked_into_as_far_as_it_goes() -> None:
    names = ["EMail", *(f"Column{number}" for number in range(COLUMNS_MOST + 9))]
    row = ",".join(["a@example.com", *("1" for _ in names[1:])])
    found = look(f"{','.join(names)}\n{row}\n")
    assert [column.name for column in found.columns or ()] == names
    assert [column.type for column in found.columns or ()][COLUMNS_MOST - 1 : COLUMNS_MOST + 1] == ["number", None]


def test_columns_without_a_name_are_left_out() -> None:
    assert kinds(look("EMail,,B\na@example.com,x,1\n")) == {"EMail": "email", "B": "number"}
