from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.infra.fake_azure_cli import FakeAzureCli, make_desk
from tools.bicep import NOT_FOUND, find_compiler, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.bicep import Compiler
    from tools.deployment import Plan

ROOT = Path(__file__).parents[2]

VARIANTS: dict[str, dict[str, object]] = {
    "public": {},
    "private": {
        "network": "private",
        "sendGridApiKey": "a key",
        "alertEmails": ["ops@contoso.example"],
        "customerInsightsPrincipalId": "22222222-2222-2222-2222-222222222222",
    },
    "extracts elsewhere": {"extractStorageAccount": "stcontoso", "extractResourceGroup": "rg-insights"},
    "private, extracts elsewhere": {
        "network": "private",
        "extractStorageAccount": "stcontoso",
        "extractResourceGroup": "rg-insights",
        "extractSubscriptionId": "00000000-0000-0000-0000-0000000000cc",
    },
    "kept": {"auditImmutableDays": 30, "lockData": True, "recordApp": True, "zoneRedundant": True},
    "in a folder": {"extractPrefix": "segments", "storageSku": "Standard_GRS", "zoneRedundant": True},
    "entra": {"entraClientId": "11111111-1111-1111-1111-111111111111", "refreshSchedule": "30 6 * * *"},
}
"""Parameters that between them reach every resource of the template."""


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def compiler() -> Iterator[Compiler]:
    found = find_compiler()
    if found is None:
        pytest.skip(NOT_FOUND)
    with running(found) as started:
        yield started


@pytest.fixture(scope="session")
def plans(compiler: Compiler) -> dict[str, Plan]:
    """What every variant would deploy."""
    return {name: compiler.plan(ROOT / "infra/main.bicep", given) for name, given in VARIANTS.items()}


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest, plans: dict[str, Plan]) -> Plan:
    return plans[request.param]


@pytest.fixture(scope="session")
def public(plans: dict[str, Plan]) -> Plan:
    return plans["public"]


@pytest.fixture
def azure_cli(tmp_path: Path, root: Path) -> Iterator[FakeAzureCli]:
    with make_desk(root, tmp_path) as made:
        yield made
