from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.definitions.segments import list_segments
from shared.errors import RunEndError
from shared.extracts.discovery import list_extracts
from shared.extracts.listed_blobs import ListedBlobs
from shared.model.reason_codes import ReasonCode
from tests.support.in_memory_app import Clock
from tests.support.memory_storage import MemoryBlobs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.storage.interfaces import Blob, BlobItem, Level


class Counted(MemoryBlobs):
    """Storage that counts what is asked of it, and what it lists."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(Clock())
        for name in names:
            self.upsert(name, b"EMail\n")
        self.calls: Counter[str] = Counter()
        self.listed = 0

    def list_blobs(self, prefix: str = "") -> Iterator[BlobItem]:
        self.calls["list_blobs"] += 1
        found = list(super().list_blobs(prefix))
        self.listed += len(found)
        return iter(found)

    def list_level(self, prefix: str = "") -> Level:
        self.calls["list_level"] += 1
        listed, calls = self.listed, self.calls["list_blobs"]
        level = super().list_level(prefix)
        self.listed, self.calls["list_blobs"] = listed + len(level.folders) + len(level.blobs), calls
        return level

    def get(self, name: str) -> Blob:
        self.calls["get"] += 1
        return super().get(name)

    def get_range(self, name: str, *, offset: int, length: int, etag: str) -> bytes:
        self.calls["get_range"] += 1
        return super().get_range(name, offset=offset, length=length, etag=etag)


names = st.lists(st.sampled_from(["a", "b", "ab", "a b", "_", "é", "\U0010fffd"]), min_size=1, max_size=4).map(
    "/".join
)


@given(names=st.sets(names, max_size=12), prefixes=st.lists(names | st.just(""), max_size=8))
def test_levels_are_those_of_the_storage(names: set[str], prefixes: list[str]) -> None:
    blobs = Counted(names)
    listed = ListedBlobs(blobs)
    for prefix in itertools.chain(prefixes, [prefix + "/" for prefix in prefixes]):
        assert listed.list_level(prefix) == MemoryBlobs.list_level(blobs, prefix)


def test_every_folder_is_listed_once() -> None:
    blobs = Counted(f"Seg{number}/2026-02-28/1.csv" for number in range(100))
    assert len(list(list_extracts(blobs))) == 100
    assert +blobs.calls == {"list_level": 1 + 2 * 100}


def test_many_files_beside_each_other_are_listed_once() -> None:
    blobs = Counted(f"Seg{number}x.csv" for number in range(300))
    assert len(list(list_extracts(blobs))) == 300
    assert blobs.listed == 300


def test_many_segments_are_few_calls() -> None:
    blobs = Counted(f"Seg{number}/1.csv" for number in range(400))
    assert len(list_segments(blobs)) == 400
    assert sum(blobs.calls.values()) <= 1 + 2 * 400


def test_a_model_is_read_once_for_all_its_tables() -> None:
    blobs = Counted(f"Seg{number}.csv" for number in range(50))
    tables = ",".join(
        f'{{"name":"Seg{number}","partitions":[{{"location":"Seg{number}.csv"}}]}}' for number in range(50)
    )
    blobs.upsert("model.json", f'{{"entities":[{tables}]}}'.encode())
    assert all(listed.extract for listed in list_extracts(blobs))
    assert blobs.calls["get"] == 1


def test_after_a_while_segments_are_named_only() -> None:
    looks = itertools.count()
    blobs = Counted(["A.csv", "B.csv", "C.csv"])
    first, *others = list_extracts(blobs, is_late=lambda: next(looks) > 1)
    assert first.extract
    assert [(each.segment, each.problem.code) for each in others if each.problem] == [
        ("B", ReasonCode.LISTING_CUT),
        ("C", ReasonCode.LISTING_CUT),
    ]


def test_names_that_take_too_long_are_not_listed() -> None:
    with pytest.raises(RunEndError) as raised:
        list(list_extracts(Counted(["A.csv"]), is_late=lambda: True))
    assert raised.value.reason.code == ReasonCode.LISTING_CUT


def test_columns_are_not_read_when_it_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = itertools.count(step=14)
    monkeypatch.setattr("shared.definitions.segments.time.monotonic", lambda: next(moments))
    first, second = list_segments(Counted(["A.csv", "B.csv"]))
    assert (first.columns, second.columns) == (None, None)
    assert first.columns_problem
    assert second.problem
