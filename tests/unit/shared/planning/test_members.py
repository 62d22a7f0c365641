"""Generations of members: what a run leaves of the one before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.model.members import Membership
from shared.model.runs import MembershipChange, ParquetBlob
from shared.planning.members import Arrivals, RunOutcome, next_generation
from tests.support.memory_storage import MemoryBlobs

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 2, tzinfo=UTC)
FIRST, SECOND = "20260302T000000Z-a", "20260303T000000Z-b"


def address(number: int) -> str:
    return f"person{number}@example.com"


def lines(numbers: set[int], name: str = "A") -> bytes:
    return b"".join(
        f'{{"email":"{address(number)}","first_name":"{name}"}}\n'.encode() for number in sorted(numbers)
    )


def arrivals(numbers: set[int], name: str = "A", absent: set[int] | None = None) -> list[Arrivals]:
    names = frozenset(map(address, absent or set()))
    return [Arrivals(lines=lines(numbers, name), absent=names, certain=True)] if numbers else []


class Generations:
    """Notes one generation after the other."""

    def __init__(self, folder: Path) -> None:
        self.blobs = MemoryBlobs(lambda: NOW)
        self.folder = folder
        self.current: Membership | None = None

    def note(self, outcome: RunOutcome) -> MembershipChange:
        data, change = next_generation(self.current, outcome, blobs=self.blobs)
        etag = self.blobs.upsert(outcome.run, data)
        self.current = Membership(
            export_uid="loyal-1",
            connection="main",
            list_id=UUID(int=0),
            run=outcome.run,
            noted_at=NOW,
            generation=ParquetBlob(blob=outcome.run, etag=etag, size=len(data)),
            change=change,
            mapping_digest="",
            sent_all_at=NOW,
        )
        return change

    def rows(self) -> dict[str, tuple[bool, str, str, int]]:
        """Address → whether it has a hash, who brought it first and last, how often it was missing."""
        assert self.current is not None
        path = self.folder / "generation.parquet"
        path.write_bytes(self.blobs.get(self.current.generation.blob).data)
        with duckdb.connect() as connection:
            found = connection.execute(f"FROM '{path}'").fetchall()
        rows = {row[0]: (row[1] is not None, *row[2:]) for row in found}
        assert len(rows) == len(found)
        return rows

    def missing(self, numbers: set[int]) -> ParquetBlob:
        """Who was in no extract, as a plan writes it."""
        path = self.folder / "missing.parquet"
        with duckdb.connect() as connection:
            connection.execute("CREATE TABLE missing (address VARCHAR)")
            for number in numbers:
                connection.execute("INSERT INTO missing VALUES (?)", [address(number)])
            connection.execute(f"COPY missing TO '{path}'")
        data = path.read_bytes()
        return ParquetBlob(blob="missing", etag=self.blobs.upsert("missing", data), size=len(data))


@pytest.fixture(params=[1, 3, 2_000_000], ids="{} at a time".format)
def generations(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generations:
    monkeypatch.setattr("shared.planning.members.JOINED_AT_A_TIME", request.param)
    return Generations(tmp_path)


def test_each_member_says_who_brought_it_and_how_often_it_was_missing(generations: Generations) -> None:
    generations.note(RunOutcome(run=FIRST, arrivals=arrivals(set(range(8))), gone=(), missing=None))
    outcome = RunOutcome(
        run=SECOND,
        arrivals=arrivals({0, 1, 20}, "B"),
        gone=[lines({7})],
        missing=generations.missing({5, 6, 7}),
    )
    change = generations.note(outcome)
    assert (change.before, change.joined, change.left, change.after) == (8, 1, 1, 8)
    rows = generations.rows()
    assert {rows[address(number)] for number in (0, 1, 2, 3, 4)} == {(True, FIRST, SECOND, 0)}
    assert {rows[address(number)] for number in (5, 6)} == {(True, FIRST, FIRST, 1)}
    assert rows[address(20)] == (True, SECOND, SECOND, 0)
    assert address(7) not in rows


def test_a_run_that_cannot_tell_who_is_missing_leaves_that_as_it_was(generations: Generations) -> None:
    generations.note(RunOutcome(run=FIRST, arrivals=arrivals({1, 2}), gone=(), missing=None))
    generations.note(RunOutcome(run="20260302T120000Z-m", arrivals=(), gone=(), missing=generations.missing({2})))
    generations.note(RunOutcome(run=SECOND, arrivals=arrivals({1}), gone=(), missing=None))
    assert generations.rows() == {address(1): (True, FIRST, SECOND, 0), address(2): (True, FIRST, FIRST, 1)}


def test_whose_arrival_is_in_doubt_has_no_hash_and_who_was_refused_is_no_member(generations: Generations) -> None:
    doubtful = Arrivals(lines=lines({1, 2}), absent=frozenset([address(2)]), certain=False)
    generations.note(RunOutcome(run=FIRST, arrivals=[doubtful], gone=(), missing=None))
    assert generations.rows() == {address(1): (False, FIRST, FIRST, 0)}


def test_missing_is_counted_up_to_its_end(generations: Generations) -> None:
    generations.note(RunOutcome(run=FIRST, arrivals=arrivals({1}), gone=(), missing=None))
    for _ in range(257):
        generations.note(RunOutcome(run=SECOND, arrivals=(), gone=(), missing=generations.missing({1})))
    assert generations.rows() == {address(1): (True, FIRST, FIRST, 255)}


numbers = st.sets(st.integers(0, 30))


@settings(max_examples=30, deadline=None)
@given(before=numbers, sent=numbers, gone=numbers, refused=numbers)
def test_sums_add_up_however_few_are_joined_at_a_time(
    tmp_path_factory: pytest.TempPathFactory, before: set[int], sent: set[int], gone: set[int], refused: set[int]
) -> None:
    gone -= sent
    found = []
    for at_a_time in (1, 4, 2_000_000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("shared.planning.members.JOINED_AT_A_TIME", at_a_time)
            generations = Generations(tmp_path_factory.mktemp("members"))
            generations.note(RunOutcome(run=FIRST, arrivals=arrivals(before), gone=(), missing=None))
            outcome = RunOutcome(
                run=SECOND,
                arrivals=arrivals(sent, absent=refused),
                gone=[lines(gone)] if gone else [],
                missing=None,
            )
            change = generations.note(outcome)
        assert change.before + change.joined - change.left == change.after == len(generations.rows())
        found.append((change, generations.rows()))
    assert found[0] == found[1] == found[2]
    assert found[0][1].keys() == {address(number) for number in (before - gone) | (sent - refused)}
