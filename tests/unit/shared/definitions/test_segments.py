"""The segments that the API lists, with the columns to map."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from functions import segments
from shared.definitions.segments import Segment, list_segments
from shared.errors import RunEndError, TransientError
from tests.support.factories import a_request, plain, some_services, use_services
from tests.support.in_memory_app import Clock
from tests.support.memory_storage import MemoryBlobs

if TYPE_CHECKING:
    from collections.abc import Mapping

MIB = 1 << 20


class Watched(MemoryBlobs):
    """Storage that counts the bytes asked of it."""

    asked = 0

    def get_range(self, name: str, *, offset: int, length: int, etag: str) -> bytes:
        self.asked += length
        return super().get_range(name, offset=offset, length=length, etag=etag)


def delivered(files: Mapping[str, str | bytes]) -> Watched:
    blobs = Watched(Clock())
    for name, data in files.items():
        blobs.upsert(name, data if isinstance(data, bytes) else data.encode())
    return blobs


def segment_of(data: str | bytes, name: str = "Seg.csv") -> Segment:
    (segment,) = list_segments(delivered({f"Seg/{name}": data}))
    return segment


def a_parquet_file(rows: int = 1) -> bytes:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder) / "made.parquet"
        query = f'SELECT i AS "Id", md5(i::VARCHAR) AS "EMail" FROM range({rows}) t(i)'
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


def a_model(*columns: str, file: str = "Seg_1.csv", headers: bool = False) -> str:
    entity = {
        "name": "Seg",
        "attributes": [{"name": column} for column in columns],
        "partitions": [{"location": file, "fileFormatSettings": {"columnHeaders": headers}}],
    }
    return json.dumps({"entities": [entity]})


# --- columns ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "columns"),
    [
        ("Seg.csv", "EMail,First Name\nann@example.com,Ann\n", ("EMail", "First Name")),
        ("Seg.csv", "EMail;Name\n".encode("utf-16"), ("EMail", "Name")),
        ("Seg.csv", "EMail,,\nann@example.com,,\n", ("EMail",)),
        ("Seg.csv", "ann@example.com,Ann\nbob@example.com,Bob\n", ("column_1", "column_2")),
        ("Seg.jsonl", '{"EMail": "ann@example.com"}\n{"EMail": null, "Name": "Bob"}\n', ("EMail", "Name")),
        ("Seg.parquet", a_parquet_file(), ("Id", "EMail")),
    ],
    ids=["header", "encoding", "trailing delimiters", "no header", "JSON lines", "Parquet"],
)
def test_columns_are_named_as_a_mapping_can_use_them(
    name: str, data: str | bytes, columns: tuple[str, ...]
) -> None:
    segment = segment_of(data, name)
    assert (segment.columns, segment.columns_problem) == (columns, None)


def test_columns_of_a_file_without_a_header_are_named_by_model_json() -> None:
    files = {"model.json": a_model("EMail", "Name"), "Seg_1.csv": "ann@example.com,Ann\n"}
    (segment,) = list_segments(delivered(files))
    assert segment.columns == ("EMail", "Name")


def test_a_header_is_believed_more_than_model_json() -> None:
    files = {"model.json": a_model("EMail", "Name", headers=True), "Seg_1.csv": "Mail,Name\na@example.com,A\n"}
    (segment,) = list_segments(delivered(files))
    assert segment.columns == ("Mail", "Name")


def test_the_first_file_that_is_not_empty_names_the_columns() -> None:
    (segment,) = list_segments(delivered({"Seg/1.csv": "", "Seg/2.csv": "EMail\n", "Seg/3.csv": "Other\n"}))
    assert segment.columns == ("EMail",)


def test_bytes_that_cannot_be_decoded_do_not_spoil_the_answer() -> None:
    segment = segment_of("EMail,Förnamn\n".encode("windows-1252"))
    assert segment.columns is None
    assert segment.columns_problem is not None
    assert "the names of the columns cannot be decoded" in segment.columns_problem


@pytest.mark.parametrize(
    ("name", "data", "most"),
    [("Seg.csv", b"EMail\n" + 5 * MIB * b"x\n", MIB), ("Seg.parquet", a_parquet_file(200_000), 3 * MIB)],
    ids=["CSV", "Parquet"],
)
def test_no_file_is_read_whole(name: str, data: bytes, most: int) -> None:
    blobs = delivered({f"Seg/{name}": data})
    (segment,) = list_segments(blobs)
    assert segment.columns
    assert blobs.asked <= most < len(data)


# --- problems -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("Seg.parquet", "EMail\n", "is not Parquet"),
        ("Seg.parquet", a_parquet_file()[:-20], "is damaged"),
        ("Seg.csv", b"PK\x03\x04", "is a zip or Excel file"),
        ("Seg.jsonl", "ann@example.com\n", "names no columns"),
        ("Seg.jsonl", '{"EMail": ' + 100_000 * "[" + "\n", "names no columns"),
        ("Seg.csv", "", "All files of the extract are empty"),
    ],
    ids=["no Parquet", "damaged Parquet", "Excel", "no JSON", "deep JSON", "empty"],
)
def test_what_cannot_be_read_is_listed_with_the_reason(name: str, data: str | bytes, why: str) -> None:
    segment = segment_of(data, name)
    assert segment.columns is None
    assert why in (segment.columns_problem or "")


def test_an_unforeseen_error_is_the_segments_own_and_keeps_its_text_to_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> bytes:
        raise ValueError("ann@example.com")

    blobs = delivered({"Seg/Seg.csv": "EMail\n"})
    monkeypatch.setattr(blobs, "get_range", refuse)
    (segment,) = list_segments(blobs)
    assert segment.columns_problem == "The file Seg/Seg.csv cannot be read (ValueError)."


def test_a_reason_holds_nobodys_data() -> None:
    problem = segment_of("ann@example.com\n", "Seg.jsonl").columns_problem
    assert problem
    assert "ann" not in problem


def test_declared_columns_are_named_when_all_files_are_empty() -> None:
    (segment,) = list_segments(delivered({"model.json": a_model("EMail"), "Seg_1.csv": ""}))
    assert (segment.columns, segment.columns_problem) == (("EMail",), None)


def test_a_bad_segment_does_not_hide_the_others() -> None:
    found = list_segments(delivered({"A.csv": "EMail\n", "B.parquet": "EMail\n", "C.csv": "EMail\n"}))
    assert [(each.segment, each.columns) for each in found] == [("A", ("EMail",)), ("B", None), ("C", ("EMail",))]


def test_a_file_replaced_meanwhile_is_named() -> None:
    class Replaced(Watched):
        def get_range(self, name: str, *, offset: int, length: int, etag: str) -> bytes:
            self.upsert(name, b"Other\n")
            return super().get_range(name, offset=offset, length=length, etag=etag)

    blobs = Replaced(Clock())
    blobs.upsert("Seg.csv", b"EMail\n")
    (segment,) = list_segments(blobs)
    assert segment.columns_problem == "Seg.csv was replaced or removed while it was read"


def test_a_file_that_storage_does_not_give_is_named() -> None:
    class Archived(Watched):
        def get_range(self, name: str, **_: object) -> bytes:
            raise TransientError(f"Azure Storage answered BlobArchived at {name}")

    blobs = Archived(Clock())
    blobs.upsert("Seg.csv", b"EMail\n")
    (segment,) = list_segments(blobs)
    assert segment.columns_problem == "Azure Storage answered BlobArchived at Seg.csv"


def test_a_model_json_that_cannot_be_read_is_told_with_the_segments_beside_it() -> None:
    (segment,) = list_segments(delivered({"model.json": "{", "Seg.csv": "EMail\n"}))
    assert segment.problem is not None
    assert "is not a model.json" in segment.problem.message


def test_a_model_json_that_cannot_be_read_is_told_where_nothing_else_is() -> None:
    with pytest.raises(RunEndError, match=r"is not a model\.json"):
        list_segments(delivered({"model.json": "{"}))


def test_a_model_json_that_cannot_be_read_hides_no_segment_of_another_folder() -> None:
    files = {
        "CustomerInsights_1/Blob/model.json": "{",
        "CustomerInsights_1/Blob/Ours.csv": "EMail\n",
        "CustomerInsights_2/Blob/Theirs.csv": "EMail\n",
    }
    ours, theirs = list_segments(delivered(files))
    assert (ours.segment, ours.extract) == ("Ours", None)
    assert (theirs.segment, theirs.columns) == ("Theirs", ("EMail",))


# --- the answer ---------------------------------------------------------------------------------------------


def test_the_api_answers_with_the_newest_extract_of_every_segment() -> None:
    files = {"Seg/2026-01-01/1.csv": "Old\n", "Seg/2026-01-02/1.csv": "EMail\n", "Seg/2026-01-02/2.csv": "EMail\n"}
    use_services(some_services(extracts=delivered(files)))
    answer = plain(segments.list_segments)(a_request())
    (segment,) = json.loads(answer.get_body())["segments"]
    extract = segment.pop("extract")
    assert extract.pop("delivered_at").startswith("2026-")
    assert extract == {
        "segment": "Seg",
        "version": "2026-01-02",
        "files": 2,
        "bytes": 12,
        "file_names": ["Seg/2026-01-02/1.csv", "Seg/2026-01-02/2.csv"],
        "passed_over": [{"name": "Seg/2026-01-01/", "why": "is older than what is read"}],
        "passed_over_more": 0,
        "incomplete": None,
    }
    assert segment == {"segment": "Seg", "problem": None, "columns": ["EMail"], "columns_problem": None}


def test_a_segment_whose_files_are_not_certain_is_listed_with_the_reason() -> None:
    files = {"Seg/north.csv": "EMail\n", "Seg/south.csv": "EMail\n", "Other.csv": "EMail\n"}
    (other, unsure) = list_segments(delivered(files))
    assert (other.segment, other.problem) == ("Other", None)
    assert unsure.problem is not None
    assert (unsure.segment, unsure.extract, unsure.problem.code) == ("Seg", None, "extract_ambiguous")


def test_a_row_taken_for_a_header_is_not_shown() -> None:
    segment = segment_of(json.dumps({"ann@example.com": 1}) + "\n", "Seg.jsonl")
    assert segment.columns is None
    assert segment.columns_problem == (
        "The file Seg/Seg.jsonl cannot be read: it may name its columns after somebody, or have no header, so they"
        " are not shown."
    )


@pytest.mark.parametrize(
    "name", ["Ada Lovelace", "ada.lovelace", "+46701234567", "19121212-1212", "Ada, Countess", ""]
)
def test_a_member_of_json_that_may_be_somebodys_name_is_not_shown(name: str) -> None:
    segment = segment_of(json.dumps({name: 1, "email": "ada@example.com"}) + "\n", "Seg.jsonl")
    assert segment.columns is None
    assert "Ada" not in str(segment.columns_problem)


@pytest.mark.parametrize("name", ["FirstName", "first_name", "förnamn", "_id", "post-code", "line2"])
def test_a_member_of_json_that_looks_like_a_columns_name_is_shown(name: str) -> None:
    segment = segment_of(json.dumps({name: 1, "email": "ada@example.com"}) + "\n", "Seg.jsonl")
    assert segment.columns == (name, "email")


def test_the_first_row_of_a_file_without_addresses_is_not_shown() -> None:
    segment = segment_of("Ann,Smith\nBo,Jones\n")
    assert segment.columns is None
