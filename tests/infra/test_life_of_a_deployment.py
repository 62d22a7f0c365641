"""deploy.sh and destroy.sh with the real az against a pretended Azure, from nothing to nothing: `make az`.

Each stage goes on where the one before it ended. Only the real az shows what it sends, and what its queries find.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import re
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.infra.fake_azure import Azure, serving
from tests.infra.fake_azure_cli import KEY, FakeAzureCli, make_desk
from tests.infra.fake_entra import ADA, ADAS_NAME, WORKFLOW
from tests.infra.fake_resources import CONTRIBUTOR, PACKAGES
from tools.bicep import NOT_FOUND, find_compiler

if TYPE_CHECKING:
    from collections.abc import Iterator

AZ = os.environ.get("AZ", "")
ROOT = Path(__file__).parents[2]
SIGN_IN = {"ada": ("--username", ADAS_NAME, "--password", "made up"), "workflow": ("--identity",)}
CHANGES = re.compile(r"(PUT|DELETE|PATCH) |POST \S+/api/publish")

pytestmark = pytest.mark.skipif(
    not AZ, reason="NO DEPLOYMENT WAS TRIED WITH THE REAL AZ, which takes 700 MB: run make az"
)


@dataclasses.dataclass(frozen=True)
class Stage:
    """What a script said and did."""

    status: int
    output: str
    requests: list[str]
    parameters: dict[str, Any]
    """Those that were deployed last."""
    kept: list[str]
    """Names of the packages that are kept, the oldest first."""
    published: bytes

    def changes(self) -> list[str]:
        return [line for line in self.requests if CHANGES.match(line)]


@dataclasses.dataclass
class Desk:
    """A machine with the real az, and the Azure that it reaches."""

    machine: FakeAzureCli
    azure: Azure
    environment: dict[str, str]

    def sign_in(self, who: str) -> None:
        command = [str(self.machine.folder / "az"), "login", *SIGN_IN[who], "--output", "none"]
        done = subprocess.run(command, env=self._of(who), capture_output=True, text=True, check=False)  # noqa: S603 - our own words
        assert done.returncode == 0, done.stderr

    def run(self, who: str, script: str, *arguments: str, **environment: str) -> Stage:
        before = len(self.azure.seen)
        done = self.machine.run(script, *arguments, **self._of(who), **environment)
        given = self.azure.resources.deployed.get("parameters", {})
        output = done.stdout + done.stderr
        assert self.azure.unknown == [], output
        return Stage(
            done.returncode,
            output,
            self.azure.seen[before:],
            {name: each["value"] for name, each in given.items()},
            sorted(name for name in self.azure.resources.packages.blobs if name.endswith(".zip")),
            self.azure.published[-1][0] if self.azure.published else b"",
        )

    def _of(self, who: str) -> dict[str, str]:
        return self.environment | {"AZURE_CONFIG_DIR": str(self.machine.folder / f"azure-{who}")}


def _shim(path: Path, command: str) -> None:
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(0o755)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    compiler = find_compiler()
    if compiler is None:
        pytest.skip(NOT_FOUND)
    folder = tmp_path_factory.mktemp("desk")
    with make_desk(ROOT, folder) as machine:
        _shim(folder / "az", AZ)
        _shim(folder / "bicep", f"env DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 {compiler}")
        azure = Azure(machine.app.answers)
        azure.secret = KEY.encode()
        with serving(azure, folder) as environment:
            environment |= {"HOME": str(folder), "PATH": f"{folder}:{os.environ['PATH']}"}
            environment |= {"AZURE_CORE_COLLECT_TELEMETRY": "no", "AZURE_BICEP_USE_BINARY_FROM_PATH": "true"}
            made = Desk(machine, azure, environment)
            for who in SIGN_IN:
                made.sign_in(who)
            yield made


@pytest.fixture(scope="module")
def first(desk: Desk) -> Stage:
    """From nothing to the smoke test, by a person, with the package as it is built."""
    package = str(ROOT / ".local/package.zip")
    return desk.run("ada", "deploy.sh", "--package", package, "--location", "northeurope", SENDGRID_API_KEY=KEY)


@pytest.fixture(scope="module")
def closed(desk: Desk, first: Stage) -> Stage:
    """An upgrade after somebody closed the accounts by hand."""
    assert first.status == 0, first.output
    desk.azure.resources.closed = True
    stage = desk.run("ada", "deploy.sh", "--package", str(desk.machine.package("closed")), "--yes")
    desk.azure.resources.closed = False
    return stage


@pytest.fixture(scope="module")
def preview(desk: Desk, closed: Stage) -> Stage:
    assert closed.status == 1, closed.output
    return desk.run("ada", "deploy.sh", "--what-if", "--parameter", "softDeleteDays=30")


@pytest.fixture(scope="module")
def upgrade(desk: Desk, preview: Stage) -> Stage:
    """By the workflow's very line, without a parameter."""
    assert preview.status == 0, preview.output
    desk.machine.app.answers |= {
        "/api/connections": (200, '{"connections": [{"id": "main"}]}'),
        "/api/connections/main": (
            200,
            '{"id": "main", "display_name": "SendGrid", "secret_name": "a", "users": []}',
        ),
        "/api/connections/main/check": (200, "{}"),
    }
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    line = workflow["jobs"]["deploy"]["steps"][-1]["run"]
    words = line.removeprefix('infra/deploy.sh --resource-group "$GROUP" ').split()
    (desk.machine.folder / "built").mkdir()
    desk.machine.package("second").rename(desk.machine.folder / "built/package.zip")
    return desk.run("workflow", "deploy.sh", *words)


@pytest.fixture(scope="module")
def rollback(desk: Desk, upgrade: Stage) -> Stage:
    assert upgrade.status == 0, upgrade.output
    return desk.run("ada", "deploy.sh", "--rollback", "--yes")


@pytest.fixture(scope="module")
def removal(desk: Desk, rollback: Stage) -> Stage:
    assert rollback.status == 0, rollback.output
    return desk.run("ada", "destroy.sh", "--yes")


def test_first_deployment_ends_with_the_smoke_test(first: Stage) -> None:
    assert first.status == 0, first.output
    assert "\ndone           https://func-x.azurewebsites.net\n" in first.output
    assert "  health       ok\n" in first.output


def test_whoever_deploys_first_is_told_of_alerts(first: Stage) -> None:
    assert first.parameters["alertEmails"] == [ADAS_NAME]
    assert first.parameters["keptParameters"]["alertEmails"] == [ADAS_NAME]


def test_the_key_reaches_resource_manager_only(first: Stage, desk: Desk) -> None:
    assert (first.parameters["sendGridApiKey"], first.parameters["secretNames"]) == (KEY, ["sendgrid-api-key"])
    assert {line.rpartition("/")[2] for line in desk.azure.told} == {"sendgrid-segment-export", "validate"}
    assert KEY not in first.output
    admin = desk.azure.resources.keys["admin"]
    assert re.fullmatch(r"admin\.[0-9a-f]{64}", admin)
    assert admin not in first.output


def test_the_package_is_published_as_it_is(first: Stage, desk: Desk) -> None:
    assert first.published == (ROOT / ".local/package.zip").read_bytes()
    assert desk.azure.published[0][1].get("RemoteBuild", ["false"]) == ["false"]


def test_the_package_is_kept_by_whoever_is_signed_in(first: Stage, desk: Desk) -> None:
    """The right is given first, and storage takes its time to know it."""
    (name,) = first.kept
    blob = desk.azure.resources.packages.blobs[name]
    assert hashlib.sha256(first.published).hexdigest() == blob.metadata["sha256"]
    assert blob.metadata["published"]
    assert (CONTRIBUTOR, ADA, "User", PACKAGES) in desk.azure.resources.given


def test_what_was_closed_by_hand_is_not_opened(closed: Stage) -> None:
    assert closed.status == 1
    assert "storage and vault are closed to the internet, and this would open them" in closed.output
    assert closed.changes() == []


def test_a_preview_shows_what_would_change_and_changes_nothing(preview: Stage) -> None:
    assert preview.status == 0, preview.output
    assert "  softDeleteDays: 7 → 30\n" in preview.output
    assert "Resource changes: 1 to modify" in preview.output
    assert preview.changes() == []


def test_an_upgrade_by_the_workflow_loses_nothing(upgrade: Stage, first: Stage) -> None:
    assert upgrade.status == 0, upgrade.output
    assert "parameters     as deployed before" in upgrade.output
    before = {name: value for name, value in first.parameters.items() if name != "sendGridApiKey"}
    assert upgrade.parameters == before | {"budgetStartDate": "2026-03-01"}
    assert upgrade.parameters["alertEmails"] == [ADAS_NAME]


def test_definitions_are_exported_before_the_upgrade_and_kept(upgrade: Stage, desk: Desk) -> None:
    read = next(number for number, line in enumerate(upgrade.requests) if line.endswith("/api/connections/main"))
    assert CHANGES.match("\n".join(upgrade.requests[:read])) is None
    (name,) = [name for name in desk.azure.resources.packages.blobs if name.startswith("definitions/")]
    with tarfile.open(fileobj=io.BytesIO(desk.azure.resources.packages.blobs[name].content)) as archive:
        assert "./connections/main.yaml" in archive.getnames()


def test_the_workflow_gets_the_right_as_an_identity(upgrade: Stage, desk: Desk) -> None:
    assert (CONTRIBUTOR, WORKFLOW, "ServicePrincipal", PACKAGES) in desk.azure.resources.given
    assert len(upgrade.kept) == 2


def test_a_rollback_puts_the_first_package_back_and_nothing_else(
    rollback: Stage, upgrade: Stage, first: Stage
) -> None:
    assert rollback.status == 0, rollback.output
    assert (upgrade.published != first.published, rollback.published == first.published) == (True, True)
    assert not [line for line in rollback.changes() if "management.azure.com" in line]
    assert rollback.parameters == upgrade.parameters


def test_packages_are_listed(rollback: Stage, desk: Desk) -> None:
    listed = desk.run("ada", "deploy.sh", "--packages")
    names = [line.split()[0] for line in listed.output.splitlines() if re.match(r"\d{8}T\d{6}Z-", line)]
    assert names == rollback.kept[::-1]


def test_removal_removes_the_group(removal: Stage) -> None:
    assert removal.status == 0, removal.output
    assert [line for line in removal.changes() if line.startswith("DELETE ")] != []


def test_the_vault_comes_back(removal: Stage, desk: Desk) -> None:
    assert removal.status == 0, removal.output
    package = str(desk.machine.package("again"))
    again = desk.run("ada", "deploy.sh", "--package", package, "--location", "northeurope", SENDGRID_API_KEY=KEY)
    assert again.status == 0, again.output
    assert again.parameters["recoverVault"] is True
    assert "recoverVault" not in again.parameters["keptParameters"]
