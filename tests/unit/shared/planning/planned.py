"""Plans extracts that exist only for one test, and checks what must hold of any plan."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import duckdb

from shared.extracts.extract import Extract, ExtractFile
from shared.model.definitions import FieldMapping, SourceOptions
from shared.planning.plan import PlanOutcome, plan
from tests.corpus.corpus import Collected
from tests.support.factories import NOW
from tests.support.memory_storage import MemoryBlobs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MAPPING = FieldMapping(email="EMail", first_name="FirstName")
AS_DECLARED = SourceOptions(delimiter="comma", header="present", encoding="utf-8")

Row = tuple[str, str]
"""E-mail and first name."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan, as a test looks at it."""

    outcome: PlanOutcome
    lines: bytes
    rejected: tuple[tuple[str, ...], ...]
    """Rows of rejected.csv: segment, file, row, customer id, column, reason."""

    @property
    def contacts(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines.splitlines()]

    @property
    def rejected_rows(self) -> list[tuple[int, str]]:
        return [(int(row[2]), row[5]) for row in self.rejected]


@contextlib.contextmanager
def on_cores(number: int) -> Iterator[None]:
    """As if this process could use so many."""
    with patch("shared.planning.readers.os.process_cpu_count", lambda: number):
        yield


def an_extract(
    blobs: MemoryBlobs, files: Iterable[str], segment: str = "Seg", source: SourceOptions | None = None
) -> Extract:
    """Return an extract of files that lie in `blobs`, listed in that order."""
    pinned = []
    for name in files:
        blob = blobs.get(name)
        options = source or SourceOptions()
        pinned.append(ExtractFile(name=name, size=len(blob.data), etag=blob.etag, source=options))
    return Extract(segment=segment, version="", delivered_at=NOW, files=tuple(pinned), columns=None)


def plan_segments(
    segments: Mapping[str, Mapping[str, bytes]],
    *,
    mapping: FieldMapping = MAPPING,
    source: SourceOptions | None = None,
) -> Planned:
    """Plan segments, in order of precedence, each with its files in the order in which they are listed."""
    blobs, sink = MemoryBlobs(lambda: NOW), Collected()
    extracts = []
    for segment, files in segments.items():
        for name, data in files.items():
            blobs.create(name, data)
        extracts.append(an_extract(blobs, files, segment, source))
    with patch("shared.planning.planner.UNDECODABLE_SHARE_MAX", 1.0):
        outcome = plan(extracts, mapping, blobs=blobs, sink=sink)
    rejected = tuple(map(tuple, csv.reader(io.StringIO(sink.rejected.decode()))))[1:]
    return Planned(outcome=outcome, lines=sink.lines, rejected=rejected)


def plan_file(
    data: bytes,
    name: str = "part.csv",
    *,
    mapping: FieldMapping = MAPPING,
    source: SourceOptions | None = None,
) -> Planned:
    """Plan a segment of one file."""
    return plan_segments({"Seg": {name: data}}, mapping=mapping, source=source)


def assert_accounted_for(planned: Planned, *, line_breaks: int) -> None:
    """Every row has one outcome, which is told alike in the counts, the chunks and the list of rejections."""
    counts, rows = planned.outcome.counts, [row for row, _ in planned.rejected_rows]
    assert counts.adds_up
    assert counts.sent == planned.lines.count(b"\n") == sum(chunk.contacts for chunk in planned.outcome.chunks)
    addresses = [contact["email"] for contact in planned.contacts]
    assert len(set(addresses)) == counts.sent
    assert all("@" in address for address in addresses)
    assert len(set(rows)) == len(rows) == counts.rejected
    assert all(1 <= row <= line_breaks + 1 for row in rows)
    assert Counter(reason for _, reason in planned.rejected_rows) == counts.rejected_by_reason


def as_csv(rows: Iterable[Row], **dialect: Any) -> bytes:  # noqa: ANN401 - what csv.writer takes
    text = io.StringIO()
    writer = csv.writer(text, **{"lineterminator": "\n", **dialect})
    writer.writerow(["EMail", "FirstName"])
    for row in rows:
        if any(row):
            writer.writerow(row)
        else:
            text.write('"",""\n')  # a line of nothing but delimiters is no row
    return text.getvalue().encode()


def as_json_lines(rows: Iterable[Row]) -> bytes:
    lines = [json.dumps({"EMail": email, "FirstName": first_name}) for email, first_name in rows]
    return "".join(line + "\n" for line in lines).encode()


def as_parquet(rows: Sequence[Row]) -> bytes:
    return parquet("SELECT unnest($emails) AS EMail, unnest($names) AS FirstName", *zip(*rows, strict=True))


def parquet(query: str, emails: Sequence[str] = (), names: Sequence[str] = ()) -> bytes:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder) / "made.parquet"
        given = {"emails": list(emails), "names": list(names)} if emails else None
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)", given)
        return path.read_bytes()
