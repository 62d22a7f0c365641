"""Three inputs for each kind of mistake that public bug reports tell of, and who must get mail.

A file is the people in it, a letter each, written as the simplest CSV file; or a text, or bytes. What must come of
the files is the people again, or, behind `!`, the code of the reason for sending nothing.
"""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.errors import RunEndError
from shared.extracts.discovery import find_extract
from shared.model.definitions import CustomField, FieldMapping, SourceOptions
from shared.planning.plan import plan
from tests.corpus.corpus import Collected, make_parquet
from tests.support.memory_storage import MemoryBlobs

Files = dict[str, str | bytes]
HEAD = "EMail,FirstName\n"
NULL_SETTINGS = {"$type": "CsvFormatSettings", "columnHeaders": None, "delimiter": None}
NULL_ENTITY = {"annotations": None, "description": None}
LATE = '{"EMail": "b@example.com", "FirstName": "B"}\n'
SWEDISH = HEAD + "a@example.com,Åsa\n"
PARQUET = "SELECT 'a@example.com' AS EMail, 'A' AS FirstName"
NAMED = FieldMapping(email="EMail", first_name="FirstName")


def model(*files: str, columns: tuple[str, ...] = ("EMail", "FirstName"), **options: Any) -> str:  # noqa: ANN401
    """A model.json that lists these files for Seg."""
    partitions = [
        {"name": name, "location": f"https://st.blob.core.windows.net/extracts/{name}", **options.get("part", {})}
        for name in files
    ]
    attributes = [{"name": column, "dataType": "string"} for column in columns]
    entity = {"$type": "LocalEntity", "name": "Seg", "attributes": attributes, "partitions": partitions}
    return json.dumps({"name": "m", "entities": [entity | options.get("entity", {})]})


def rows(people: str) -> str:
    return "".join(f"{who}@example.com,{who.upper()}\n" for who in people)


def multiselect(delimiter: str) -> str:
    values = "".join(f"{who}@example.com{delimiter}{who}{delimiter}x;y;z{delimiter}1;2\n" for who in "abc")
    return delimiter.join(["EMail", "FirstName", "Interests", "Codes"]) + "\n" + values


KINDS: dict[str, list[tuple[Files, str]]] = {
    "shards of BigQuery": [
        ({f"Seg-{n:012}.csv": who for n, who in enumerate("abc")}, "abc"),
        ({f"Seg{n:012}.csv.gz": gzip.compress((HEAD + rows(who)).encode()) for n, who in enumerate("ab")}, "ab"),
        ({"Seg_000000000000.csv": "a", "Seg_000000000002.csv": "c"}, "!extract_incomplete"),
    ],
    "unloads of Snowflake": [
        ({"Seg_0_0_0.csv": "a", "Seg_0_1_0.csv": "b", "Seg_1_0_0.csv": "c"}, "abc"),
        ({"Seg/data_0_0_0.csv": "a", "Seg/data_0_1_0.csv": "b"}, "ab"),
        ({"Seg_20261120_0_0_0.csv": "z", "Seg_20261121_0_0_0.csv": "a", "Seg_20261121_0_1_0.csv": "b"}, "ab"),
    ],
    "shards in a folder": [
        ({"Seg/export-000000000000.csv": "a", "Seg/export-000000000001.csv": "b"}, "ab"),
        ({"Seg/000000000000.csv": "a", "Seg/000000000001.csv": "b"}, "ab"),
        ({"Seg/2026-11-20/p_000000000000.csv": "z", "Seg/2026-11-21/p_000000000000.csv": "a"}, "a"),
    ],
    "uncommitted work": [
        ({"Seg/_temporary/0/part-00000.csv": "a"}, "!extract_missing"),
        ({"Seg/_temporary/0/part-00001.csv": "b", "Seg/part-00000.csv": "a"}, "!extract_incomplete"),
        ({"Seg/.spark-staging-1/part-00001.csv": "b", "Seg/part-00000.csv": "a"}, "a"),
    ],
    "a newer version that is not committed": [
        ({"Seg/20261120/part-0.csv": "a", "Seg/20261121/_temporary/0/part-0.csv": "b"}, "a"),
        ({"Seg/20261120/_SUCCESS": b"", "Seg/20261120/p-0.csv": "a", "Seg/20261121/p-0.csv": "b"}, "a"),
        ({"Seg/20261120/part-0.csv": "a", "Seg/20261121/part-0.csv._COPYING_": "b"}, "a"),
    ],
    "partitions by value": [
        ({"Seg/country=SE/p-0.csv": "a", "Seg/country=NO/p-0.csv": "b", "Seg/country=DK/p-0.csv": "c"}, "abc"),
        ({"Seg/tier=1/p-0.csv": "a", "Seg/tier=2/p-0.csv": "b"}, "ab"),
        ({"Seg/land=A/tier=1/p.csv": "a", "Seg/land=A/tier=2/p.csv": "b", "Seg/land=B/tier=1/p.csv": "c"}, "abc"),
    ],
    "partitions by date": [
        ({"Seg/load_date=20261120/p.csv": "z", "Seg/load_date=20261121/p.csv": "a"}, "a"),
        ({"Seg/year=2026/month=10/day=31/p.csv": "z", "Seg/year=2026/month=11/day=01/p.csv": "a"}, "a"),
        ({"Seg/signup=2026-11-20/p.csv": "z", "Seg/signup=2026-11-21/p.csv": "a"}, "!extract_ambiguous"),
    ],
    "the day in front": [
        ({"Seg/28.02.2026/p.csv": "z", "Seg/01.03.2026/p.csv": "a"}, "a"),
        ({"Seg/01-03-2026/p.csv": "a", "Seg/02-03-2026/p.csv": "b"}, "!extract_ambiguous"),
        ({"Seg_31-12-2025.csv": "z", "Seg_01-01-2026.csv": "a"}, "a"),
    ],
    "run ids behind the date": [
        ({"Seg/20261120T0100Z_aa11/p.csv": "z", "Seg/20261121T0100Z_bb22/p.csv": "a"}, "a"),
        ({"Seg/2026-11-20-run7/p.csv": "z", "Seg/2026-11-21-run8/p.csv": "a"}, "a"),
        ({"Seg/2026-11-21_x1/p.csv": "z", "Seg/2026-11-21_x2/p.csv": "a"}, "!extract_ambiguous"),
    ],
    "offsets in versions": [
        ({"Seg/2026-11-20T06:30:00+01:00/p.csv": "z", "Seg/2026-11-21T06:30:00+01:00/p.csv": "a"}, "a"),
        ({"Seg/20261121T000000+0200/p.csv": "z", "Seg/20261121T000000+0100/p.csv": "a"}, "a"),
        ({"Seg/2026-11-21T06-30-00Z/p.csv": "a", "Seg/2026-11-20T06-30-00Z/p.csv": "z"}, "a"),
    ],
    "a word before the date": [
        ({"Seg/run_2026-11-20/p.csv": "z", "Seg/run_2026-11-21/p.csv": "a"}, "a"),
        ({"Seg/snapshot-20261120/p.csv": "z", "Seg/snapshot-20261121/p.csv": "a"}, "a"),
        ({"Seg/full_2026-11-20/p.csv": "z", "Seg/delta_2026-11-21/p.csv": "a"}, "!extract_ambiguous"),
    ],
    "another segment's file": [
        ({"VIP_Seg.csv": "a"}, "!extract_missing"),
        ({"Seg.csv": "a", "Seg_EU.csv": "z", "NotSeg.csv": "y"}, "a"),
        ({"Segments.csv": "a", "Seg2.csv": "b"}, "!extract_missing"),
    ],
    "definitions and notes": [
        ({"Seg/Seg.manifest.cdm.json": "{}", "Seg/Seg.csv": "a"}, "a"),
        ({"Seg/README.md": "Hello", "Seg/part-0.csv": "a"}, "a"),
        ({"Seg/schema.json.crc": "x", "Seg/.part-0.csv.crc": "x", "Seg/part-0.csv": "a"}, "a"),
    ],
    "folders that are no versions": [
        ({"Seg/old/part-0.csv": "z", "Seg/part-0.csv": "a"}, "a"),
        ({"Seg/archive/2026-11-20/p.csv": "z", "Seg/2026-11-19/p.csv": "a"}, "a"),
        ({"Seg/north/p.csv": "a", "Seg/south/p.csv": "b"}, "!extract_ambiguous"),
    ],
    "folders named like files": [
        ({"Seg.parquet.csv/part-0.csv": "a"}, "!extract_missing"),
        ({"Seg.csv/part-00000.csv": "a", "Seg.csv/part-00001.csv": "b"}, "ab"),
        ({"Seg_20261120.csv/part-0.csv": "z", "Seg_20261121.csv/part-0.csv": "a"}, "a"),
    ],
    "half a delivery by its model": [
        ({"model.json": model("Seg/1.csv", "Seg/2.csv"), "Seg/1.csv": rows("a")}, "!extract_incomplete"),
        ({"model.json": model("Seg/1.csv", "Seg/2.csv"), "Seg/1.csv": rows("a"), "Seg/2.csv": rows("b")}, "ab"),
        ({"model.json": model("Seg/1.csv"), "Seg/1.csv": rows("a"), "Seg/2.csv": rows("b")}, "a"),
    ],
    "columns that were added": [
        ({"model.json": model("s/1.csv", columns=("EMail", "FirstName", "New")), "s/1.csv": rows("ab")}, "ab"),
        ({"Seg/1.csv": "EMail,FirstName,New\na@example.com,A,1\n", "Seg/2.csv": "b"}, "ab"),
        ({"Seg/1.csv": "a", "Seg/2.csv": "New,FirstName,EMail\n1,B,b@example.com\n"}, "ab"),
    ],
    "null in a model": [
        ({"model.json": model("s/1.csv", part={"fileFormatSettings": None}), "s/1.csv": rows("a")}, "a"),
        (
            {
                "model.json": model(
                    "s/1.csv",
                    part={
                        "fileFormatSettings": {
                            "$type": "CsvFormatSettings",
                            "columnHeaders": None,
                            "delimiter": None,
                        }
                    },
                ),
                "s/1.csv": rows("ab"),
            },
            "ab",
        ),
        (
            {
                "model.json": model("s/1.csv", entity={"annotations": None, "description": None}),
                "s/1.csv": rows("a"),
            },
            "a",
        ),
    ],
    "a header in another order": [
        ({"model.json": model("s/1.csv"), "s/1.csv": "FirstName,EMail\nA,a@example.com\n"}, "a"),
        ({"model.json": model("s/1.csv"), "s/1.csv": "EMail,FirstName\na@example.com,A\n"}, "a"),
        ({"model.json": model("s/1.csv"), "s/1.csv": rows("ab")}, "ab"),
    ],
    "backslashes before quotation marks": [
        ({"Seg.csv": HEAD + 'a@example.com,"A \\"x\\", y"\nb@example.com,"B"\n'}, "ab"),
        ({"Seg.csv": HEAD + 'a@example.com,"A ""x"" y\\"\nb@example.com,B\n'}, "ab"),
        ({"Seg.csv": HEAD + "a@example.com,C:\\\\x\nb@example.com,\\\n"}, "ab"),
    ],
    "a hint for spreadsheets": [
        ({"Seg.csv": "sep=;\nEMail;FirstName\na@example.com;A\n"}, "a"),
        ({"Seg.csv": b"\xef\xbb\xbfsep=,\r\n" + (HEAD + rows("ab")).encode()}, "ab"),
        ({"Seg.csv": "SEP=\t\nEMail\tFirstName\na@example.com\tA\n"}, "a"),
    ],
    "byte order marks": [
        ({"Seg.csv": b"\xef\xbb\xbf\xef\xbb\xbf" + (HEAD + rows("ab")).encode()}, "ab"),
        ({"Seg.csv": (HEAD + rows("a")).encode() + b"\xef\xbb\xbf" + rows("b").encode()}, "ab"),
        ({"Seg.csv": ("\ufeff" + HEAD + rows("a")).encode("utf-16-le")}, "a"),
    ],
    "words for nothing": [
        ({"Seg.csv": HEAD + "a@example.com,\\N\n\\N,B\n"}, "a"),
        ({"Seg.jsonl": '{"EMail": "a@example.com", "FirstName": null}\n{"EMail": null}\n'}, "a"),
        ({"Seg.jsonl": '{"EMail": "a@example.com", "FirstName": NaN}\n'}, "a"),
    ],
    "delimiters in values": [
        ({"Seg.csv": multiselect(",")}, "abc"),
        ({"Seg.csv": multiselect("\t")}, "abc"),
        ({"Seg.csv": multiselect("|")}, "abc"),
    ],
    "delimiters of few columns": [
        ({"Seg.csv": "EMail;FirstName\na@example.com;1,5\nb@example.com;2,5\n"}, "ab"),
        ({"Seg.csv": "FirstName\tEMail\nA, B\ta@example.com\n"}, "a"),
        ({"Seg.csv": "EMail|FirstName\na@example.com|A;B,C\n"}, "a"),
    ],
    "endings in capitals": [
        ({"Seg.CSV": "a"}, "a"),
        ({"Seg.Csv.Gz": gzip.compress((HEAD + rows("ab")).encode())}, "ab"),
        ({"Seg_20261120.CSV": "z", "Seg_20261121.CSV": "a"}, "a"),
    ],
    "members that come late": [
        (
            {"Seg.jsonl": '{"EMail": "a@example.com"}\n' * 3 + LATE},
            "ab",
        ),
        ({"Seg.jsonl": '{"x": 1}\n' * 2000 + '{"EMail": "a@example.com", "FirstName": "A"}\n'}, "a"),
        ({"Seg/1.jsonl": '{"EMail": "a@example.com"}\n', "Seg/2.jsonl": '{"FirstName": "B"}\n'}, "a"),
    ],
    "names that differ in case": [
        ({"Seg.csv": "email,EMail,FirstName\nz@example.com,a@example.com,A\n"}, "a"),
        ({"Seg.csv": "EMAIL,FIRSTNAME\na@example.com,A\n"}, "a"),
        ({"Seg.csv": "email,EMAIL\nz@example.com,a@example.com\n"}, "!column_ambiguous"),
    ],
    "Parquet": [
        ({"Seg.parquet": make_parquet(PARQUET)}, "a"),
        (
            {
                "Seg.parquet": make_parquet(
                    "SELECT 'z@example.com' AS other, 'a@example.com' AS email, 1 AS firstname"
                )
            },
            "a",
        ),
        (
            {
                "Seg/1.parquet": make_parquet(PARQUET),
                "Seg/2.parquet": make_parquet("SELECT 'b@example.com' AS \"EMail\""),
            },
            "ab",
        ),
    ],
    "encodings": [
        (
            {"Seg.csv": SWEDISH.encode("cp1252")},
            "!extract_undecodable",
        ),
        ({"Seg.csv": SWEDISH.encode("utf-16")}, "a"),
        ({"Seg.csv": SWEDISH.encode()}, "a"),
    ],
}


def blobs_of(files: Files) -> MemoryBlobs:
    delivered = MemoryBlobs(lambda: datetime(2026, 11, 21, 4, 0, tzinfo=UTC))
    for name, content in files.items():
        text = HEAD + rows(content) if isinstance(content, str) and re.fullmatch("[a-z]+", content) else content
        delivered.create(name, text.encode() if isinstance(text, str) else text)
    return delivered


def who_gets_mail(files: Files) -> str:
    blobs, sink = blobs_of(files), Collected()
    fields: dict[str, CustomField] = {}
    try:
        extract = find_extract(blobs, "Seg", source=SourceOptions())
        plan([extract], NAMED, blobs=blobs, sink=sink, custom_fields=fields)
    except RunEndError as end:
        return f"!{end.reason.code}"
    return "".join(sorted(json.loads(line)["email"][0] for line in sink.lines.splitlines()))


CASES = [
    pytest.param(files, right, id=f"{kind} {number}")
    for kind, inputs in KINDS.items()
    for number, (files, right) in enumerate(inputs, 1)
]


@pytest.mark.parametrize(("files", "right"), CASES)
def test_the_right_people_get_mail_or_nobody_does(files: Files, right: str) -> None:
    assert who_gets_mail(files) == right


def test_every_kind_has_three_inputs() -> None:
    assert len(KINDS) >= 30
    assert {len(inputs) for inputs in KINDS.values()} == {3}
