"""Names and texts from outside stay what they are, whatever SQL they hold."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.model.definitions import CustomField, FieldMapping, SourceOptions
from shared.model.members import Membership
from shared.model.rejections import as_cell
from shared.model.runs import MembershipChange, ParquetBlob
from shared.planning.engine import open_engine
from shared.planning.fields import Field, Kind
from shared.planning.members import read_members
from shared.planning.plan import plan
from shared.planning.planner import Planner
from shared.planning.query import PieceQuery, read_piece, seen_column
from tests.corpus.corpus import Collected
from tests.support.factories import LIST_ID, NOW, RUN_ID
from tests.support.memory_storage import MemoryBlobs
from tests.unit.shared.planning.planned import an_extract, parquet

if TYPE_CHECKING:
    from collections.abc import Mapping

ATTACK = """x":"' || (SELECT content FROM read_text('/etc/hostname')) || '","y"""
ATTACKS = st.sampled_from(
    [ATTACK, "a'b", "a''b", 'a"b', "');DROP TABLE seen;--", "$1", "{x}", "a\\'b", "--", "/*"]
)
HOSTILE = ATTACKS | st.text(st.sampled_from("aé漢'\"\\;-/*(){}[]$%?~ |&<>`"), min_size=1, max_size=12)
NAMES = HOSTILE.map(str.strip).filter(bool)
KINDS = {"Text": "Ada", "Number": "7", "Date": "2026-03-01"}
DECLARED = SourceOptions(delimiter="comma", header="present", encoding="utf-8")


def a_field(key: str, kind: Kind, *, name: str = "Score") -> Field:
    return Field(number=30, name=name, key=key, custom=True, kind=kind, column="c", limit=100)


@given(key=HOSTILE, name=HOSTILE, value=HOSTILE)
@example(key=ATTACK, name=ATTACK, value=ATTACK)
def test_a_key_is_a_member_of_the_contact(key: str, name: str, value: str) -> None:
    values = {Kind.TEXT: value.strip() or "x", Kind.NUMBER: "7", Kind.DATE: "2026-03-01"}
    with open_engine() as engine:
        Planner(
            engine=engine, blobs=MemoryBlobs(lambda: NOW), mapping=FieldMapping(email="e"), fields=(), most=None
        )
        for kind, given_value in values.items():
            field = a_field(key, kind, name=name)
            engine.execute("CREATE OR REPLACE TEMP TABLE given AS SELECT $value AS c", {"value": given_value})
            rows = PieceQuery(
                relation="given",
                values={"email": "'ada@example.com'", field.alias: "c"},
                token="token ",
                base=0,
                slashed_date="-",
                watched=[field.alias],
            )
            engine.execute("DROP TABLE IF EXISTS piece")
            engine.execute(read_piece(rows, [field], []))
            ((line, seen),) = engine.rows(f"SELECT line, {seen_column(field.alias)} FROM piece")
            sent = {Kind.TEXT: values[Kind.TEXT], Kind.NUMBER: 7, Kind.DATE: "03/01/2026"}[kind]
            assert json.loads(line) == {"email": "ada@example.com", "custom_fields": {key: sent}}
            assert seen is True


@given(key=HOSTILE)
@example(key=ATTACK)
def test_no_custom_field_has_such_an_id(key: str) -> None:
    if not (key.strip().isascii() and key.strip().isalnum()):
        with pytest.raises(ValidationError):
            CustomField(id=key, type="Text")


def _planned(
    files: Mapping[str, bytes], mapping: FieldMapping, segment: str
) -> tuple[list[object], list[list[str]]]:
    """Contacts, and rows of rejected.csv."""
    blobs, sink = MemoryBlobs(lambda: NOW), Collected()
    for name, data in files.items():
        blobs.create(name, data)
    fields = {kind: CustomField(id=f"e_{kind}", type=kind) for kind in ("Text", "Number", "Date")}
    plan([an_extract(blobs, files, segment, DECLARED)], mapping, blobs=blobs, sink=sink, custom_fields=fields)
    rejected = list(csv.reader(io.StringIO(sink.rejected.decode())))
    return [json.loads(line) for line in sink.lines.splitlines()], rejected


@given(columns=st.lists(NAMES, min_size=4, max_size=4, unique_by=str.casefold), segment=NAMES, file=NAMES)
@example(columns=[ATTACK, "a'b", 'a"b', "');--"], segment=ATTACK, file=ATTACK)
def test_names_of_columns_segments_and_files_are_names(columns: list[str], segment: str, file: str) -> None:
    email, *others = columns
    mapping = FieldMapping(
        email=email,
        custom_fields=dict(zip(KINDS, others, strict=True)),
        unusable=dict.fromkeys(("Number", "Date"), "reject"),
    )
    rows = [
        columns,
        ["ada@example.com", *KINDS.values()],
        ["bo@example.com", "Bo", "many", "today"],
        ["no", *"123"],
    ]
    contact = {
        "email": "ada@example.com",
        "custom_fields": {"e_Text": "Ada", "e_Number": 7, "e_Date": "03/01/2026"},
    }
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    lines = [json.dumps(dict(zip(columns, row, strict=True))) for row in rows[1:]]
    for name, data in (
        (f"{file}.csv", text.getvalue().encode()),
        (f"{file}.jsonl", "\n".join(["", *lines, ""]).encode()),
    ):
        contacts, rejected = _planned({name: data}, mapping, segment)
        assert contacts == [contact]
        reasons = ["number_invalid", "email_invalid"]
        places = zip([others[1], email], reasons, strict=True)
        assert [[row[0], row[1], *row[4:]] for row in rejected[1:]] == [
            [as_cell(segment), as_cell(name), as_cell(column), reason] for column, reason in places
        ]


@given(columns=st.lists(NAMES, min_size=2, max_size=2, unique_by=str.casefold))
@example(columns=["a'b", ATTACK])
def test_names_in_parquet_are_names(columns: list[str]) -> None:
    email, text = columns
    names = ['"' + name.replace('"', '""') + '"' for name in columns]
    data = parquet(f"SELECT 'ada@example.com' AS {names[0]}, 'Ada' AS {names[1]}")
    contacts, _ = _planned({"part.parquet": data}, FieldMapping(email=email, first_name=text), "Seg")
    assert contacts == [{"email": "ada@example.com", "first_name": "Ada"}]


@given(name=NAMES)
@example(name="a'b[x]*?")
def test_names_of_generations_are_names(name: str) -> None:
    blobs = MemoryBlobs(lambda: NOW)
    name = f"{name}.parquet"
    blobs.create(name, parquet("SELECT 'ada@example.com' AS address, 0::UTINYINT AS missing"))
    blob = blobs.get(name)
    generation = ParquetBlob(blob=name, size=len(blob.data), etag=blob.etag)
    membership = Membership(
        export_uid="loyal-1",
        connection="main",
        list_id=LIST_ID,
        run=RUN_ID,
        noted_at=NOW,
        generation=generation,
        change=MembershipChange(after=1),
        mapping_digest="",
        sent_all_at=NOW,
    )
    assert list(read_members(membership, blobs=blobs)) == [("ada@example.com", 0)]
