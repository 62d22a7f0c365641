from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.check.__main__ import SUPPLEMENT, types_file
from infra.check.azure_types import ResourceTypes
from infra.check.evaluate import plan
from tests.infra.fake_azure_cli import FakeAzureCli, make_desk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.check.planned import Plan

ROOT = Path(__file__).parents[2]

VARIANTS: dict[str, dict[str, object]] = {
    "public": {},
    "private": {"network": "private", "sendGridApiKey": "a key", "alertEmails": ["ops@contoso.example"]},
    "extracts elsewhere": {"extractStorageAccount": "stcontoso", "extractResourceGroup": "rg-insights"},
    "private, extracts elsewhere": {
        "network": "private",
        "extractStorageAccount": "stcontoso",
        "extractResourceGroup": "rg-insights",
        "extractSubscriptionId": "00000000-0000-0000-0000-0000000000cc",
    },
    "entra": {"entraClientId": "11111111-1111-1111-1111-111111111111", "refreshSchedule": "30 6 * * *"},
}
"""Parameters that between them reach every resource of the template."""


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def types() -> ResourceTypes:
    data = ROOT / types_file()
    if not data.is_file():
        pytest.skip(f"NO BICEP FILE WAS CHECKED: no type data at {data}; set BICEP_TYPES to its folder")
    return ResourceTypes(data, SUPPLEMENT)


@pytest.fixture(scope="session", params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> Plan:
    return plan(ROOT / "infra/main.bicep", VARIANTS[request.param])


@pytest.fixture(scope="session")
def public() -> Plan:
    return plan(ROOT / "infra/main.bicep", {})


@pytest.fixture
def azure_cli(tmp_path: Path, root: Path) -> Iterator[FakeAzureCli]:
    with make_desk(root, tmp_path) as made:
        yield made
