"""deploy.sh exports the definitions before an upgrade, and stops where it cannot."""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.infra.fake_azure_cli import ADMIN_KEY, DEPLOYED, FRESH, KEY, THERE, WITH_ENTRA, FakeAzureCli

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

CONNECTION = {
    "id": "main",
    "display_name": "SendGrid",
    "secret_name": "sendgrid-api-key",
    "consent": {"text": "I agree.", "version": "1"},
}
FILES = {"connections/main.yaml"}
CHANGING = ("create", "register", "update", "upload", "deploy", "delete")


@pytest.fixture
def upgraded(azure_cli: FakeAzureCli) -> FakeAzureCli:
    """An app with a connection, which is deployed anew."""
    azure_cli.answers = DEPLOYED
    azure_cli.app.answers |= {
        "/api/connections": (200, json.dumps({"connections": [{"id": "main"}]})),
        "/api/connections/main": (200, json.dumps(CONNECTION)),
        "/api/connections/main/check": (200, "{}"),
    }
    return azure_cli


def _upgrade(azure_cli: FakeAzureCli, *arguments: str) -> subprocess.CompletedProcess[str]:
    package = str(azure_cli.package(""))
    return azure_cli.run("deploy.sh", "--package", package, "--yes", *arguments)


def _exported(azure_cli: FakeAzureCli) -> list[Path]:
    """Folders with definitions, the oldest first."""
    return sorted((azure_cli.folder / ".local/definitions/rg-x").glob("*Z"))


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*.yaml")}


def _changes(azure_cli: FakeAzureCli) -> list[str]:
    return [line for line in azure_cli.lines() if any(word in line.split() for word in CHANGING)]


def test_definitions_are_exported_before_anything_is_changed(upgraded: FakeAzureCli) -> None:
    upgraded.app.answers["/api/health"] = (503, "")  # so that all ends right after
    result = _upgrade(upgraded)
    (folder,) = _exported(upgraded)
    assert _files(folder) == FILES
    assert "secret_name: sendgrid-api-key" in (folder / "connections/main.yaml").read_text()
    assert f"definitions    1 files in {folder}\n" in result.stdout
    assert result.stdout.index("definitions ") < result.stdout.index("deploying ")
    read = [line for line, key in upgraded.app.seen if key == ADMIN_KEY]
    assert read[:2] == ["GET /api/connections", "GET /api/connections/main"]


def test_definitions_lie_beside_the_package(upgraded: FakeAzureCli, tmp_path: Path) -> None:
    assert _upgrade(upgraded).returncode == 0
    (blob,) = (upgraded.folder / "state/blobs/definitions").glob("*.tar.gz")
    with tarfile.open(blob) as archive:
        archive.extractall(tmp_path / "out", filter="data")
    assert _files(tmp_path / "out") == FILES


def test_a_rollback_exports_them_too(upgraded: FakeAzureCli) -> None:
    upgraded.answers = THERE
    upgraded.answers = [["^deployment group list", "sendgrid-segment-export", 0], *DEPLOYED]
    for content in ("old", "new"):
        upgraded.deploy(content=content)
    result = upgraded.run("deploy.sh", "--rollback", upgraded.kept()[0], "--yes")
    assert result.returncode == 0, result.stderr
    assert [_files(folder) for folder in _exported(upgraded)] == [FILES]


@pytest.mark.parametrize("answer", [(500, ""), (403, '{"code": "forbidden"}'), (200, "<html>")])
def test_what_cannot_be_exported_stops_the_upgrade(upgraded: FakeAzureCli, answer: tuple[int, str]) -> None:
    upgraded.app.answers["/api/connections/main"] = answer
    result = _upgrade(upgraded)
    assert (result.returncode, result.stderr.splitlines()[-1].startswith("deploy: the definitions were not")) == (
        1,
        True,
    )
    assert _changes(upgraded) == []
    told_otherwise = _upgrade(upgraded, "--without-export")
    assert told_otherwise.returncode == 0, told_otherwise.stderr
    assert "definitions    not exported, as told" in told_otherwise.stdout


@pytest.mark.parametrize("key", ["", "no key of ours"])
def test_without_a_key_there_is_no_export(upgraded: FakeAzureCli, key: str) -> None:
    upgraded.answers = [["^functionapp keys list", key, 0], *DEPLOYED]
    assert _upgrade(upgraded).returncode == 1
    assert _changes(upgraded) == []


def test_without_what_the_export_needs_the_upgrade_stops(upgraded: FakeAzureCli) -> None:
    (upgraded.folder / "tools").unlink()
    result = _upgrade(upgraded)
    assert (result.returncode, "make install; or say --without-export" in result.stderr) == (1, True)
    assert _changes(upgraded) == []


def test_with_entra_a_token_reads_the_definitions(upgraded: FakeAzureCli) -> None:
    upgraded.answers = WITH_ENTRA
    result = _upgrade(upgraded)
    assert result.returncode == 0, result.stderr
    assert "api://11111111-1111-1111-1111-111111111111/.default" in upgraded.line(
        "account get-access-token --scope"
    )
    assert [_files(folder) for folder in _exported(upgraded)] == [FILES]
    assert {key for _, key in upgraded.app.seen} == {None}


def test_without_a_token_the_upgrade_stops(upgraded: FakeAzureCli) -> None:
    upgraded.answers = [["^account get-access-token --scope", "", 1], *WITH_ENTRA]
    assert _upgrade(upgraded).returncode == 1
    assert _changes(upgraded) == []


def test_keys_are_in_no_command_line_and_no_output(upgraded: FakeAzureCli) -> None:
    result = _upgrade(upgraded)
    assert ADMIN_KEY not in "".join(upgraded.lines()) + result.stdout + result.stderr
    folder = _exported(upgraded)[0]
    assert [path for path in folder.rglob("*") if path.is_file() and ADMIN_KEY in path.read_text()] == []


def test_a_first_deployment_has_nothing_to_export(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = FRESH
    package = str(azure_cli.package(""))
    result = azure_cli.run("deploy.sh", "--package", package, "--location", "x", SENDGRID_API_KEY=KEY)
    assert result.returncode == 0, result.stderr
    assert _exported(azure_cli) == []
