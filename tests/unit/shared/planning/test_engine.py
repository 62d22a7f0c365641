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
    from pathlib import Path

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


MUCH = "CREATE TABLE much AS SELECT hash(range)::VARCHAR AS x FROM range(1_000_000)"


def test_running_out_of_memory_says_what_to_do() -> None:
    with (
        open_engine(memory="10MB", disk="1MB") as small,
        pytest.raises(RunEndError, match="deliver the extract in parts") as end,
        small.reading(FILE),
    ):
        small.execute(MUCH)
    assert end.value.reason.code == "extract_too_large"


def test_spilling_goes_on_although_the_engine_is_shut_in() -> None:
    with open_engine(memory="10MB", disk="1GB") as small:
        small.execute(MUCH)
        spilt = small.number("SELECT coalesce(sum(size), 0)::BIGINT FROM duckdb_temporary_files()")
        assert spilt > 1_000_000
        assert small.number("SELECT sum(x::UBIGINT % 2 + 1 > 0)::BIGINT FROM much") == 1_000_000


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret.csv"
    path.write_text(f"{SECRET}\n")
    return path


@pytest.mark.parametrize(
    "query",
    [
        "SELECT content FROM read_text('{path}')",
        "SELECT content FROM read_blob('{path}')",
        "FROM read_csv('{path}')",
        "FROM read_csv('plan://../../../../../../..{path}')",
        "FROM read_csv('file://{path}')",
        "FROM '{path}'",
        "FROM glob('{folder}/*')",
        "FROM read_text('/proc/self/environ')",
        "FROM read_parquet('https://example.com/x.parquet')",
        "COPY (SELECT 1) TO '{folder}/written.csv'",
        "COPY (SELECT 1) TO '{folder}/written.parquet' (FORMAT parquet)",
        "ATTACH '{folder}/written.db'",
        "EXPORT DATABASE '{folder}/written'",
        "IMPORT DATABASE '{folder}'",
        "INSTALL httpfs",
        "FORCE INSTALL httpfs FROM '{folder}'",
        "LOAD httpfs",
        "LOAD '{path}'",
    ],
)
def test_nothing_but_the_files_of_the_plan_is_within_reach(engine: Engine, secret_file: Path, query: str) -> None:
    with pytest.raises((QueryError, KeyError, duckdb.CatalogException)):
        engine.execute(query.format(path=secret_file, folder=secret_file.parent))
    assert list(secret_file.parent.iterdir()) == [secret_file]


@pytest.mark.parametrize(
    "setting",
    [
        "enable_external_access = true",
        "allowed_directories = ['/']",
        "allowed_paths = ['/etc/hostname']",
        "lock_configuration = false",
        "autoload_known_extensions = true",
        "autoinstall_known_extensions = true",
        "allow_community_extensions = true",
        "python_enable_replacements = true",
        "temp_directory = '/tmp'",
        "memory_limit = '100GB'",
        "threads = 8",
    ],
)
def test_what_is_set_stays_set(engine: Engine, setting: str) -> None:
    with engine.beside() as beside:
        for each in (engine, beside):
            with pytest.raises(QueryError):
                each.execute(f"SET {setting}")


def test_a_table_is_not_looked_for_among_the_variables(engine: Engine) -> None:
    variable = engine.connection.sql("SELECT 1")
    with pytest.raises(duckdb.CatalogException):
        engine.connection.execute("FROM variable")
    assert variable is not None


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
