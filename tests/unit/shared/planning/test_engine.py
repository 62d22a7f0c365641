from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import duckdb
import pytest

from shared.errors import BlobChangedError, ExtractChangedError, RunEndError
from shared.extracts import streams
from shared.extracts.extract import ExtractFile
from shared.planning import chunks as chunking
from shared.planning import duckdb_files
from shared.planning.engine import Engine, QueryError, open_engine
from shared.planning.plan import plan
from tests.corpus.corpus import Collected
from tests.support.factories import NOW
from tests.support.memory_storage import MemoryBlobs
from tests.unit.shared.planning.planned import MAPPING, an_extract, as_csv, as_parquet, parquet, plan_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.model.runs import ChunkInfo
    from tests.unit.shared.planning.planned import Row

FILE = ExtractFile(name="part.csv", size=1, etag="0x1")
SECRET = "ann@example.com"
ROWS: list[Row] = [(f"p{number}@example.com", "Name") for number in range(300)]
BAD_ROWS: list[Row] = [("nobody", "Name")] * 300


@pytest.fixture
def engine() -> Iterator[Engine]:
    with open_engine() as opened:
        yield opened


def told(error: BaseException) -> str:
    """All that a log shows of an error, its reason included."""
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))


# --- errors of the database ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT error('{SECRET}')",
        "SELECT x::INT FROM secrets",
        "SELECT strptime(x, '%Y') FROM secrets",
        "SELECT x::DECIMAL(38, 12) FROM secrets",
        "INSERT INTO unique_secrets SELECT x FROM secrets, range(2)",
    ],
)
def test_an_error_of_the_database_holds_no_value_that_it_read(engine: Engine, query: str) -> None:
    engine.execute(
        f"CREATE TABLE secrets AS SELECT '{SECRET}' AS x; CREATE TABLE unique_secrets (x VARCHAR UNIQUE)"
    )
    with pytest.raises(duckdb.Error, match=SECRET):
        engine.connection.execute(query)
    with pytest.raises(QueryError) as failure:
        engine.execute(query)
    assert SECRET not in told(failure.value)
    assert failure.value.__context__ is None
    with pytest.raises(RunEndError) as end, engine.reading(FILE):
        engine.execute(query)
    assert SECRET not in told(end.value)
    assert end.value.__cause__ is None
    assert SECRET not in repr(end.value.__context__)
    assert end.value.reason.code == "extract_unreadable"
    assert FILE.name in end.value.reason.message


def test_values_in_parquet_that_are_no_text_are_not_told() -> None:
    data = parquet(f"SELECT '{SECRET}\\xFF'::BLOB AS EMail, 'Ann' AS FirstName")
    with pytest.raises(RunEndError) as end:
        plan_file(data, "part.parquet")
    assert SECRET not in told(end.value)


def test_running_out_of_memory_says_what_to_do(engine: Engine) -> None:
    engine.execute("SET memory_limit = '10MB'; SET max_temp_directory_size = '1MB'")
    with pytest.raises(RunEndError, match="deliver the extract in parts") as end, engine.reading(FILE):
        engine.execute("CREATE TABLE much AS SELECT hash(range)::VARCHAR AS x FROM range(1_000_000)")
    assert end.value.reason.code == "extract_too_large"


def test_a_mistake_in_a_query_comes_out_as_it_is(engine: Engine) -> None:
    with pytest.raises(duckdb.BinderException), engine.reading(FILE):
        engine.execute("SELECT nonsense FROM range(1)")


def test_the_database_is_gone_afterwards() -> None:
    with open_engine() as opened:
        opened.execute("CREATE TABLE t AS SELECT 1")
    with pytest.raises(QueryError):
        opened.execute("SELECT 1")


# --- errors of others ---------------------------------------------------------------------------------------


class ReplacedWhileRead(MemoryBlobs):
    """Blobs that are replaced after some reads."""

    reads_left = 1_000_000

    def get_range(self, name: str, *, offset: int, length: int, etag: str) -> bytes:
        self.reads_left -= 1
        if self.reads_left < 0:
            raise BlobChangedError(name)
        return super().get_range(name, offset=offset, length=length, etag=etag)


@pytest.mark.parametrize("name", ["part.csv", "part.parquet"])
def test_a_file_replaced_while_it_is_read_is_told_as_that(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(duckdb_files, "PAGE_BYTES", 400)
    blobs = ReplacedWhileRead(lambda: NOW)
    blobs.create(name, as_csv(ROWS) if name.endswith("csv") else as_parquet(ROWS))
    extracts = [an_extract(blobs, [name])]
    plan(extracts, MAPPING, blobs=blobs, sink=Collected())
    reads = 1_000_000 - blobs.reads_left
    assert reads > 3
    for left in range(reads):
        blobs.reads_left = left
        with pytest.raises(ExtractChangedError, match=name):
            plan(extracts, MAPPING, blobs=blobs, sink=Collected())


class FullError(Exception):
    """The sink takes no more."""


class FullSink(Collected):
    """A sink that fails at once."""

    def write_chunk(self, info: ChunkInfo, lines: bytes) -> None:
        raise FullError(info.number, len(lines))

    def write_rejected(self, csv_part: bytes) -> None:
        raise FullError(len(csv_part))


@pytest.mark.parametrize("limit", [100, 1_000_000], ids=["while planning goes on", "at the end"])
@pytest.mark.parametrize("rows", [ROWS, BAD_ROWS], ids=["chunks", "rejections"])
def test_an_error_of_the_sink_comes_out_as_it_is(
    rows: list[Row], limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunking, "CHUNK_BYTES", limit)
    monkeypatch.setattr(chunking, "PART_BYTES", limit)
    blobs = MemoryBlobs(lambda: NOW)
    blobs.create("part.csv", as_csv(rows))
    with pytest.raises(FullError):
        plan([an_extract(blobs, ["part.csv"])], MAPPING, blobs=blobs, sink=FullSink())
