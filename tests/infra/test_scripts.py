"""deploy.sh and destroy.sh against an `az` that only answers, and a tiny app on 127.0.0.1."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.infra.fake_azure_cli import ADMIN_KEY, DEPLOYED, FRESH, KEY, FakeAzureCli

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("script", sorted(path.name for path in ROOT.glob("infra/*.sh")))
@pytest.mark.parametrize(
    "tool", [["shellcheck", "-x"], ["shfmt", "-d", "-i", "2", "-ci"]], ids=lambda tool: tool[0]
)
def test_script_is_clean(tool: list[str], script: str, root: Path) -> None:
    command = [str(BIN / tool[0]), *tool[1:], str(root / "infra" / script)]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    assert (result.returncode, result.stdout) == (0, "")


def test_azure_is_asked_in_the_versions_of_the_template(root: Path) -> None:
    scripts = "".join(path.read_text() for path in root.glob("infra/*.sh"))
    asked = re.findall(r"[/$](\w+)\?api-version=([\d-]+)", scripts)
    declared = "".join(path.read_text() for path in root.glob("infra/modules/*.bicep"))
    kinds = {"secrets": "vaults/secrets", "budgets": "budgets", "authsettingsV2": "sites/config"}
    kinds |= {"list": "sites/config", "admin": "sites", "1": "sites"}
    assert len(asked) == len(kinds)
    assert [(name, version) for name, version in asked if f"/{kinds[name]}@{version}'" not in declared] == []


def test_first_deployment_ends_with_a_smoke_test(azure_cli: FakeAzureCli) -> None:
    result = azure_cli.deploy("--location", "northeurope", SENDGRID_API_KEY=KEY)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-5:] == [
        f"smoke test     {azure_cli.url}",
        "  health       ok",
        '  connection   none yet: docs/deploy.md, "The first export"',
        "  preview      no export yet",
        f"done           {azure_cli.url}",
    ]


def test_first_deployment_makes_the_group_and_registers_what_is_missing(azure_cli: FakeAzureCli) -> None:
    azure_cli.deploy("--location", "northeurope", SENDGRID_API_KEY=KEY)
    assert "group create --name rg-x --location northeurope --output none" in azure_cli.lines()
    registered = [line for line in azure_cli.lines() if line.startswith("provider register")]
    assert registered == ["provider register --namespace Microsoft.App --wait"]


def test_key_travels_through_a_pipe_only(azure_cli: FakeAzureCli) -> None:
    result = azure_cli.deploy("--location", "northeurope", SENDGRID_API_KEY=KEY)
    given = azure_cli.parameters()
    assert (given["secretNames"], given["sendGridApiKey"]) == (["sendgrid-api-key"], KEY)
    assert KEY not in json.dumps(given["keptParameters"])
    assert not [line for line in azure_cli.lines() if "SG." in line]
    assert "SG." not in result.stdout + result.stderr


def test_nothing_that_is_started_inherits_the_key(azure_cli: FakeAzureCli) -> None:
    azure_cli.deploy("--location", "northeurope", SENDGRID_API_KEY=KEY)
    assert len(azure_cli.calls()) > 10
    assert [call["line"] for call in azure_cli.calls() if call["inherited"]] == []


def test_nothing_of_the_key_outlives_a_kill(azure_cli: FakeAzureCli) -> None:
    temporary = azure_cli.folder / "tmp"
    temporary.mkdir()
    environment = {"TMPDIR": str(temporary), "FAKE_AZ_KILLS": "^deployment group create"}
    result = azure_cli.deploy("--location", "northeurope", SENDGRID_API_KEY=KEY, **environment)
    assert (result.returncode, azure_cli.parameters()["sendGridApiKey"]) == (-signal.SIGKILL, KEY)
    files = [path for path in azure_cli.folder.rglob("*") if path.is_file() and path.name != "log"]
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []
    assert list(temporary.iterdir()) == []


def test_key_that_is_none_is_refused(azure_cli: FakeAzureCli) -> None:
    result = azure_cli.deploy("--location", "northeurope", SENDGRID_API_KEY='x", "network": "y')
    assert (result.returncode, result.stderr.splitlines()[-1]) == (
        1,
        "deploy: SENDGRID_API_KEY does not look like a SendGrid API key",
    )


def test_second_deployment_needs_no_key_and_keeps_the_budget(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = DEPLOYED
    result = azure_cli.deploy()
    assert result.returncode == 0, result.stderr
    given = azure_cli.parameters()
    assert "sendGridApiKey" not in given
    assert given["budgetStartDate"] == "2026-03-01"
    assert not [line for line in azure_cli.lines() if line.startswith(("group create", "ad "))]


def test_deleted_vault_comes_back(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = [["^keyvault list-deleted", "kv-x", 0], *FRESH]
    azure_cli.deploy("--location", "northeurope", SENDGRID_API_KEY=KEY)
    assert azure_cli.parameters()["recoverVault"] is True
    assert "recoverVault" not in azure_cli.parameters()["keptParameters"]


def test_what_if_changes_nothing(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = DEPLOYED
    result = azure_cli.run("deploy.sh", "--what-if")
    assert result.returncode == 0, result.stderr
    changing = ("create", "register", "update", "upload", "deploy", "delete", "post", "put")
    assert [line for line in azure_cli.lines() if any(word in line.split() for word in changing)] == []
    assert azure_cli.line("deployment group what-if")


def test_existing_connections_and_an_export_are_tried(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = DEPLOYED
    azure_cli.app.answers |= {
        "/api/connections": (200, '{"connections": [{"id": "main"}]}'),
        "/api/connections/main/check": (200, "{}"),
        "/api/exports": (200, '{"exports": [{"id": "vips"}, {"id": "all"}]}'),
        "/api/exports/vips/preview": (200, "{}"),
    }
    result = azure_cli.deploy()
    assert ("POST /api/connections/main/check", ADMIN_KEY) in azure_cli.app.seen
    assert ("POST /api/exports/vips/preview", ADMIN_KEY) in azure_cli.app.seen
    assert "  connection   main ok" in result.stdout
    assert "  preview      vips ok" in result.stdout


def test_connection_that_does_not_work_fails_the_deployment(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = DEPLOYED
    azure_cli.app.answers |= {
        "/api/connections": (200, '{"connections": [{"id": "main"}]}'),
        "/api/connections/main/check": (502, '{"title": "SendGrid refuses the key"}'),
    }
    result = azure_cli.deploy()
    assert result.returncode == 1
    assert "SendGrid refuses the key" in result.stderr


def test_unhealthy_app_fails_the_deployment(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = DEPLOYED
    azure_cli.app.answers = {}
    result = azure_cli.deploy()
    assert (result.returncode, result.stderr.splitlines()[-1]) == (
        1,
        "deploy: the app is not healthy (answer 404; 404 means that it did not load, which its log explains)",
    )


def test_refused_package_is_tried_again_and_then_fails(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = [["^functionapp deploy ", "", 1], *DEPLOYED]
    result = azure_cli.deploy()
    assert (result.returncode, result.stderr.splitlines()[-1]) == (1, "deploy: the package was refused")
    assert len([line for line in azure_cli.lines() if line.startswith("functionapp deploy ")]) == 2


def test_package_is_taken_as_it_is(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = DEPLOYED
    azure_cli.deploy()
    published = [line for line in azure_cli.lines() if line.startswith("functionapp deploy")]
    assert [line.split(" --src-path ")[1].split(" --timeout")[0] for line in published] == [
        f"{azure_cli.folder}/package.zip --type zip"
    ]


def test_package_that_azure_would_have_to_complete_is_refused(azure_cli: FakeAzureCli) -> None:
    package = azure_cli.folder / "old.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("shared/__init__.py", '__version__ = "0.0.1"')
    result = azure_cli.run("deploy.sh", "--package", str(package))
    assert (result.returncode, "has no requirements inside" in result.stderr) == (1, True)
    assert azure_cli.lines() == []


def test_package_is_built_where_none_is_given(azure_cli: FakeAzureCli, root: Path) -> None:
    """The requirements are left out here, for they take a network; test_package.py has them."""
    azure_cli.answers = DEPLOYED
    azure_cli.bring_the_app(root)
    (azure_cli.folder / "requirements.txt").write_text("")
    result = azure_cli.run("deploy.sh", "--yes", "--keep-no-package", "--without-export")
    assert result.returncode == 0, result.stderr
    with zipfile.ZipFile(azure_cli.folder / ".local/package.zip") as archive:
        assert {"function_app.py", "host.json", "requirements.txt"} <= set(archive.namelist())
    assert f"--src-path {azure_cli.folder}/.local/package.zip" in azure_cli.line("functionapp deploy ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "say where to create it: --location REGION"),
        (("--location", "x"), "put the SendGrid API key into SENDGRID_API_KEY"),
        (("--parameter", "sendGridApiKey=SG.x"), "put the key into SENDGRID_API_KEY"),
        (("--parameter", "network"), "--parameter takes KEY=VALUE"),
        (("--nonsense",), "unknown option --nonsense"),
        (("--location", "x", "--secret", "a", "--secret", "b"), "the vault has no secret b"),
    ],
)
def test_what_is_missing_is_said(azure_cli: FakeAzureCli, arguments: tuple[str, ...], message: str) -> None:
    environment = {"SENDGRID_API_KEY": KEY} if "--secret" in arguments else {}
    result = azure_cli.deploy(*arguments, **environment)
    assert result.returncode != 0
    assert message in result.stderr
    assert not [line for line in azure_cli.lines() if "deployment group create" in line]


def test_destroy_removes_the_group(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = [["resource list .*==", "/ours/func-x", 0], *DEPLOYED]
    result = azure_cli.run("destroy.sh", "--yes")
    assert result.returncode == 0, result.stderr
    assert "group delete --name rg-x --yes" in azure_cli.lines()


def test_destroy_leaves_a_group_with_anything_else_in_it(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = [["resource list .*!=", "/theirs/vm", 0], *DEPLOYED]
    result = azure_cli.run("destroy.sh", "--yes")
    assert result.returncode == 1
    assert "/theirs/vm" in result.stdout
    assert not [line for line in azure_cli.lines() if line.startswith("group delete")]


def test_destroy_leaves_what_is_locked(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = [["^lock list", "/locks/data", 0], *DEPLOYED]
    result = azure_cli.run("destroy.sh", "--yes")
    assert (result.returncode, "/locks/data" in result.stdout) == (1, True)
    assert not [line for line in azure_cli.lines() if line.startswith("group delete")]


def test_destroy_asks_first(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = [["resource list .*==", "/ours/func-x", 0], *DEPLOYED]
    result = azure_cli.run("destroy.sh")
    assert "say --yes" in result.stderr
    assert not [line for line in azure_cli.lines() if line.startswith("group delete")]


def test_destroy_of_nothing_is_fine(azure_cli: FakeAzureCli) -> None:
    result = azure_cli.run("destroy.sh", "--yes")
    assert (result.returncode, result.stdout) == (0, "there is no resource group rg-x: nothing to remove\n")
