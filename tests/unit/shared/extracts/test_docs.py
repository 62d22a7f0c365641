"""docs/extracts.md says what the code does."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from shared.extracts.discovery import find_extract
from shared.extracts.versions import read_version
from shared.limits import EXTRACT_WAIT, REJECTED_LISTED_MAX, SETTLE, UNDECODABLE_SHARE_MAX
from shared.model.definitions import SourceLimits, SourceOptions
from shared.model.durations import written
from shared.model.rejections import Rejected
from tests.unit.shared.extracts.test_found_layout import delivered

TEXT = (Path(__file__).parents[4] / "docs" / "extracts.md").read_text(encoding="utf-8")
MEMBERS = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", TEXT, re.MULTILINE))
LAYOUTS = re.findall(r"^\| `([^`{]+)`[^|`]*\| `([^`]*\{segment\}[^`]*)` \|$", TEXT, re.MULTILINE)
AUTO = ("format", "header", "delimiter", "quoting", "escape", "encoding", "date_order", "decimal_separator")


def test_every_member_of_the_source_is_told() -> None:
    assert set(SourceOptions.model_fields) <= MEMBERS.keys()


def test_every_reason_of_a_rejection_is_told() -> None:
    assert {str(reason) for reason in Rejected} <= MEMBERS.keys()


def test_defaults_are_those_of_the_code() -> None:
    defaults = SourceOptions()
    for name in AUTO:
        assert MEMBERS[name] == f"`{getattr(defaults, name)}`"
    assert MEMBERS["wait_minutes"] == str(defaults.wait_minutes) == str(round(EXTRACT_WAIT / 60))
    assert MEMBERS["settle"] == f"`{written(defaults.settle)}`" == f"`{written(timedelta(seconds=SETTLE))}`"
    limits = SourceLimits()
    for name in SourceLimits.model_fields:
        assert f"`{name}` {getattr(limits, name):,}" in TEXT
    assert f"up to {REJECTED_LISTED_MAX:,} of them" in TEXT
    assert f"above {UNDECODABLE_SHARE_MAX:.0%}".replace("%", " %") in TEXT


@pytest.mark.parametrize(("name", "layout"), LAYOUTS)
def test_examples_of_layouts_are_right(name: str, layout: str) -> None:
    extract = find_extract(delivered([name]), "Seg", source=SourceOptions(layout=layout))
    assert [file.name for file in extract.files] == [name]


def test_there_are_examples_of_layouts() -> None:
    assert len(LAYOUTS) == 5


def test_versions_that_are_named_are_versions() -> None:
    (paragraph,) = re.findall(r"^\*\*Versions\*\*.*\n(.*)$", TEXT, re.MULTILINE)
    names = [name for name in re.findall(r"`([\w=-]+)`", paragraph) if not name.startswith(("T0", "_", "Z"))]
    assert len(names) >= 8
    assert [name for name in names if not read_version(name.partition("=")[2] or name)] == []
