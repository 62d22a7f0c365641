"""Files and records at the edge of what is read."""

from __future__ import annotations

import gzip

import pytest

from shared.errors import RunEndError
from shared.limits import RECORD_BYTES_MAX
from shared.model.definitions import SourceOptions
from shared.planning import text_pieces as pieces
from tests.unit.shared.planning.planned import plan_file


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


def test_a_header_that_cannot_be_decoded_is_shown_as_far_as_it_can() -> None:
    with pytest.raises(RunEndError, match="It has: E-post, F\ufffdrnamn"):
        plan_file("E-post,Förnamn\nann@example.com,Ann\n".encode("cp1252"), "part.csv")


def test_a_byte_order_mark_in_the_middle_is_part_of_a_value_wherever_the_text_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "EMail,FirstName\nann@example.com,Ann\n\ufeffbo@example.com,Bo\n".encode()
    whole = plan_file(text, "part.csv")
    monkeypatch.setattr("shared.planning.planner.PIECE_BYTES", 20)
    assert plan_file(text, "part.csv") == whole
    assert whole.rejected_rows == [(3, "email_invalid")]


def test_a_blank_line_counts_in_the_numbers_of_rows_wherever_it_is() -> None:
    text = b"EMail,FirstName\n\nnobody,One\n\nnobody,Two\n"
    assert plan_file(text, "part.csv").rejected_rows == [(3, "email_invalid"), (5, "email_invalid")]
    assert plan_file(text.replace(b"\n\nnobody,Two", b""), "part.csv").rejected_rows == [(3, "email_invalid")]


def test_a_row_taken_for_a_header_is_not_told() -> None:
    with pytest.raises(RunEndError) as end:
        plan_file(b"ann@example.com,Ann\n", "part.csv", source=SourceOptions(header="present"))
    assert "Ann" not in end.value.reason.message
    assert "ann@" not in end.value.reason.message
