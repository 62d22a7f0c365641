"""Extracts in every layout that is recognised: exactly the newest complete delivery is read, or none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import RunEndError
from shared.extracts.discovery import find_extract
from shared.extracts.extract import ExtractIncompleteError
from shared.model.definitions import SourceOptions
from tests.support.memory_storage import MemoryBlobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NOW: Final = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
DEBRIS: Final = (
    "{home}_temporary/0/attempt_1/part-00000-zz.csv",
    "{home}archive/2020-01-01/part-0.csv",
    "{home}.part-00000.csv.crc",
    "{home}_started_1",
    "{home}_committed_1",
    "{home}Seg.cdm.json",
    "{home}Seg.manifest.cdm.json",
    "{home}readme.md",
    "{home}part-00009.csv._copying_",
    "{home}old/part-0.csv",
    "Other_Seg.csv",
    "Segments.csv",
    "Unsubscribed_Seg_20991231.csv",
)

type Namer = Callable[[date, int], str]

IN_FOLDERS: Final[dict[str, Namer]] = {
    "iso folders": lambda day, part: f"Seg/{day:%Y-%m-%d}/part-{part:05d}-aa.csv",
    "nested folders": lambda day, part: f"Seg/{day:%Y/%m/%d}/0630/Seg_{part + 1}.csv",
    "hive dates": lambda day, part: f"Seg/dt={day:%Y-%m-%d}/part-{part}.csv",
    "hive nested": lambda day, part: f"Seg/year={day:%Y}/month={day:%m}/day={day:%d}/part-{part}.csv",
    "with run ids": lambda day, part: f"Seg/{day:%Y-%m-%d}_run{day:%j}x/part-{part}.csv",
    "with times": lambda day, part: f"Seg/{day:%Y%m%d}T063000Z/0000_part_{part:02d}",
    "weeks": lambda day, part: f"Seg/{day:%G-W%V}/part-{part}.csv",
    "partitions": lambda day, part: f"Seg/{day:%Y-%m-%d}/country={part}/part-00000.csv",
    "shards": lambda day, part: f"Seg/{day:%Y-%m-%d}/Seg_{part:012d}.csv",
    "of": lambda day, part: f"Seg/{day:%Y-%m-%d}/Seg-{part:05d}-of-{{parts:05d}}.csv",
}
BESIDE: Final[dict[str, Namer]] = {
    "dated files": lambda day, part: f"Seg_{day:%Y%m%d}_{part}.csv",
    "iso files": lambda day, part: f"Seg-{day:%Y-%m-%d}-{part:012d}.CSV.GZ",
    "snowflake": lambda day, part: f"Seg_{day:%Y%m%d}_0_{part}_0.csv.gz",
    "folders beside": lambda day, part: f"Seg_{day:%Y-%m-%d}/part-{part}.csv",
}
LAYOUTS: Final = IN_FOLDERS | BESIDE


def delivered(names: Iterable[str]) -> MemoryBlobs:
    blobs = MemoryBlobs(lambda: NOW)
    for name in names:
        blobs.upsert(name, b"EMail\nann@example.com\n")
    return blobs


def read(blobs: MemoryBlobs, source: SourceOptions | None = None) -> set[str]:
    return {file.name for file in find_extract(blobs, "Seg", source=source).files}


@given(
    layout=st.sampled_from(sorted(LAYOUTS)),
    newest=st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    gaps=st.lists(st.integers(1, 60), max_size=45),
    parts=st.integers(1, 12),
    debris=st.lists(st.sampled_from(DEBRIS), max_size=5),
)
def test_exactly_the_newest_delivery_is_read_or_none(
    layout: str, newest: date, gaps: list[int], parts: int, debris: list[str]
) -> None:
    days = [newest]
    for gap in gaps:
        days.append(days[-1] - timedelta(days=gap))
    files = {day: {LAYOUTS[layout](day, part).format(parts=parts) for part in range(parts)} for day in days}
    home = "Seg/" if layout in IN_FOLDERS else ""
    rubbish = {each.format(home=home) for each in debris}
    blobs = delivered(rubbish.union(*files.values()))
    try:
        assert read(blobs) == files[newest]
    except RunEndError as end:
        assert end.reason.code in {"extract_ambiguous", "extract_incomplete"}  # noqa: PT017 - either is right
        assert rubbish


@pytest.mark.parametrize("name", ["Seg_{:%Y-%m-%d}.csv", "Seg/{:%Y_%m_%d}.csv", "Seg.{:%Y.%m.%d}.csv.gz"])
@pytest.mark.parametrize("newest", [date(2026, 12, 1), date(2026, 12, 2), date(2026, 11, 30)])
@pytest.mark.parametrize("days", [2, 40])
def test_files_of_days_are_never_parts_of_their_month(name: str, newest: date, days: int) -> None:
    names = [name.format(newest - timedelta(days=each)) for each in range(days)]
    assert read(delivered(names)) == {names[0]}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_recognised_where_nothing_is_beside_it(layout: str) -> None:
    days = [date(2026, 2, 28), date(2026, 2, 20), date(2025, 12, 31)]
    files = {day: {LAYOUTS[layout](day, part).format(parts=3) for part in range(3)} for day in days}
    assert read(delivered(set().union(*files.values()))) == files[days[0]]


def test_partitions_by_an_id_belong_together() -> None:
    names = {"Seg/id=1/part-0.csv", "Seg/id=2/part-0.csv"}
    assert read(delivered(names)) == names


@pytest.mark.parametrize(
    ("older", "newer"),
    [("batch=9", "batch=10"), ("run_id=20260227", "run_id=20260228"), ("9", "10"), ("v1", "v2")],
)
def test_counted_deliveries_are_versions(older: str, newer: str) -> None:
    assert read(delivered([f"Seg/{older}/a.csv", f"Seg/{newer}/a.csv"])) == {f"Seg/{newer}/a.csv"}


@pytest.mark.parametrize(
    "names",
    [
        ("Seg/2026-02-28/part-0.csv", "Seg/part-0.csv"),
        ("Seg/2026-02-28/part-0.csv", "Seg/27-02-2026x/part-0.csv"),
        ("Seg/2026-02-28/part-0.csv", "Seg/20260227/part-0.csv"),
        ("Seg/country=46/part-0.csv", "Seg/2026-02-28/part-0.csv"),
        ("Seg/country=46/part-0.csv", "Seg/city=1/part-0.csv"),
        ("Seg/born=2001-01-01/part-0.csv", "Seg/born=2002-01-01/part-0.csv"),
        ("Seg/day=1/part-0.csv", "Seg/day=2/part-0.csv"),
        ("Seg/month=2026-01/part-0.csv", "Seg/month=2026-02/part-0.csv"),
        ("Seg/year=2025/part-0.csv", "Seg/year=2026/part-0.csv"),
        ("Seg/year=2026/month=01/part-0.csv", "Seg/year=2026/month=02/part-0.csv"),
        ("Seg/1/part-0.csv", "Seg/2/part-0.csv", "Seg/3/part-0.csv"),
        ("Seg/01-02-2026/part-0.csv", "Seg/03-02-2026/part-0.csv"),
        ("Seg/2026-02-28_a/part-0.csv", "Seg/2026-02-28_b/part-0.csv"),
        ("Seg/north/part-0.csv",),
        ("Seg.csv", "Seg/part-0.csv"),
        ("Seg.csv", "Seg.csv.gz"),
        ("Seg.csv", "Seg_20260228.csv"),
        ("Seg/model/a.csv", "Seg/data/b.csv"),
        (
            "CustomerInsights_1/A/Seg/2026/02/28/2300/Seg_1.csv",
            "CustomerInsights_1/B/Seg/2026/02/28/2300/Seg_1.csv",
        ),
    ],
    ids=lambda names: " and ".join(names)[:60],
)
def test_two_readings_are_refused_and_named(names: tuple[str, ...]) -> None:
    with pytest.raises(RunEndError) as end:
        read(delivered(names))
    assert end.value.reason.code == "extract_ambiguous"
    assert any(name.split("/")[0] in end.value.reason.message for name in names)


@pytest.mark.parametrize(
    ("newest", "problem"),
    [
        (("Seg/2026-02-28/Seg_000000000001.csv",), "part 0 of 0 to 1 is missing"),
        (("Seg/2026-02-28/part-00000-a.csv", "Seg/2026-02-28/_temporary/0/x.csv"), "_temporary is there"),
        (("Seg/2026-02-28/part-00000-a.csv", "Seg/2026-02-28/_started_77"), "_started_77 has no _committed_77"),
    ],
)
def test_a_delivery_that_is_not_complete_gives_way_to_the_one_before(
    newest: tuple[str, ...], problem: str
) -> None:
    extract = find_extract(delivered([*newest, "Seg/2026-02-27/part-00000-b.csv"]), "Seg")
    assert extract.version == "2026-02-27"
    assert extract.incomplete is not None
    assert problem in extract.incomplete


def test_a_marker_that_the_delivery_before_has_is_waited_for() -> None:
    names = ["Seg/2026-02-27/part-0.csv", "Seg/2026-02-27/_SUCCESS", "Seg/2026-02-28/part-0.csv"]
    extract = find_extract(delivered(names), "Seg")
    assert (extract.version, extract.incomplete is None) == ("2026-02-27", False)


def test_an_older_delivery_that_is_not_certain_does_not_touch_the_newest() -> None:
    names = ["Seg/2026-02-28/part-0.csv", "Seg/2026-02-27/north.csv", "Seg/2026-02-27/south.csv"]
    assert read(delivered(names)) == {names[0]}


def test_a_newer_version_that_holds_debris_only_is_passed_over() -> None:
    names = ["Seg/2026-02-27/part-0.csv", "Seg/2026-02-28/_temporary/0/part-0.csv", "Seg/2026-02-28/_SUCCESS"]
    extract = find_extract(delivered(names), "Seg")
    assert (extract.version, extract.incomplete) == ("2026-02-27", None)
    assert ("Seg/2026-02-28/", "holds no file of a delivery") in {
        (each.name, each.why) for each in extract.passed_over
    }


def test_a_folder_of_a_hierarchical_namespace_is_no_file() -> None:
    blobs = delivered(["Seg.csv/part-00000-aa.csv"])
    blobs.add_folder("Seg.csv")
    blobs.add_folder("Seg.csv/archive")
    assert read(blobs) == {"Seg.csv/part-00000-aa.csv"}


def test_a_folder_of_unfinished_work_counts_also_when_it_is_empty() -> None:
    blobs = delivered(["Seg.csv/part-00000-aa.csv"])
    blobs.add_folder("Seg.csv/_temporary")
    with pytest.raises(ExtractIncompleteError):
        read(blobs)
    blobs.upsert("Seg.csv/_SUCCESS", b"")
    assert read(blobs) == {"Seg.csv/part-00000-aa.csv"}


@pytest.mark.parametrize(
    ("layout", "names", "wanted"),
    [
        (
            "{segment}/{date:%Y-%m-%d}/{part}.csv",
            ("Seg/2026-02-27/a.csv", "Seg/2026-02-28/a.csv", "Seg/2026-02-28/b.csv"),
            2,
        ),
        ("{date:%Y}/{date:%m}/{date:%d}/{segment}.csv", ("2025/12/31/Seg.csv", "2026/01/01/Seg.csv"), 1),
        ("{segment}/{partition}/{part}.csv", ("Seg/north/1.csv", "Seg/south/1.csv"), 2),
        ("X_{segment}_{date:%s}.csv", ("X_Seg_1613059542.csv", "X_Seg_1613159542.csv"), 1),
        ("{segment}_{date:%d-%m-%Y}.csv", ("Seg_28-02-2026.csv", "Seg_01-03-2026.csv"), 1),
        ("{segment}_{date:%G%V}_{part}.csv", ("Seg_202552_1.csv", "Seg_202601_1.csv"), 1),
    ],
)
def test_a_declared_layout_is_believed(layout: str, names: tuple[str, ...], wanted: int) -> None:
    assert read(delivered(names), SourceOptions(layout=layout)) == set(names[-wanted:])


@pytest.mark.parametrize(
    ("layout", "names", "code"),
    [
        (
            "{segment}_{date:%Y}{date:%m}{date:%d}_{run}.csv",
            ("Seg_20260228_a.csv", "Seg_20260228_b.csv"),
            "extract_ambiguous",
        ),
        ("{segment}.csv", ("Seg_1.csv",), "extract_missing"),
        ("{segment}_{date:%Y%m%d}.csv", ("Seg_20260230.csv",), "extract_missing"),
    ],
)
def test_a_declared_layout_that_does_not_settle_it_is_told(layout: str, names: tuple[str, ...], code: str) -> None:
    with pytest.raises(RunEndError) as end:
        read(delivered(names), SourceOptions(layout=layout))
    assert end.value.reason.code == code


@pytest.mark.parametrize(
    "layout",
    [
        "Seg.csv",
        "{segment}/{when}.csv",
        "{segment}/{date}.csv",
        "{segment}/{date:%H}.csv",
        "{segment}/{date:%Y-%Q}.csv",
        "{segment}/{date:%Y}/{date:%Y}.csv",
        "/{segment}.csv",
        "{segment}/../x.csv",
        "{segment}/",
        "{segment",
        "{segment:x}.csv",
    ],
)
def test_a_layout_that_makes_no_sense_is_refused_when_it_is_saved(layout: str) -> None:
    with pytest.raises(ValueError, match="layout"):
        SourceOptions(layout=layout)
