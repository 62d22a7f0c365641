"""Files and records at the edge of what is read."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import duckdb
import pytest

from shared.errors import RunEndError
from shared.limits import RECORD_BYTES_MAX
from shared.model.definitions import FieldMapping, SourceOptions
from shared.planning import text_pieces as pieces
from shared.planning.plan import plan
from tests.corpus.corpus import Collected
from tests.support.factories import NOW
from tests.support.memory_storage import MemoryBlobs
from tests.unit.shared.planning.planned import MAPPING, an_extract, plan_file, plan_segments

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("length", "outcome"), [(RECORD_BYTES_MAX, []), (RECORD_BYTES_MAX + 1, [(2, "row_too_long")])]
)
def test_a_record_may_have_a_megabyte_and_no_more(length: int, outcome: list[tuple[int, str]]) -> None:
    address = b"ann@example.com,"
    planned = plan_file(b"EMail,FirstName\n" + address + b"x" * (length - len(address)) + b"\n", "part.csv")
    assert planned.rejected_rows == outcome


def test_what_stands_for_damaged_rows_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "REPAIRED_BYTES", 100)
    lines = 300
    planned = plan_file(b"A,B,C,D,EMail,FirstName\n" + b"x\n" * lines, "part.csv")
    assert planned.rejected_rows == [(number, "row_malformed") for number in range(2, lines + 2)]


def test_a_line_that_never_ends_does_not_keep_planning_from_ending() -> None:
    text = b'EMail,FirstName\nann@example.com,"x\n' + b"y" * 3 * pieces.PIECE_BYTES + b"\nbo@example.com,z\n"
    planned = plan_file(text, "part.csv")
    assert planned.rejected_rows == [(2, "row_malformed"), (3, "row_too_long")]
    assert [contact["email"] for contact in planned.contacts] == ["bo@example.com"]


@pytest.mark.parametrize("zeros", [1, 100])
def test_zeros_behind_gzip_are_padding(zeros: int) -> None:
    planned = plan_file(gzip.compress(b"EMail,FirstName\nann@example.com,Ann\n") + b"\0" * zeros, "part.csv.gz")
    assert len(planned.contacts) == 1


def test_a_header_that_cannot_be_decoded_is_no_name() -> None:
    with pytest.raises(RunEndError, match="the names of the columns cannot be decoded"):
        plan_file("E-post,Förnamn\nann@example.com,Ann\n".encode("cp1252"), "part.csv")


def test_a_byte_order_mark_in_the_middle_is_passed_over_wherever_the_text_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "EMail,FirstName\nann@example.com,Ann\n\ufeffbo@example.com,Bo\n".encode()
    whole = plan_file(text, "part.csv")
    monkeypatch.setattr("shared.planning.planner.PIECE_BYTES", 20)
    assert plan_file(text, "part.csv") == whole
    assert [contact["email"] for contact in whole.contacts] == ["ann@example.com", "bo@example.com"]


def test_a_blank_line_counts_in_the_numbers_of_rows_wherever_it_is() -> None:
    text = b"EMail,FirstName\n\nnobody,One\n\nnobody,Two\n"
    assert plan_file(text, "part.csv").rejected_rows == [(3, "email_invalid"), (5, "email_invalid")]
    assert plan_file(text.replace(b"\n\nnobody,Two", b""), "part.csv").rejected_rows == [(3, "email_invalid")]


def test_a_row_taken_for_a_header_is_not_told() -> None:
    with pytest.raises(RunEndError) as end:
        plan_file(b"ann@example.com,Ann\n", "part.csv", source=SourceOptions(header="present"))
    assert "Ann" not in end.value.reason.message
    assert "ann@" not in end.value.reason.message


def as_parquet_file(folder: Path, query: str) -> bytes:
    path = folder / "made.parquet"
    duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path.read_bytes()


def test_parquet_names_that_differ_in_case_only_are_two_columns(tmp_path: Path) -> None:
    data = as_parquet_file(tmp_path, "SELECT 'Ann' AS EMAIL, 'ann@example.com' AS emaiX")
    data = data.replace(b"emaiX", b"email")
    mapping = FieldMapping(email="email", first_name="EMAIL")
    (contact,) = plan_file(data, "part.parquet", mapping=mapping).contacts
    assert contact == {"email": "ann@example.com", "first_name": "Ann"}


def test_a_file_that_unpacks_to_far_more_than_it_holds_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.planning.meter.UNPACKED_RATIO_FROM", 10_000)
    data = gzip.compress(b"EMail,FirstName\n" + b"nobody,x\n" * 100_000)
    with pytest.raises(RunEndError, match=r"part\.csv\.gz has .* unpacks to more than 250 times") as end:
        plan_file(data, "part.csv.gz")
    assert end.value.reason.code == "ratio_too_high"


def test_a_parquet_file_of_one_value_repeated_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.planning.meter.UNPACKED_RATIO_FROM", 10_000)
    data = as_parquet_file(tmp_path, "SELECT 'nobody' AS EMail, 'x' AS FirstName FROM range(1000000)")
    with pytest.raises(RunEndError) as end:
        plan_file(data, "part.parquet")
    assert end.value.reason.code == "ratio_too_high"


@pytest.mark.parametrize(
    ("limits", "code"),
    [({"rows": 2}, "too_many_rows"), ({"columns": 1}, "too_many_columns")],
)
def test_declared_limits_end_the_run(limits: dict[str, int], code: str) -> None:
    source = SourceOptions.model_validate({"limits": limits})
    with pytest.raises(RunEndError) as end:
        plan_file(b"EMail,FirstName\n" + b"ann@example.com,Ann\n" * 3, source=source)
    assert end.value.reason.code == code


def test_more_text_than_declared_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.planning.meter.GIGABYTE", 10)
    source = SourceOptions.model_validate({"limits": {"unpacked_gb": 1}})
    with pytest.raises(RunEndError) as end:
        plan_file(b"EMail,FirstName\nann@example.com,Ann\n", source=source)
    assert end.value.reason.code == "unpacked_too_large"


def test_rejected_rows_are_listed_up_to_a_number_and_all_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.planning.planner.REJECTED_LISTED_MAX", 3)
    data = b"EMail,FirstName\n" + b"nobody,x\n" * 2
    planned = plan_segments({"Seg": dict.fromkeys(["part-0.csv", "part-1.csv", "part-2.csv"], data)})
    assert len(planned.rejected) == 3
    assert (planned.outcome.counts.rejected, planned.outcome.counts.rejected_not_listed) == (6, 3)


def test_too_many_contacts_stop_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.planning.planner.PIECE_BYTES", 200)
    blobs = MemoryBlobs(lambda: NOW)
    blobs.create("part.csv", b"EMail\n" + b"".join(b"p%d@example.com\n" % n for n in range(1000)))
    extracts = [an_extract(blobs, ["part.csv"])]
    with pytest.raises(RunEndError, match="at least") as end:
        plan(extracts, FieldMapping(email="EMail"), blobs=blobs, sink=Collected(), max_contacts=5)
    assert end.value.counts is not None
    assert 5 < end.value.counts.rows_read < 1000


def test_few_rows_that_cannot_be_decoded_do_not_end_the_run() -> None:
    blobs, sink = MemoryBlobs(lambda: NOW), Collected()
    rows = [b"p%d@example.com,Bo\n" % n for n in range(199)]
    blobs.create("part.csv", b"EMail,FirstName\n" + b"".join(rows) + b"x@example.com,\xc5sa\n")
    counts = plan([an_extract(blobs, ["part.csv"])], MAPPING, blobs=blobs, sink=sink).counts
    assert counts.rejected_by_reason == {"row_undecodable": 1}
