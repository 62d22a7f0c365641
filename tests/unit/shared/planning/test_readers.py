"""One core and two plan the same, to the byte, and tell the same error."""

from __future__ import annotations

import contextlib
import gzip
import tempfile
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from shared.errors import BlobChangedError, ExtractChangedError, RunEndError
from shared.extracts import streams
from shared.model.definitions import FieldMapping, SourceOptions
from shared.planning import chunks as chunking
from shared.planning import duckdb_files, readers, tables
from shared.planning import planner as steps
from shared.planning.engine import Engine, QueryError, open_engine
from shared.planning.fields import fields_of
from shared.planning.ledger import Sinks
from shared.planning.locate import locate
from shared.planning.plan import PlanOutcome, plan
from shared.planning.planner import Planner
from tests.corpus.corpus import Collected
from tests.support.factories import NOW
from tests.support.memory_storage import MemoryBlobs
from tests.unit.shared.planning.planned import MAPPING, an_extract, as_csv, as_parquet, on_cores
from tests.unit.shared.planning.test_engine import FullError, FullSink

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from shared.extracts.extract import Extract
    from tests.unit.shared.planning.planned import Row

HEADER = b"EMail,FirstName\n"
ROWS: list[Row] = [(f"p{number * 7 % 300}@example.com", f"Name {number}") for number in range(450)]
"""Each address comes again, some soon and some late."""
DAMAGE = (
    b"nobody,x\n",
    b"zoe@example.com\n",
    b"\n",
    b'zoe@example.com,"Zoe\n',
    b"zoe@example.com,Zo\xeb\n",
    b"zoe@example.com," + b"x" * 300 + b"\n",
    "zoe@münchen.example,Zoe\n".encode(),
)
SOURCE = SourceOptions(delimiter="comma", header="present", encoding="utf-8")


@pytest.fixture(autouse=True)
def in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(tables, "HEAD_BYTES", 1000)
    monkeypatch.setattr(duckdb_files, "PAGE_BYTES", 400)
    monkeypatch.setattr(steps, "PIECE_BYTES", 400)
    monkeypatch.setattr(chunking, "CHUNK_BYTES", 2000)
    monkeypatch.setattr(chunking, "PART_BYTES", 500)
    monkeypatch.setattr(steps, "UNDECODABLE_SHARE_MAX", 1.0)


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:  # noqa: ANN401 - a generator
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    assert list(tmp_path.iterdir()) == []
    assert [thread for thread in threading.enumerate() if thread.name.startswith("read-pieces")] == []


@pytest.fixture(params=[False, True], ids=["as it comes", "later ones first"])
def _pace(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every other table take its time."""
    if not request.param:
        return
    make, begun = readers._make, iter(range(1_000_000))

    def make_slowly(engine: Engine, query: str, texts: Sequence[bytes]) -> int | None:
        if next(begun) % 2 == 0:
            time.sleep(0.005)
        return make(engine, query, texts)

    monkeypatch.setattr(readers, "_make", make_slowly)


@dataclass
class All:
    """All that a plan gave until it ended."""

    sink: Collected
    outcome: PlanOutcome | None = None
    error: tuple[Any, ...] = ()


def planned(cores: int, extracts: Sequence[Extract], blobs: MemoryBlobs, **options: Any) -> All:  # noqa: ANN401
    found = All(sink=options.pop("sink", Collected()))
    with on_cores(cores):
        try:
            mapping = options.pop("mapping", MAPPING)
            found.outcome = plan(extracts, mapping, blobs=blobs, sink=found.sink, **options)
        except RunEndError as end:
            found.error = (end.reason, end.status, end.counts)
        except (ExtractChangedError, FullError) as error:
            found.error = (type(error), str(error))
    return found


def stored(files: dict[str, bytes]) -> tuple[MemoryBlobs, list[Extract]]:
    blobs = MemoryBlobs(lambda: NOW)
    for name, data in files.items():
        blobs.create(name, data)
    return blobs, [an_extract(blobs, files, source=SOURCE)]


def assert_cores_have_no_say(files: dict[str, bytes], **options: Any) -> All:  # noqa: ANN401 - passed on
    blobs, extracts = stored(files)
    one = planned(1, extracts, blobs, **options)
    assert planned(2, extracts, blobs, **options) == one
    return one


def text_of(*, damaged: bool = False) -> bytes:
    records = as_csv(ROWS).splitlines(keepends=True)[1:]
    if damaged:
        for number in range(len(records), 0, -37):
            records.insert(number, DAMAGE[number % len(DAMAGE)])
        records[100:100] = [b'multi@example.com,"' + b"line\n" * 40 + b'"\n']
    return HEADER + b"".join(records)


# --- the same plan ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_pace")
@pytest.mark.parametrize("damaged", [False, True])
def test_pieces_in_which_addresses_come_again(*, damaged: bool) -> None:
    text = text_of(damaged=damaged)
    all_of_it = assert_cores_have_no_say({"part-0.csv": text[: len(text) // 2], "part-1.csv": text})
    assert all_of_it.outcome is not None
    assert len(all_of_it.outcome.chunks) > 3
    assert all_of_it.outcome.counts.duplicate > 300


def test_values_of_many_lines() -> None:
    rows = [(f"p{number % 70}@example.com", "line\n" * (number % 5)) for number in range(300)]
    assert_cores_have_no_say({"part.csv": as_csv(rows)})


def test_a_line_that_never_ends() -> None:
    text = text_of() + b'ann@example.com,"x\n' + b"y" * 8_000 + b"\nbo@example.com,z\n" + text_of()
    assert_cores_have_no_say({"part.csv": text})


def test_formats() -> None:
    files = {"part-0.csv.gz": gzip.compress(text_of()), "part-1.parquet": as_parquet(ROWS)}
    assert_cores_have_no_say(files)


@pytest.mark.parametrize("rows", [1, 100, 451])
def test_a_look_at_some_rows(rows: int) -> None:
    assert_cores_have_no_say({"part.csv": text_of()}, rows=rows)


def test_alternate_addresses() -> None:
    header = b"EMail,Other\n"
    rows = [b"p%d@example.com,p%d@example.com\n" % (number, number * 3 % 400) for number in range(300)]
    mapping = FieldMapping(email="EMail", alternate_emails=["Other"])
    all_of_it = assert_cores_have_no_say({"part.csv": header + b"".join(rows)}, mapping=mapping)
    assert b"alternate_emails" in all_of_it.sink.lines


def test_contacts_that_are_known_and_who_was_met() -> None:
    blobs, extracts = stored({"part-0.csv": text_of(damaged=True), "part-1.csv": text_of()})
    sent = planned(1, extracts, blobs).sink.lines.splitlines()
    fields = fields_of(MAPPING, {})
    known = {"lines": [line.decode() for line in sent[::2]], "addresses": []}
    known["addresses"] = [line.split('"')[3] for line in known["lines"]]

    def met(cores: int) -> tuple[Any, ...]:
        same_keys = patch("secrets.token_hex", lambda size: "0f" * size)
        with same_keys, on_cores(cores), open_engine() as engine:
            engine.execute(
                """CREATE TABLE known AS SELECT key_of(address) AS key, fingerprint(line) AS hash
                FROM (SELECT unnest($addresses::VARCHAR[]) AS address, unnest($lines::VARCHAR[]) AS line)""",
                known,
            )
            planner = Planner(engine=engine, blobs=blobs, mapping=MAPPING, fields=fields, most=None)
            planner.finds_leavers = planner.leave_out_unchanged = True
            lines, rejected = bytearray(), bytearray()
            sinks = Sinks(lines=lines.extend, rejected=rejected.extend, max_contacts=None)
            counts = planner.plan(extracts, sinks)
            return counts, lines, rejected, engine.rows("FROM seen"), engine.rows("FROM present")

    one = met(1)
    assert met(2) == one
    assert one[0].unchanged > 100


def test_rows_that_are_looked_for() -> None:
    blobs, extracts = stored({"part-0.csv": text_of(damaged=True), "part-1.csv": text_of()})
    addresses = ["p294@example.com", "p7@example.com", "multi@example.com", "nobody@example.com"]

    def found(cores: int) -> list[tuple[object, ...]]:
        with on_cores(cores):
            return [tuple(each) for each in locate(extracts, MAPPING, addresses, blobs=blobs, custom_fields={})]

    one = found(1)
    assert found(2) == one
    assert len(one) == 3


def test_damage_behind_the_last_row_that_is_looked_for_is_never_met() -> None:
    blobs, extracts = stored({"part.csv.gz": gzip.compress(text_of(), 0)[:-12]})
    for cores in (1, 2):
        with on_cores(cores):
            (place,) = locate(extracts, MAPPING, ["p0@example.com"], blobs=blobs, custom_fields={})
        assert place.row == 2


# --- the same error -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_pace")
@pytest.mark.parametrize("options", [{"max_contacts": 60}, {"max_contacts": 299}])
def test_more_contacts_than_may_be(options: dict[str, Any]) -> None:
    for damaged in (False, True):
        end = assert_cores_have_no_say({"part.csv": text_of(damaged=damaged)}, **options)
        assert end.error[0].code == "too_many_contacts"


def test_more_rows_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = SOURCE.limits.model_copy(update={"rows": 300})
    monkeypatch.setitem(globals(), "SOURCE", SOURCE.model_copy(update={"limits": limits}))
    end = assert_cores_have_no_say({"part.csv": text_of()})
    assert end.error[0].code == "too_many_rows"


@pytest.mark.usefixtures("_pace")
@pytest.mark.parametrize("most", [100, None])
def test_of_several_errors_the_first_in_the_file_is_told(most: int | None) -> None:
    packed = gzip.compress(text_of(), 0)
    end = assert_cores_have_no_say({"part.csv.gz": packed[:-12]}, max_contacts=most)
    assert end.error[0].code == ("too_many_contacts" if most else "extract_unreadable")


class ReplacedBehind(MemoryBlobs):
    """Blobs that can be read up to a place only."""

    end = 0

    def get_range(self, name: str, *, offset: int, length: int, etag: str) -> bytes:
        if offset >= self.end:
            raise BlobChangedError(name)
        return super().get_range(name, offset=offset, length=length, etag=etag)


@pytest.mark.parametrize("end", range(3000, 11_000, 2000))
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_is_replaced_while_it_is_read(end: int, *, packed: bool) -> None:
    blobs, text = ReplacedBehind(lambda: NOW), text_of(damaged=True)
    blobs.create("part.csv", gzip.compress(text, 0) if packed else text)
    extracts = [an_extract(blobs, ["part.csv"], source=SOURCE)]
    blobs.end = end
    one = planned(1, extracts, blobs)
    assert planned(2, extracts, blobs) == one
    assert one.error[0] is ExtractChangedError


@pytest.mark.usefixtures("_pace")
def test_a_sink_that_takes_no_more() -> None:
    blobs, extracts = stored({"part.csv": text_of(damaged=True)})
    for cores in (1, 2):
        assert planned(cores, extracts, blobs, sink=FullSink()).error


@pytest.mark.parametrize("failing", [0, 3])
def test_an_engine_that_fails_while_it_reads_ahead(failing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    make, begun = readers._make, iter(range(1_000_000))

    def make_one_less(engine: Engine, query: str, texts: Sequence[bytes]) -> int | None:
        return make(engine, query if next(begun) != failing else "SELECT 'x'::INT", texts)

    monkeypatch.setattr(readers, "_make", make_one_less)
    blobs, extracts = stored({"part.csv": text_of()})
    end = planned(2, extracts, blobs)
    assert end.error[0].code == "extract_unreadable"


# --- engines ------------------------------------------------------------------------------------------------


def test_an_engine_is_given_back_when_its_table_is_closed_in_the_making() -> None:
    with open_engine() as engine, readers.open_readers(engine, ahead=1) as both:
        for _ in range(20):
            with contextlib.closing(both.begin("CREATE TEMP TABLE piece AS FROM range(1000)", [])):
                pass
        table = both.begin("CREATE TEMP TABLE piece AS FROM range(7)", [])
        assert table.rows() == 7
        assert table.engine.number("SELECT count(*) FROM piece") == 7


def test_what_is_read_and_what_fails_belongs_to_the_thread() -> None:
    with open_engine() as engine, readers.open_readers(engine, ahead=1) as both:
        engine.files.text = [b"mine"]
        failing = both.begin("SELECT 'x'::INT", [b"its own"])
        with pytest.raises(QueryError):
            failing.rows()
        assert engine.files.text == [b"mine"]
        assert engine.files.take_failure() is None


@pytest.mark.parametrize(("usable", "used"), [(None, 1), (1, 1), (2, 2), (64, readers.CORES_MOST)])
def test_cores_are_used_up_to_a_number(usable: int | None, used: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.process_cpu_count", lambda: usable)
    assert readers.cores_to_use() == used
