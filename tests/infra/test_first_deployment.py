"""docs/first-deployment.md: twenty observations, each with a command, what is expected, and what else means."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shared.telemetry import Event

if TYPE_CHECKING:
    from tools.deployment import Plan

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/first-deployment.md").read_text(encoding="utf-8")
OBSERVATIONS = re.findall(r"^## (\d+)\. ([^\n]+)\n\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
BLOCKS = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)


def _anchors(path: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def test_there_are_twenty() -> None:
    assert [int(number) for number, *_ in OBSERVATIONS] == list(range(1, 21))


@pytest.mark.parametrize(("number", "title", "text"), OBSERVATIONS)
def test_an_observation_is_whole(number: str, title: str, text: str) -> None:
    parts = re.fullmatch(
        r"```sh\n.+?```\n\n\*\*Expected(?::\*\*|\*\*, .+?:).+?\n\n\*\*Otherwise:\*\* .+?\n+", text, re.DOTALL
    )
    assert parts, f"{number}. {title}"


@pytest.mark.parametrize("block", BLOCKS)
def test_commands_are_shell(block: str) -> None:
    done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)  # noqa: S607
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_asked_of_the_logs_is_in_them() -> None:
    named = set(re.findall(r"event=(\w+)", TEXT))
    assert named
    assert named <= {str(event) for event in Event}


def test_outputs_that_are_asked_for_are_given(public: Plan) -> None:
    named = set(re.findall(r"properties\.outputs\.(\w+)\.value", TEXT))
    assert named
    assert named <= public.outputs.keys()


def test_what_is_named_exists() -> None:
    files = set(re.findall(r"`((?:infra|shared|tools|docs)/[\w./-]+\.\w+)`", TEXT))
    assert {name for name in files if not (ROOT / name).exists()} == set()
    for page, anchor in re.findall(r"\]\((\w[\w-]*\.md)(?:#([\w-]+))?\)", TEXT):
        assert (ROOT / "docs" / page).exists(), page
        assert not anchor or anchor in _anchors(ROOT / "docs" / page), anchor
