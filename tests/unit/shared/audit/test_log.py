from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from shared.audit import log as audit_log
from shared.audit.log import AuditLog
from shared.errors import BlobMissingError, SettingsError, StorageUnavailableError
from shared.model.audit import AuditEntry
from tests.support.audited import Stepping, an_entry, read_all
from tests.support.factories import NOW, Clock
from tests.support.memory_storage import MemoryBlobs

if TYPE_CHECKING:
    from collections.abc import Callable

MIDNIGHT = datetime(2026, 3, 3, tzinfo=UTC)


class Storage(MemoryBlobs):
    """Storage of which a test chooses how it fails, counted from the first call on."""

    def __init__(self) -> None:
        super().__init__(lambda: NOW)
        self.calls: Counter[str] = Counter()
        self.failing: Callable[[str], Exception | None] = lambda _call: None
        self.loses_answers = False

    def create_growing(self, name: str) -> None:
        self._meet("create")
        super().create_growing(name)

    def append(self, name: str, data: bytes, *, offset: int) -> None:
        self.calls["append"] += 1
        if not self.loses_answers:
            self._fail("append")
        super().append(name, data, offset=offset)
        self._fail("append")

    def _meet(self, call: str) -> None:
        self.calls[call] += 1
        self._fail(call)

    def _fail(self, call: str) -> None:
        if error := self.failing(call):
            raise error


def away(_call: str) -> Exception:
    return StorageUnavailableError("Azure Storage did not answer")


def names(blobs: MemoryBlobs) -> list[str]:
    return [item.name for item in blobs.list_blobs()]


# --- where it is written ------------------------------------------------------------------------------------


def test_entries_of_a_process_stand_in_one_blob_a_day() -> None:
    blobs = Storage()
    log = AuditLog(blobs, Stepping(), "p1")
    for number in range(3):
        log.write(an_entry(f"c{number}"))
    assert names(blobs) == ["2026/03/02/063001000000-p1.jsonl"]
    assert read_all(blobs) == ["c2", "c1", "c0"]


def test_names_sort_by_time_across_processes() -> None:
    blobs, clock = Storage(), Stepping()
    for process in ("pz", "pa", "pm"):
        AuditLog(blobs, clock, process).write(an_entry(process))
    assert [name.split("-")[1] for name in names(blobs)] == ["pz.jsonl", "pa.jsonl", "pm.jsonl"]


def test_a_new_day_has_a_new_blob() -> None:
    blobs, clock = Storage(), Clock(MIDNIGHT - timedelta(microseconds=1))
    log = AuditLog(blobs, clock, "p1")
    log.write(an_entry("before"))
    log.write(an_entry("after"))
    assert names(blobs) == ["2026/03/02/235959999999-p1.jsonl", "2026/03/03/000000000000-p1.jsonl"]
    assert read_all(blobs, since=MIDNIGHT) == ["after"]
    assert read_all(blobs, until=MIDNIGHT) == ["before"]


def test_a_blob_with_many_blocks_is_left_for_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "APPEND_BLOCKS_MAX", 2)
    blobs = Storage()
    log = AuditLog(blobs, Stepping(), "p1")
    for number in range(5):
        log.write(an_entry(f"c{number}"))
    assert len(names(blobs)) == 3
    assert read_all(blobs) == ["c4", "c3", "c2", "c1", "c0"]


def test_times_go_forward_whatever_the_clock_does() -> None:
    blobs, clock = Storage(), Clock(NOW)
    log = AuditLog(blobs, clock, "p1")
    for step in (0, -60, 0, 120):
        clock.pass_(step)
        log.write(an_entry(str(step)))
    assert read_all(blobs) == ["120", "0", "-60", "0"]


# --- many at once -------------------------------------------------------------------------------------------


def test_entries_of_many_threads_are_all_there_once_and_in_order() -> None:
    blobs, clock = Storage(), Clock(NOW)
    log = AuditLog(blobs, clock, "p1")
    wanted = {f"c{number}" for number in range(400)}
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda name: log.write(an_entry(name)), wanted))
    (name,) = names(blobs)
    lines = [AuditEntry.model_validate_json(line) for line in blobs.get(name).data.splitlines()]
    assert len(lines) == len(wanted)
    assert {entry.correlation_id for entry in lines} == wanted
    assert all(before.time < after.time for before, after in itertools.pairwise(lines))


def write_while_one_is_under_way(log: AuditLog, blobs: Storage, clock: Clock, *, step: float) -> None:
    """Write an entry, and while its append is under way seven others, `step` seconds apart."""
    begun, go_on = threading.Event(), threading.Event()

    def hold_the_first(call: str) -> None:
        if call == "append" and blobs.calls["append"] == 1:
            begun.set()
            go_on.wait(10)

    blobs.failing = hold_the_first
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(log.write, an_entry("c0"))]
        begun.wait(10)
        for number in range(1, 8):
            clock.pass_(step)
            waiting.append(pool.submit(log.write, an_entry(f"c{number}")))
            while len(log._batch.entries) < number:
                time.sleep(0.001)
        go_on.set()
        for each in waiting:
            each.result(10)


def test_those_who_wait_for_an_append_are_written_by_the_next_together() -> None:
    blobs, clock = Storage(), Clock(NOW)
    write_while_one_is_under_way(AuditLog(blobs, clock, "p1"), blobs, clock, step=0)
    assert blobs.calls["append"] == 2
    assert read_all(blobs) == [f"c{number}" for number in range(7, -1, -1)]


def test_those_who_wait_over_midnight_stand_under_their_day() -> None:
    blobs, clock = Storage(), Clock(MIDNIGHT - timedelta(seconds=3.5))
    write_while_one_is_under_way(AuditLog(blobs, clock, "p1"), blobs, clock, step=1)
    assert read_all(blobs, until=MIDNIGHT) == ["c3", "c2", "c1", "c0"]
    assert read_all(blobs, since=MIDNIGHT) == ["c7", "c6", "c5", "c4"]


def test_those_who_wait_for_an_append_that_fails_are_all_told() -> None:
    blobs = Storage()
    blobs.failing = away
    log = AuditLog(blobs, Clock(NOW), "p1")
    with ThreadPoolExecutor(8) as pool:
        outcomes = [pool.submit(log.write, an_entry()) for _ in range(8)]
        assert {type(each.exception(10)) for each in outcomes} == {StorageUnavailableError}


# --- what goes wrong ----------------------------------------------------------------------------------------


def test_an_entry_that_cannot_be_written_is_an_error_and_the_next_one_is_written() -> None:
    blobs = Storage()
    log = AuditLog(blobs, Stepping(), "p1")
    log.write(an_entry("c0"))
    blobs.failing = away
    with pytest.raises(StorageUnavailableError, match="audit log"):
        log.write(an_entry("c1"))
    blobs.failing = lambda _call: None
    log.write(an_entry("c2"))
    assert read_all(blobs) == ["c2", "c0"]
    assert len(names(blobs)) == 1


def test_after_an_append_without_answer_nothing_is_lost_or_there_twice() -> None:
    blobs = Storage()
    log = AuditLog(blobs, Stepping(), "p1")
    log.write(an_entry("c0"))
    blobs.failing, blobs.loses_answers = away, True
    with pytest.raises(StorageUnavailableError):
        log.write(an_entry("c1"))
    blobs.failing = lambda _call: None
    log.write(an_entry("c2"))
    assert read_all(blobs) == ["c2", "c1", "c0"]


def test_a_blob_that_was_removed_has_a_successor() -> None:
    blobs = Storage()
    log = AuditLog(blobs, Stepping(), "p1")
    log.write(an_entry("c0"))
    blobs.delete(names(blobs)[0])
    log.write(an_entry("c1"))
    log.write(an_entry("c2"))
    assert read_all(blobs) == ["c2", "c1"]


def test_a_blob_that_somebody_else_wrote_into_has_a_successor() -> None:
    blobs = Storage()
    log = AuditLog(blobs, Stepping(), "p1")
    log.write(an_entry("c0"))
    blobs.upsert(names(blobs)[0], b"{}\n" * 400)
    log.write(an_entry("c1"))
    assert len(names(blobs)) == 2
    assert read_all(blobs) == ["c1"]


def test_a_container_that_is_missing_is_a_matter_of_settings() -> None:
    blobs = Storage()
    blobs.failing = lambda _call: BlobMissingError("x")
    with pytest.raises(SettingsError, match="AUDIT_CONTAINER"):
        AuditLog(blobs, Stepping(), "p1").write(an_entry())


def test_a_blob_that_was_made_without_an_answer_is_used() -> None:
    blobs = Storage()
    blobs.create_growing("2026/03/02/063001000000-p1.jsonl")
    AuditLog(blobs, Stepping(), "p1").write(an_entry("c0"))
    assert read_all(blobs) == ["c0"]


def test_what_ends_the_writer_tells_nobody_that_it_is_written() -> None:
    blobs = Storage()
    log = AuditLog(blobs, Stepping(), "p1")

    class EndError(BaseException):
        pass

    def end(_call: str) -> Exception:
        raise EndError

    batch = log._batch
    blobs.failing = end
    with pytest.raises(EndError):
        log.write(an_entry())
    assert batch.over.is_set()
    assert batch.error is not None
