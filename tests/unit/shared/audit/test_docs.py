"""docs/audit.md says what the log holds, and how it is asked."""

from __future__ import annotations

import json
import re
from pathlib import Path

from shared.audit.log import serialize_entry
from shared.audit.query import AuditQuery
from shared.limits import APPEND_BLOCKS_MAX, AUDIT_PAGE_MAX, AUDIT_SCAN_MAX
from shared.model.audit import AuditEntry

TEXT = (Path(__file__).parents[4] / "docs/audit.md").read_text()


def test_entries_that_are_shown_are_written_like_that() -> None:
    shown = TEXT.split("```json\n")[1].split("\n```")[0].splitlines()
    assert len(shown) == 3
    for line in shown:
        assert json.loads(serialize_entry(AuditEntry.model_validate_json(line))) == json.loads(line)


def test_the_parameters_are_those_of_the_code() -> None:
    table = TEXT.split("| parameter | meaning |")[1].split("\n\n")[0]
    first_cells = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", table, re.MULTILINE)
    assert {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)} == set(AuditQuery.model_fields)


def test_the_numbers_are_those_of_the_code() -> None:
    for number in (APPEND_BLOCKS_MAX, AUDIT_PAGE_MAX, AUDIT_SCAN_MAX):
        assert f"{number:,}" in TEXT
