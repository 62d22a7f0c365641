"""The last five packages are kept and can be put back: infra/kept_packages.py and deploy.sh."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from infra.kept_packages import Kept, KeptError, choose, identify, read_list, surplus
from tests.infra.fake_azure_cli import DEPLOYED, KEY, ME, THERE, WITH_ENTRA, FakeAzureCli

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

NO_RIGHT = ["^storage blob list", "", 1]


def _kept(number: int, sha: str, *, published: bool = True) -> Kept:
    return Kept(f"2026112{number}T000000Z-1.0.0-{sha}.zip", sha, f"2026-11-2{number}" if published else "")


# --- which is meant -----------------------------------------------------------------------------------------


def test_the_five_newest_that_were_published_stay() -> None:
    packages = [_kept(number, f"sha{number}") for number in range(7, 0, -1)]
    assert surplus(packages, []) == [each.name for each in packages[5:]]


def test_what_was_never_published_takes_no_place() -> None:
    packages = [_kept(9, "x", published=False), *(_kept(number, f"sha{number}") for number in range(5, 0, -1))]
    assert surplus(packages, []) == [packages[0].name]


def test_the_same_bytes_are_kept_once_as_the_newest() -> None:
    packages = [_kept(3, "a"), _kept(2, "b"), _kept(1, "a")]
    assert surplus(packages, []) == [packages[2].name]


def test_definitions_of_the_five_newest_deployments_stay() -> None:
    names = [f"definitions/2026112{number}T000000Z.tar.gz" for number in range(7, 0, -1)]
    assert surplus([_kept(7, "a")], names) == names[5:]


def test_without_a_name_the_one_before_the_newest_that_was_published_is_meant() -> None:
    packages = [_kept(4, "d", published=False), _kept(3, "c"), _kept(2, "b", published=False), _kept(1, "a")]
    assert choose(packages, "") == packages[3]


@pytest.mark.parametrize("name", ["20261122T000000Z-1.0.0-bb.zip", "20261122T000000Z", "bb"])
def test_a_package_is_meant_by_name_time_or_hash(name: str) -> None:
    packages = [_kept(3, "cc"), _kept(2, "bb"), _kept(1, "aa")]
    assert choose(packages, name) == packages[1]


@pytest.mark.parametrize(
    ("packages", "name"),
    [([], ""), ([_kept(1, "a")], ""), ([_kept(1, "a")], "b"), ([_kept(1, "a"), _kept(2, "a")], "a")],
)
def test_a_package_that_is_not_clear_is_refused(packages: list[Kept], name: str) -> None:
    with pytest.raises(KeptError, match="--packages lists those that are kept"):
        choose(packages, name)


def test_other_blobs_are_nobodys_business() -> None:
    blobs: list[dict[str, Any]] = [{"name": "notes.txt", "metadata": None}, {"name": "a/b.zip"}]
    assert read_list(json.dumps(blobs)) == ([], [])


def test_a_package_is_known_by_its_version_and_hash(azure_cli: FakeAzureCli) -> None:
    package = azure_cli.package("x")
    assert identify(package) == ("1.2.3", hashlib.sha256(package.read_bytes()).hexdigest())


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("x")
    for file in (tmp_path / "x.zip", tmp_path / "none.zip"):
        with pytest.raises(KeptError, match="is no package of this app"):
            identify(file)


# --- deploy.sh ----------------------------------------------------------------------------------------------


def _deploy(azure_cli: FakeAzureCli, content: str) -> str:
    """Deploy this; the name of the package that was kept."""
    before = set(azure_cli.kept())
    result = azure_cli.deploy("--location", "x", content=content, SENDGRID_API_KEY=KEY)
    assert result.returncode == 0, result.stderr
    azure_cli.answers = THERE
    (name,) = set(azure_cli.kept()) - before
    return name


def _roll_back(azure_cli: FakeAzureCli, *arguments: str) -> subprocess.CompletedProcess[str]:
    return azure_cli.run("deploy.sh", "--rollback", *arguments, "--yes", "--without-export")


def _published(azure_cli: FakeAzureCli) -> bytes:
    """What was published last."""
    line = [line for line in azure_cli.lines() if line.startswith("functionapp deploy ")][-1]
    found = re.search(r" --src-path (\S+) ", line)
    assert found
    return (azure_cli.folder / found[1]).read_bytes()


def test_each_deployment_keeps_its_package_and_five_stay(
    azure_cli: FakeAzureCli,
) -> None:
    names = []
    for number in range(7):
        _clock(azure_cli, number)
        names.append(_deploy(azure_cli, f"content {number}"))
    assert azure_cli.kept() == names[2:]
    listed = azure_cli.run("deploy.sh", "--packages")
    assert listed.returncode == 0, listed.stderr
    lines = listed.stdout.splitlines()
    assert [line.split()[0] for line in lines] == names[:1:-1]
    assert all(re.fullmatch(r"\S+  20\S+Z  SHA-256 [0-9a-f]{64}", line) for line in lines)


def _clock(azure_cli: FakeAzureCli, number: int) -> None:
    """Let each deployment have a second of its own, which real ones have."""
    date = azure_cli.folder / "date"
    date.write_text(f"#!/bin/sh\nexec /bin/date -u -d '2026-11-28 00:00:{number:02}' \"$2\"\n")
    date.chmod(0o755)


def test_the_package_before_is_put_back_and_nothing_else_changes(azure_cli: FakeAzureCli) -> None:
    _clock(azure_cli, 0)
    old = _deploy(azure_cli, "old")
    before = _published(azure_cli)
    _clock(azure_cli, 1)
    _deploy(azure_cli, "new")
    assert _published(azure_cli) != before
    deployments = len([line for line in azure_cli.lines() if line.startswith("deployment group create")])
    _clock(azure_cli, 2)
    result = _roll_back(azure_cli)
    assert result.returncode == 0, result.stderr
    assert f"rollback       to {old} (SHA-256 {hashlib.sha256(before).hexdigest()})" in result.stdout
    assert _published(azure_cli) == before
    assert len([line for line in azure_cli.lines() if line.startswith("deployment group create")]) == deployments
    assert "  health       ok" in result.stdout


def test_a_named_package_is_put_back(azure_cli: FakeAzureCli) -> None:
    names, contents = [], []
    for number in range(3):
        _clock(azure_cli, number)
        names.append(_deploy(azure_cli, f"content {number}"))
        contents.append(_published(azure_cli))
    _clock(azure_cli, 3)
    assert _roll_back(azure_cli, names[0]).returncode == 0
    assert _published(azure_cli) == contents[0]
    assert len(azure_cli.kept()) == 3  # the same bytes are kept once


def test_a_package_that_was_changed_is_not_put_back(azure_cli: FakeAzureCli) -> None:
    _clock(azure_cli, 0)
    old = _deploy(azure_cli, "old")
    _clock(azure_cli, 1)
    _deploy(azure_cli, "new")
    blob = azure_cli.folder / "state/blobs" / old
    blob.write_bytes(azure_cli.package("changed").read_bytes())
    published = len([line for line in azure_cli.lines() if line.startswith("functionapp deploy ")])
    result = _roll_back(azure_cli)
    assert (result.returncode, f"{old} is not what was kept" in result.stderr) == (1, True)
    assert len([line for line in azure_cli.lines() if line.startswith("functionapp deploy ")]) == published


def test_a_rollback_asks_first(azure_cli: FakeAzureCli) -> None:
    _clock(azure_cli, 0)
    _deploy(azure_cli, "old")
    _clock(azure_cli, 1)
    _deploy(azure_cli, "new")
    result = azure_cli.run("deploy.sh", "--rollback")
    assert (result.returncode, "say --yes" in result.stderr) == (1, True)


def test_a_package_that_was_refused_is_not_the_one_to_go_back_to(azure_cli: FakeAzureCli) -> None:
    _clock(azure_cli, 0)
    _deploy(azure_cli, "old")
    old = _published(azure_cli)
    _clock(azure_cli, 1)
    _deploy(azure_cli, "good")
    _clock(azure_cli, 2)
    azure_cli.answers = [["^functionapp deploy ", "", 1], *THERE]
    assert azure_cli.deploy(content="refused").returncode == 1
    assert "never published" in azure_cli.run("deploy.sh", "--packages").stdout
    azure_cli.answers = THERE
    _clock(azure_cli, 3)
    assert _roll_back(azure_cli).returncode == 0
    assert _published(azure_cli) == old


@pytest.mark.parametrize(
    "arguments", [["--parameter", "network=public"], ["--entra"], ["--skip-app"], ["--secret", "a"]]
)
def test_a_rollback_changes_nothing_else(azure_cli: FakeAzureCli, arguments: list[str]) -> None:
    result = _roll_back(azure_cli, *arguments)
    assert (result.returncode, "--rollback puts a package back and changes nothing else" in result.stderr) == (
        1,
        True,
    )
    assert azure_cli.lines() == []


def test_storage_is_reached_as_whoever_is_signed_in(azure_cli: FakeAzureCli) -> None:
    _deploy(azure_cli, "x")
    lines = [line for line in azure_cli.lines() if line.startswith("storage blob")]
    assert [line for line in lines if "--auth-mode login" not in line or "key" in line.split()] == []
    assert len(lines) > 3


@pytest.mark.parametrize(("kind", "principal"), [("user", "User"), ("servicePrincipal", "ServicePrincipal")])
def test_whoever_deploys_gets_the_right_on_the_one_container(
    azure_cli: FakeAzureCli, kind: str, principal: str
) -> None:
    azure_cli.answers = [["^account show --query user.type", kind, 0], NO_RIGHT, *DEPLOYED]
    assert azure_cli.deploy().returncode == 1  # here it is never known
    line = azure_cli.line("role assignment create")
    assert f"--assignee-object-id {ME} --assignee-principal-type {principal} " in line
    assert line.endswith("/storageAccounts/sthost/blobServices/default/containers/packages")


def test_a_package_that_cannot_be_kept_is_not_published(azure_cli: FakeAzureCli) -> None:
    azure_cli.answers = [["^role assignment create", "", 1], NO_RIGHT, *DEPLOYED]
    result = azure_cli.deploy()
    assert (result.returncode, "say --keep-no-package" in result.stderr) == (1, True)
    assert not [line for line in azure_cli.lines() if line.startswith("functionapp deploy ")]
    assert azure_cli.deploy("--keep-no-package").returncode == 0
    assert azure_cli.kept() == []


def test_a_rollback_with_entra_needs_no_key(azure_cli: FakeAzureCli) -> None:
    _clock(azure_cli, 0)
    _deploy(azure_cli, "old")
    _clock(azure_cli, 1)
    _deploy(azure_cli, "new")
    azure_cli.answers = WITH_ENTRA
    seen = len(azure_cli.lines())
    assert _roll_back(azure_cli).returncode == 0
    assert [line for line in azure_cli.lines()[seen:] if "keys" in line or "functionKeys" in line] == []
