"""Reason codes, their advice, and the operations guide."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.model.reason_codes import ReasonCode
from shared.model.reasons import Reason

ROOT = Path(__file__).parents[4]
GUIDE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def documented() -> list[str]:
    """Codes in the first column of the guide's table of reasons."""
    table = GUIDE.split("## Why a run ended")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]*`) \|", table, re.MULTILINE)
    return [code for row in rows for code in re.findall(r"`([a-z_]+)`", row)]


def test_the_operations_guide_lists_every_reason_once_and_no_other() -> None:
    assert sorted(documented()) == sorted(ReasonCode)


@pytest.mark.parametrize("code", ReasonCode)
def test_every_reason_has_advice(code: ReasonCode) -> None:
    assert code.advice.endswith(".")


@pytest.mark.parametrize("code", ReasonCode)
def test_every_reason_is_given_somewhere(code: ReasonCode) -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "shared").rglob("*.py"))
    assert f"ReasonCode.{code.name}" in source


def test_advice_to_send_again_names_what_works() -> None:
    reason = Reason(code=ReasonCode.UNAVAILABLE, message="Gave up.")
    assert "retry the run" in reason.advice_for(left_over=True)
    assert "start a new run" in reason.advice


@pytest.mark.parametrize("code", ReasonCode)
def test_no_advice_promises_a_retry_that_may_have_nothing_to_send(code: ReasonCode) -> None:
    assert "retry" not in Reason(code=code, message="So it is.").advice.lower()


def test_a_reason_of_a_newer_version_is_read_without_advice() -> None:
    reason = Reason.model_validate_json('{"code": "from_the_future", "message": "So it is."}')
    assert (reason.code, reason.advice) == ("from_the_future", "")
