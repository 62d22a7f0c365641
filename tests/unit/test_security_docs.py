"""What docs/security.md and SECURITY.md name is there: a claim whose test is gone is no claim."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from shared.settings import SETTING_NAMES

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = ("docs/security.md", "SECURITY.md")
OF_THE_ENVIRONMENT: Final = {"HTTPS_PROXY", "SSL_CERT_FILE"}
"""Variables that are no settings of ours."""
FINDINGS: Final = 28
"""Of the attack; what came later stands below."""


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def named(name: str, form: str) -> set[str]:
    """What stands in backticks on a page and has a form as a whole."""
    return {each for each in re.findall(r"`([^`\n]+)`", page(name)) if re.fullmatch(form, each)}


def all_tests() -> set[str]:
    sources = (file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    return {name for source in sources for name in re.findall(r"^def (test_\w+)", source, re.MULTILINE)}


def test_every_test_that_is_named_exists() -> None:
    assert sorted(named("docs/security.md", r"test_\w+") - all_tests()) == []


@pytest.mark.parametrize("name", PAGES)
def test_every_file_that_is_named_exists(name: str) -> None:
    files = named(name, r"[\w.-]+(?:/[\w.-]*)+|[\w-]+\.(?:py|md|json|bicep)")
    files |= set(re.findall(r"(?<![\w`/])docs/[\w-]+\.md", page(name)))
    assert files
    assert [file for file in sorted(files) if not (ROOT / file).exists()] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_setting_and_target_that_is_named_exists(name: str) -> None:
    settings = named(name, r"[A-Z]+(?:_[A-Z]+)+") - OF_THE_ENVIRONMENT
    assert sorted(settings - set(SETTING_NAMES)) == []
    targets = {each.split()[1] for each in named(name, r"make \w+(?: \S+)?")}
    assert [target for target in sorted(targets) if f"\n{target}:" not in page("Makefile")] == []


def test_every_finding_names_a_test_that_holds_it() -> None:
    _, _, table = page("docs/security.md").partition("## What attacks have found")
    rows = [line for line in table.partition("\n## ")[0].splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= FINDINGS
    assert [row for row in rows if "`test_" not in row] == []


def test_every_requirement_has_one_row() -> None:
    _, _, table = page("docs/security.md").partition("## OWASP ASVS 5.0")
    rows = [line.split(" | ")[0] for line in table.splitlines() if re.match(r"\| \d", line)]
    numbers = [tuple(map(int, each)) for row in rows for each in re.findall(r"(\d+)\.(\d+)\.(\d+)", row)]
    assert len(numbers) == len(set(numbers))
    assert {chapter for chapter, _, _ in numbers} == set(range(1, 17)) - {7}
