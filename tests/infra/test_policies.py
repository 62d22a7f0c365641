"""What would be deployed keeps to our policies, and each of the mistakes in mutants.toml would be seen."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tools.bicep import BicepError
from tools.policies import POLICIES, violations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tools.bicep import Compiler
    from tools.deployment import Plan

HERE = Path(__file__).parent
MUTANTS = tomllib.loads((HERE / "mutants.toml").read_text())["mutant"]
VARIANTS: tuple[dict[str, object], ...] = (
    {},
    {
        "network": "private",
        "entraClientId": "11111111-1111-1111-1111-111111111111",
        "sendGridApiKey": "SG.not-a-real-key",
        "auditImmutableDays": 30,
        "zoneRedundant": True,
        "secretWriters": ["sendgrid-api-key"],
        "customerInsightsPrincipalId": "22222222-2222-2222-2222-222222222222",
    },
)
FEWEST_MUTANTS = 60


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_policy_holds(policy: Callable[[Plan], Iterator[str]], variant: Plan) -> None:
    assert list(policy(variant)) == []


def test_a_network_is_deployed_only_where_it_is_asked_for(plans: dict[str, Plan]) -> None:
    with_network = {name for name, plan in plans.items() if plan.of_type("Microsoft.Network/virtualNetworks")}
    assert with_network == {name for name in plans if name.startswith("private")}


def test_there_are_enough_mistakes() -> None:
    assert len(MUTANTS) >= FEWEST_MUTANTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant["caught"][:50])
def test_mistake_is_caught(mutant: dict[str, str], root: Path, compiler: Compiler, tmp_path: Path) -> None:
    infra = shutil.copytree(root / "infra", tmp_path / "infra", ignore=shutil.ignore_patterns("*.sh", "*.py"))
    path = infra / mutant["file"]
    text = path.read_text()
    assert mutant["find"] in text
    path.write_text(text.replace(mutant["find"], mutant["replace"], 1))
    found = _findings(infra / "main.bicep", compiler)
    assert any(mutant["caught"] in each for each in found), found


def _findings(main: Path, compiler: Compiler) -> list[str]:
    """What the compiler has against the files, else violations by what they would deploy."""
    if diagnostics := compiler.compile(main).diagnostics:
        return list(diagnostics)
    try:
        return [each for parameters in VARIANTS for each in violations(compiler.plan(main, parameters))]
    except BicepError as error:
        return [str(error)]
