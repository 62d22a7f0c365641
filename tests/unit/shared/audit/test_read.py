from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.audit import read
from shared.audit.audit import Audit
from shared.audit.log import AuditLog, serialize_entry
from shared.audit.query import AuditQuery
from shared.audit.read import read_audit
from tests.support.audited import ADA, a_caller, a_request, an_entry, pages, read_all, written
from tests.support.factories import NOW, RUN_ID, Clock, a_run
from tests.support.memory_storage import MemoryBlobs


class Counting(MemoryBlobs):
    """Storage that counts what is read."""

    def __init__(self) -> None:
        super().__init__(lambda: NOW)
        self.bytes_read = 0
        self.longest = 0

    def read_grown(self, name: str, *, offset: int, length: int) -> bytes:
        found = super().read_grown(name, offset=offset, length=length)
        self.bytes_read += len(found)
        self.longest = max(self.longest, len(found))
        return found


@pytest.fixture
def blobs() -> Counting:
    return Counting()


@pytest.fixture
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranges of little more than a line, so that a few entries are many ranges."""
    monkeypatch.setattr(read, "RANGE", 1_000)
    monkeypatch.setattr(read, "RANGE_MAX", 1_500)
    monkeypatch.setattr(read, "PROBE", 900)


# --- order and pages ----------------------------------------------------------------------------------------


def test_a_log_without_entries_has_one_empty_page(blobs: Counting) -> None:
    assert pages(blobs) == [[]]


def test_the_newest_entries_come_first_across_days_and_processes(blobs: Counting) -> None:
    for start, process in ((NOW, "p2"), (NOW - timedelta(days=40), "p1"), (NOW + timedelta(seconds=0.5), "p3")):
        written(blobs, 2, process=process, start=start)
    assert read_all(blobs) == ["p3-1", "p2-1", "p3-0", "p2-0", "p1-1", "p1-0"]


@pytest.mark.usefixtures("small_ranges")
def test_pages_end_between_entries_of_one_moment_too(blobs: Counting) -> None:
    for process in ("p1", "p2", "p3"):
        written(blobs, 20, process=process)
    found = pages(blobs, limit=1)
    assert [len(page) for page in found] == [1] * 60 + [0]
    assert len({name for page in found for name in page}) == 60


@pytest.mark.usefixtures("small_ranges")
def test_pages_have_every_entry_once_wherever_ranges_end(blobs: Counting) -> None:
    names = written(blobs, 100)
    assert read_all(blobs, limit=7) == names[::-1]


@given(
    days=st.lists(
        st.tuples(
            st.integers(0, 3), st.sampled_from("abc"), st.integers(1, 12), st.sampled_from([0, 0.000001, 3])
        ),
        max_size=8,
    ),
    limit=st.integers(1, 9),
    bounds=st.tuples(st.integers(0, 4 * 86_400), st.integers(0, 4 * 86_400)),
    span=st.sampled_from([700, 1_000, 64 << 10]),
)
def test_whatever_was_written_pages_add_up_to_it(
    days: list[tuple[int, str, int, float]], limit: int, bounds: tuple[int, int], span: int
) -> None:
    blobs = Counting()
    for number, (day, process, count, step) in enumerate(days):
        written(blobs, count, process=f"{process}{number}", start=NOW + timedelta(days=day), step=step)
    since, until = (NOW + timedelta(seconds=seconds) for seconds in bounds)
    lines = [line for item in blobs.list_blobs() for line in blobs.get(item.name).data.splitlines()]
    times = sorted(line[9:36].decode() for line in lines)
    begin, end = (f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}" for moment in (since, until))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read, "RANGE", span)
        patch.setattr(read, "RANGE_MAX", 3 * span)
        patch.setattr(read, "PROBE", max(650, span // 8))
        found = read_all(blobs, limit=limit, since=since, until=until)
    assert len(found) == len(set(found)) == len([time for time in times if begin <= time < end])


def test_entries_that_come_while_somebody_reads_move_no_page(blobs: Counting) -> None:
    names = written(blobs, 10)
    first = read_audit(blobs, AuditQuery(limit=4))
    written(blobs, 5, process="p9", start=NOW + timedelta(hours=1))
    rest = read_all(blobs, until=first.entries[-1].time)
    assert [entry.correlation_id for entry in first.entries] + rest == names[::-1]
    second = read_audit(blobs, AuditQuery(limit=4, cursor=first.cursor))
    assert [entry.correlation_id for entry in second.entries] == names[5:1:-1]


# --- filters ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"caller": "other"}, ["denied"]),
        ({"caller": ADA}, [RUN_ID, "save"]),
        ({"caller_type": "key"}, ["denied"]),
        ({"operation": "Exports.Delete"}, ["denied"]),
        ({"operation": "Export.WorkflowCompleted"}, [RUN_ID]),
        ({"connection": "marketing"}, [RUN_ID]),
        ({"export": "loyal"}, [RUN_ID, "save"]),
        ({"run": RUN_ID}, [RUN_ID]),
        ({"result": "ClientError"}, ["denied"]),
        ({"denied": True}, ["denied"]),
        ({"denied": False}, [RUN_ID, "save"]),
        ({"export": "loyal", "result": "Success"}, ["save"]),
        ({"export": "loyal", "caller": "other"}, []),
    ],
    ids=str,
)
def test_each_filter_leaves_what_is_asked_for(
    blobs: Counting, asked: dict[str, object], expected: list[str]
) -> None:
    clock = Clock(NOW)
    log = AuditLog(blobs, clock, "p1")
    log.write(an_entry("save"))
    audit = Audit(log, clock)
    other = a_caller(id="other", kind="key")
    audit.note_denial(
        a_request(operation="Exports.Delete", caller=other, export="foreign", correlation_id="denied"), status=404
    )
    audit.note_end(a_run(status="succeeded"), connection="marketing", submitted_by=ADA)
    assert read_all(blobs, **asked) == expected


def test_a_rare_filter_looks_at_so_many_entries_and_goes_on_there(
    blobs: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "AUDIT_SCAN_MAX", 10)
    log = AuditLog(blobs, Clock(NOW), "p1")
    log.write(an_entry("rare", operation="Exports.Delete"))
    written(blobs, 25, process="p2", start=NOW + timedelta(hours=1))
    found = pages(blobs, operation="Exports.Delete")
    assert found == [[], [], ["rare"]]


# --- size ---------------------------------------------------------------------------------------------------


def test_a_page_of_a_large_day_costs_a_page(blobs: Counting) -> None:
    moments = [NOW + timedelta(milliseconds=number) for number in range(20_000)]
    text = b"".join(serialize_entry(an_entry(f"c{number}", time=at)) for number, at in enumerate(moments))
    blobs.upsert("2026/03/02/063000000000-p1.jsonl", text)
    page = read_audit(blobs, AuditQuery(until=moments[5_000], limit=100))
    assert [entry.correlation_id for entry in page.entries] == [f"c{number}" for number in range(4_999, 4_899, -1)]
    assert blobs.bytes_read < len(text) / 25
    assert blobs.longest <= read.RANGE_MAX


# --- what is no entry ---------------------------------------------------------------------------------------


def test_lines_that_are_no_entries_are_counted_and_passed_over(blobs: Counting) -> None:
    good = serialize_entry(an_entry("good"))
    unfit = good.replace(b'"category":"Audit"', b'"category":"Gossip"')
    blobs.upsert("2026/03/02/063000000000-p1.jsonl", b"\xff\xfe\n" + good + b"\n{}\n" + unfit + b"cut of")
    page = read_audit(blobs, AuditQuery())
    assert [entry.correlation_id for entry in page.entries] == ["good"]
    assert page.unreadable == 4


def test_blobs_that_are_none_of_the_log_are_passed_over(blobs: Counting) -> None:
    line = serialize_entry(an_entry("foreign"))
    for name in ("readme.txt", "2026/notes.txt", "2026/03/02/notes.jsonl", "2026/03/02/x/063000000000-p1.jsonl"):
        blobs.upsert(name, line)
    assert read_all(blobs) == []


def test_a_blob_that_is_removed_while_somebody_reads_is_passed_over(
    blobs: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(blobs, 3)
    listed = list(blobs.list_blobs())
    monkeypatch.setattr(blobs, "list_blobs", lambda _prefix="": iter(listed))
    blobs.delete(listed[0].name)
    assert read_all(blobs) == []


def test_only_days_that_are_asked_for_are_looked_at(blobs: Counting) -> None:
    for day in range(60):
        written(blobs, 1, process=f"p{day}", start=datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=day))
    one_day = {"since": datetime(2026, 2, 1, tzinfo=UTC), "until": datetime(2026, 2, 2, tzinfo=UTC)}
    assert read_all(blobs, **one_day) == ["p31-0"]
    assert blobs.bytes_read < 2_000
