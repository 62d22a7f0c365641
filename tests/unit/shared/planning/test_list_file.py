"""SendGrid's export of a list is read as it is written, whole or not at all."""

from __future__ import annotations

import csv
import gzip
import io
import traceback

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import RunEndError
from shared.planning import list_file
from shared.planning.engine import open_engine
from shared.planning.list_file import read_list

HEADER = ["EMAIL", "CITY", "CONTACT_ID"]


def written(rows: list[tuple[str, str, str]], *, line_end: str = "\n", plain: bool = False) -> bytes:
    text = io.StringIO(newline="")
    dialect = csv.unix_dialect if not plain else csv.excel
    csv.writer(text, dialect, lineterminator=line_end).writerows([HEADER, *rows])
    return text.getvalue().encode()


def read(*blocks: bytes) -> list[tuple[str | None, str]]:
    found: list[tuple[str | None, str]] = []
    with open_engine() as engine:

        def take() -> None:
            found.extend(engine.rows("SELECT address, contact_id FROM listed"))

        assert read_list(engine, blocks, take) == len(found)
    return found


texts = st.text(st.sampled_from('ab",\n\r\0é漢 '), max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cities=st.lists(texts, max_size=12),
    block=st.integers(1, 40),
    packed=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_whatever_the_values_hold_and_wherever_blocks_end(
    monkeypatch: pytest.MonkeyPatch, cities: list[str], block: int, *, packed: bool, line_end: str
) -> None:
    monkeypatch.setattr(list_file, "PIECE_BYTES", 50)
    rows = [(f"P{number}@Example.com", city, f"id-{number}") for number, city in enumerate(cities)]
    data = written(rows, line_end=line_end)
    data = gzip.compress(data) if packed else data
    expected = [(address.lower(), contact) for address, _, contact in rows]
    assert read(*(data[start : start + block] for start in range(0, len(data), block))) == expected


def test_columns_are_found_by_name_whatever_their_order_and_case() -> None:
    assert read(b'\xef\xbb\xbfcontact_id,"Hat",email\n1,"x",ann@example.com\n') == [("ann@example.com", "1")]


def test_a_contact_without_an_address_is_told() -> None:
    assert read(written([("", "x", "1"), ("ann@example.com", "", "2")], plain=True)) == [
        (None, "1"),
        ("ann@example.com", "2"),
    ]


@pytest.mark.parametrize("data", [b"", gzip.compress(b""), written([])], ids=["nothing", "packed", "a header"])
def test_a_file_may_have_nobody(data: bytes) -> None:
    assert read(data) == []


def test_bytes_that_are_no_text_do_not_cost_the_file() -> None:
    data = written([("ann@example.com", "x", "1")]).replace(b'"x"', b'"\xff"')
    assert read(data) == [("ann@example.com", "1")]


def test_a_value_that_never_ends_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_file, "PIECE_BYTES", 10)
    monkeypatch.setattr(list_file, "RECORD_BYTES_MAX", 1_000)
    with pytest.raises(RunEndError, match="does not end"):
        read(b"EMAIL,CONTACT_ID\n", *[b'"x@example.com\n'], *[b"y" * 100] * 20)


@pytest.mark.parametrize(
    "data",
    [
        b"EMAIL,CONTACT_ID\nmarker@example.com\n",
        b"EMAIL,CONTACT_ID\nmarker@example.com,1,2,3\n",
        gzip.compress(b"EMAIL,CONTACT_ID\nmarker@example.com,1\n")[:-4],
        b"NAME\nmarker@example.com\n",
    ],
    ids=["too few values", "too many values", "cut off", "other columns"],
)
def test_what_is_damaged_tells_nothing_of_people(data: bytes) -> None:
    with pytest.raises(RunEndError) as raised:
        read(data)
    assert raised.value.reason.code == "list_export_damaged"
    told = "".join(traceback.format_exception(raised.value))
    assert "marker" not in told
    error: BaseException | None = raised.value
    while error is not None:
        assert "marker" not in str(error)
        error = error.__cause__ or error.__context__
