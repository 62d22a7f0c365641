"""Our Bicep has no problems, and each of the mistakes in mutants.toml would be seen."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.check.evaluate import plan
from infra.check.parameters import check_parameters
from infra.check.parse import BicepSyntaxError, read_template
from infra.check.policies import POLICIES, violations
from infra.check.template import check_file, files_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.check.azure_types import ResourceTypes
    from infra.check.planned import Plan

HERE = Path(__file__).parent
MUTANTS = tomllib.loads((HERE / "mutants.toml").read_text())["mutant"]
FILES = files_of(HERE.parents[1] / "infra/main.bicep")
VARIANTS: tuple[dict[str, object], ...] = (
    {},
    {"network": "private", "entraClientId": "11111111-1111-1111-1111-111111111111"},
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_file_has_no_problems(path: Path, types: ResourceTypes) -> None:
    assert [str(problem) for problem in check_file(path, types)] == []


def test_every_bicep_file_is_called(root: Path) -> None:
    assert sorted(FILES) == sorted(root.glob("infra/**/*.bicep"))


def test_parameters_file_fits_the_template(root: Path) -> None:
    template = read_template(root / "infra/main.bicep")
    assert check_parameters(root / "infra/main.parameters.json", template) == []


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_policy_holds(policy: Callable[[Plan], Iterator[str]], variant: Plan) -> None:
    assert list(policy(variant)) == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant["caught"][:50])
def test_mistake_is_caught(mutant: dict[str, str], root: Path, types: ResourceTypes, tmp_path: Path) -> None:
    path = _copy(root / "infra", tmp_path) / mutant["file"]
    text = path.read_text()
    assert mutant["find"] in text
    path.write_text(text.replace(mutant["find"], mutant["replace"], 1))
    found = _findings(tmp_path / "main.bicep", types)
    assert any(mutant["caught"] in each for each in found), found


def _copy(infra: Path, to: Path) -> Path:
    (to / "modules").mkdir()
    for path in (*infra.glob("*.json"), *infra.rglob("*.bicep")):
        (to / path.relative_to(infra)).write_text(path.read_text())
    return to


def _findings(main: Path, types: ResourceTypes) -> list[str]:
    """Problems of the files, else violations by what they would deploy."""
    problems = [str(problem) for path in files_of(main) for problem in check_file(path, types)]
    if problems:
        return problems
    try:
        return [each for parameters in VARIANTS for each in violations(plan(main, parameters))]
    except BicepSyntaxError as error:
        return [str(error)]
