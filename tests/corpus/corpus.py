"""Reads the cases: one TOML file each, with the files that were delivered and what must come of them."""

from __future__ import annotations

import gzip
import importlib
import tempfile
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import duckdb

from shared.extracts.discovery import find_extract
from shared.limits import UNDECODABLE_SHARE_MAX
from shared.model.definitions import CustomField, FieldMapping, SourceOptions
from shared.planning.plan import PlanOutcome, plan
from tests.support.memory_storage import MemoryBlobs

if TYPE_CHECKING:
    from shared.model.runs import ChunkInfo

FOLDER = Path(__file__).parent / "cases"
DEFAULT_MAPPING = {"email": "EMail", "first_name": "FirstName"}


@dataclass
class Collected:
    """A sink that keeps everything."""

    chunks: list[tuple[ChunkInfo, bytes]] = field(default_factory=list)
    rejected: bytes = b""

    def write_chunk(self, info: ChunkInfo, lines: bytes) -> None:
        self.chunks.append((info, lines))

    def write_rejected(self, csv_part: bytes) -> None:
        self.rejected += csv_part

    @property
    def lines(self) -> bytes:
        return b"".join(lines for _, lines in self.chunks)


@dataclass(frozen=True)
class Case:
    """One case."""

    name: str
    content: dict[str, Any]

    @property
    def expected(self) -> dict[str, Any]:
        expected: dict[str, Any] = self.content["expected"]
        return expected

    @property
    def source(self) -> SourceOptions:
        return SourceOptions.model_validate(self.content.get("source", {}))

    def blobs(self) -> MemoryBlobs:
        delivered = MemoryBlobs(lambda: datetime(2026, 3, 1, 4, 0, tzinfo=UTC))
        for name, written in self.content["files"].items():
            delivered.create(name, _bytes(written))
        return delivered

    def plan(self, *, rows: int | None = None) -> tuple[PlanOutcome, Collected]:
        blobs, sink = self.blobs(), Collected()
        extracts = [
            find_extract(blobs, segment, prefix=self.content.get("prefix", ""), source=self.source)
            for segment in self.content.get("segments", ["Seg"])
        ]
        fields = {
            name: CustomField.model_validate(known)
            for name, known in self.content.get("custom_fields", {}).items()
        }
        mapping = FieldMapping.model_validate(self.content.get("mapping", DEFAULT_MAPPING))
        share = self.content.get("undecodable_share_max", UNDECODABLE_SHARE_MAX)
        with patch("shared.planning.planner.UNDECODABLE_SHARE_MAX", share):
            outcome = plan(extracts, mapping, blobs=blobs, sink=sink, custom_fields=fields, rows=rows)
        return outcome, sink


def cases() -> list[Case]:
    return [
        Case(name=path.stem, content=tomllib.loads(path.read_text(encoding="utf-8")))
        for path in sorted(FOLDER.glob("*.toml"))
    ]


def _bytes(written: str | dict[str, Any]) -> bytes:
    """A file is a text, or a table: `text` with an `encoding`, `bytes` with Python's escapes, or `parquet` SQL."""
    if isinstance(written, str):
        return written.encode()
    if "parquet" in written:
        return make_parquet(written["parquet"])
    if "bytes" in written:
        data = written["bytes"].encode("latin-1").decode("unicode_escape").encode("latin-1")
    else:
        data = written["text"].encode(written.get("encoding", "utf-8"))
    return _packed(data, written.get("packed"))


def _packed(data: bytes, how: str | None) -> bytes:
    match how:
        case "gzip":
            return gzip.compress(data)
        case "gzip in two members":
            middle = len(data) // 2
            return gzip.compress(data[:middle]) + gzip.compress(data[middle:])
        case "gzip cut off":
            return gzip.compress(data)[:-12]
        case "zstd":
            return bytes(importlib.import_module("backports.zstd").compress(data))
        case _:
            return data


def make_parquet(query: str) -> bytes:
    """A Parquet file of what a query gives."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.parquet"
        with duckdb.connect() as connection:
            connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
        return path.read_bytes()
