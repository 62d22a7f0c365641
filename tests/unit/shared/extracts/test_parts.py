"""Names of files beside each other: parts of one delivery, several deliveries, or nobody knows."""

from __future__ import annotations

import pytest

from shared.extracts.names import read_data_name
from shared.extracts.parts import AmbiguousNamesError, deliveries


def told_apart(*names: str, before: str | None = None, order: str = "auto") -> list[tuple[str | None, set[str]]]:
    """Version and names of each delivery, newest first."""
    stems = []
    for name in names:
        data = read_data_name(name, any_suffix=True)
        assert data
        stems.append((data.stem, name))
    found = deliveries(stems, before=before, order=order)
    assert not any(delivery.gap or delivery.conflict for delivery in found)
    return [(each.version.text if each.version else None, set(each.items)) for each in found]


@pytest.mark.parametrize(
    "names",
    [
        ("Seg_000000000000.csv", "Seg_000000000001.csv"),
        ("Seg000000000000.csv", "Seg000000000001.csv"),
        ("Seg-00000-of-00002.csv", "Seg-00001-of-00002.csv"),
        ("Seg_1.csv", "Seg_2.csv", "Seg_3.csv"),
        ("Seg_part1.csv", "Seg_part2.csv"),
        ("Seg.csv.aa", "Seg.csv.ab"),
        ("Seg.csv.001", "Seg.csv.002"),
        ("Seg_0_0_0.csv.gz", "Seg_0_5_0.csv.gz"),
        ("Seg_0000_part_00", "Seg_0003_part_00"),
        ("Seg.csv",),
    ],
    ids=lambda names: names[0],
)
def test_parts_belong_together(names: tuple[str, ...]) -> None:
    assert told_apart(*names, before="Seg") == [(None, set(names))]


@pytest.mark.parametrize(
    "names",
    [
        ("part-00000-0f2e.csv", "part-00003-0f2e.csv"),
        ("part-00000.c000.snappy.parquet", "part-00001.c000.snappy.parquet"),
        ("000000_0", "000001_0"),
        ("xaa", "xab", "xac"),
        ("a.csv", "b.csv"),
    ],
    ids=lambda names: names[0],
)
def test_parts_in_a_folder_of_their_own(names: tuple[str, ...]) -> None:
    assert told_apart(*names) == [(None, set(names))]


def test_deliveries_are_newest_first_with_their_parts() -> None:
    names = ("Seg_2026-11-20_1.csv", "Seg_2026-11-21_1.csv", "Seg_2026-11-21_2.csv")
    assert told_apart(*names, before="Seg") == [
        ("2026-11-21", {"Seg_2026-11-21_1.csv", "Seg_2026-11-21_2.csv"}),
        ("2026-11-20", {"Seg_2026-11-20_1.csv"}),
    ]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("north.csv", "south.csv"), "not named alike"),
        (("Seg.csv", "Seg_1.csv"), "not named alike"),
        (("2025-12.csv", "2026-01.csv"), "by month or year"),
        (("01-02-2026.csv", "03-02-2026.csv"), "day and month"),
        (("Seg (1).csv", "Seg (2).csv"), "not named alike"),
    ],
)
def test_two_readings_are_told(names: tuple[str, ...], words: str) -> None:
    with pytest.raises(AmbiguousNamesError, match=words):
        told_apart(*names)


def test_a_declared_order_settles_days_and_months() -> None:
    newest = told_apart("01-02-2026.csv", "03-01-2026.csv", order="month_first")[0]
    assert newest == ("03-01-2026", {"03-01-2026.csv"})


@pytest.mark.parametrize(
    ("names", "gap"),
    [
        (("Seg_000000000000.csv", "Seg_000000000002.csv"), "part 1 of 0 to 2"),
        (("Seg_000000000001.csv",), "part 0 of 0 to 1"),
        (("Seg_1.csv", "Seg_3.csv"), "part 2 of 1 to 3"),
        (("Seg-00000-of-00003.csv", "Seg-00001-of-00003.csv"), "part 2 of 0 to 2"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_missing_part_is_told(names: tuple[str, ...], gap: str) -> None:
    stems = [(name.removesuffix(".csv"), name) for name in names]
    (delivery,) = deliveries(stems, before="Seg")
    assert delivery.gap == f"{gap} is missing"


@pytest.mark.parametrize(
    ("stems", "conflict"),
    [
        (["Seg", "Seg"], "the same in several formats"),
        (["part-00000-aa", "part-00000-bb"], "one part twice"),
        (["part-00000-aa", "part-00001-bb"], "several writes"),
        (["Seg_2026-02-28_x1y", "Seg_2026-02-28_z2w"], "at one time"),
    ],
)
def test_files_that_cannot_be_one_delivery_are_told(stems: list[str], conflict: str) -> None:
    found = deliveries([(stem, index) for index, stem in enumerate(stems)])
    assert found[0].conflict is not None
    assert conflict in found[0].conflict
