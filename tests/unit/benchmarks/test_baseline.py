"""The measured commands agree about the reference extract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.baseline import plan_plainly
from benchmarks.child import baseline, planner
from benchmarks.shape import COLUMNS, MAPPING, write_extract

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 2_000


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    path = tmp_path / "extract.csv"
    write_extract(path, ROWS)
    return path


def test_the_reference_extract_is_the_same_every_time(extract: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.csv"
    write_extract(again, ROWS)
    assert again.read_bytes() == extract.read_bytes()


def test_planner_and_baseline_have_the_same_outcome(extract: Path) -> None:
    assert planner(extract, 1)() == baseline(extract, 1)()


def test_the_reference_extract_has_every_outcome(extract: Path) -> None:
    outcome, cut = plan_plainly(extract, MAPPING)
    assert min(outcome["sent"], outcome["duplicate"], outcome["rejected"], cut["city"]) > 0


def test_the_baseline_accounts_for_every_row(extract: Path) -> None:
    outcome, _ = plan_plainly(extract, MAPPING)
    assert outcome["sent"] + outcome["duplicate"] + outcome["rejected"] == outcome["rows_read"] == ROWS


def test_the_baseline_rejects_a_row_with_a_value_missing(tmp_path: Path) -> None:
    path = tmp_path / "ragged.csv"
    path.write_text(",".join(COLUMNS) + "\n1,Ann,Lee,ann@example.com\n", encoding="utf-8")
    outcome, _ = plan_plainly(path, MAPPING)
    assert outcome["rejected"] == 1
