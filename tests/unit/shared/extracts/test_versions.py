"""Names as dates and numbers."""

from __future__ import annotations

import pytest

from shared.extracts.versions import read_below_version, read_version


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2026-02-27", "2026-02-28"),
        ("20261120", "20261121"),
        ("202611210630", "202611211830"),
        ("20261121T063000Z", "20261121T064000Z"),
        ("2026-02-28T06-30-00+01-00", "2026-02-28T06-30-00-01-00"),
        ("2026-02-28T06-30-00", "2026-02-28T06-30-01"),
        ("target_2025-04-19_18-07-16", "target_2025-04-20_10-00-00"),
        ("30-11-2025", "01-12-2025"),
        ("2025-W52", "2026-W01"),
        ("2025-12", "2026-01"),
        ("2025", "2026"),
        ("v9", "v10"),
        ("9", "10"),
        ("1613059542", "1613159542"),
        ("1613059542123", "1613159542000"),
        ("2026-02-27_d4e5f6", "2026-02-28_a1b2c3"),
        ("2026112106", "2026112118"),
    ],
)
def test_versions_are_in_order(earlier: str, later: str) -> None:
    before, after = ({each.form: each.key for each in read_version(name)} for name in (earlier, later))
    common = before.keys() & after.keys()
    assert common
    assert all(before[form] < after[form] for form in common)  # type: ignore[operator]  # keys of one form compare


@pytest.mark.parametrize("name", ["archive", "north", "2026-02-30", "2026-13", "country=46", "part_1", "000", ""])
def test_what_is_no_version(name: str) -> None:
    assert [each for each in read_version(name) if each.kind != "number"] == []


def test_day_and_month_may_be_confused() -> None:
    assert {each.kind for each in read_version("01-03-2026")} == {"day first", "month first"}
    assert {each.kind for each in read_version("30-11-2025")} == {"day first"}


@pytest.mark.parametrize(("name", "key"), [("02", 2), ("0930", 930), ("month=02", 2), ("06-30-00", 63000)])
def test_below_a_version_its_date_goes_on(name: str, key: int) -> None:
    (version,) = read_below_version(name)
    assert version.key == key
