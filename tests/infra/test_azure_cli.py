"""The real az accepts every `az` command line in scripts and docs. Opt-in, since az is large: `make az`.

Without a login az checks the command line and then says so (exit 1); what it cannot parse it refuses (exit 2).
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.infra.fake_azure import Azure, serving
from tests.infra.fake_azure_cli import DEPLOYED, FRESH, KEY, WITH_ENTRA
from tools.bicep import NOT_FOUND, find_compiler

if TYPE_CHECKING:
    from tests.infra.fake_azure_cli import FakeAzureCli

AZ = os.environ.get("AZ", "")
ROOT = Path(__file__).parents[2]
NEEDS_NETWORK = ("bicep", "login", "upgrade", "extension")
"""Commands that would fetch something before anything else."""

pytestmark = pytest.mark.skipif(not AZ, reason="NO COMMAND LINE WAS CHECKED, for az takes 700 MB: run make az")


def _documented() -> list[str]:
    """The command lines in the shell blocks of the docs, those inside others on their own."""
    text = "\n".join(path.read_text() for path in (*ROOT.glob("docs/*.md"), *ROOT.glob("*.md")))
    lines = "\n".join(re.findall(r"```(?:sh|bash)\n(.*?)```", text, re.DOTALL)).replace("\\\n", " ")
    inner = re.findall(r"\$\((az [^()]*)\)", lines)
    outer = re.sub(r"\$\([^()]*\)", "WORD", lines).splitlines()
    commands = {*inner, *(found for line in outer for found in re.findall(r"^(?:.* \| )?(az .*)", line))}
    return sorted(line.partition(" >")[0] for line in commands if line.split()[1] not in NEEDS_NETWORK)


def _refusal(words: list[str], folder: Path) -> str:
    """What az has against a command line; empty when it accepts it."""
    (folder / "HighValue.csv").write_text("x")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "AZURE_CONFIG_DIR": str(folder / "azure")}
    environment |= {"AZURE_CORE_COLLECT_TELEMETRY": "no", "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no"}
    done = subprocess.run(  # noqa: S603 - our own words
        [AZ, *words],
        env=environment,
        cwd=folder,
        input="x",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stderr if done.returncode == 2 else ""


@pytest.mark.parametrize("command", _documented())
def test_documented_command_is_accepted(command: str, tmp_path: Path) -> None:
    assert _refusal(shlex.split(command)[1:], tmp_path) == ""


def test_commands_of_the_scripts_are_accepted(azure_cli: FakeAzureCli, tmp_path: Path) -> None:
    azure_cli.deploy("--location", "northeurope", "--entra", SENDGRID_API_KEY=KEY)
    ours = ["resource list .*==", "/ours/func-x", 0]
    for answers in (DEPLOYED, [ours, *DEPLOYED], [ours, *WITH_ENTRA], FRESH):
        azure_cli.answers = answers
        azure_cli.deploy("--what-if", "--location", "northeurope")
        azure_cli.deploy(SENDGRID_API_KEY=KEY)
        azure_cli.run("destroy.sh", "--yes", "--entra")
    azure_cli.answers = [["^functionapp keys list", "", 0], *DEPLOYED]
    azure_cli.deploy(SENDGRID_API_KEY=KEY)
    calls = [call["words"] for call in azure_cli.calls()]
    shapes = {" ".join(word.split("=")[0] for word in words if "/" not in word): words for words in calls}
    for start in ("functionapp deploy --", "ad app owner list", "ad app delete", "tag update", "lock list"):
        assert any(shape.startswith(start) for shape in shapes), start
    refusals = {" ".join(words): _refusal(words, tmp_path) for words in shapes.values()}
    assert {line: why for line, why in refusals.items() if why} == {}
    assert len(shapes) > 20


def _shim(path: Path, command: str) -> None:
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(0o755)


def test_first_deployment_goes_through_with_the_real_az(azure_cli: FakeAzureCli, tmp_path: Path) -> None:
    """From nothing to the smoke test; takes a good minute, most of which az sleeps."""
    azure_cli.bring_the_app(ROOT)
    (azure_cli.folder / "requirements.txt").write_text("")
    _shim(azure_cli.folder / "az", AZ)
    compiler = find_compiler()
    if compiler is None:
        pytest.skip(NOT_FOUND)
    _shim(azure_cli.folder / "bicep", f"env DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 {compiler}")
    outputs = {"functionAppName": "func-x", "functionAppUrl": azure_cli.url, "keyVaultName": "kv-x"}
    azure = Azure({**outputs, "dataStorageAccount": "stdata"})
    with serving(azure, tmp_path) as environment:
        environment |= {"HOME": str(tmp_path), "AZURE_CONFIG_DIR": str(tmp_path / "azure")}
        environment |= {"AZURE_CORE_COLLECT_TELEMETRY": "no", "AZURE_BICEP_USE_BINARY_FROM_PATH": "true"}
        environment |= {"PATH": f"{azure_cli.folder}:{os.environ['PATH']}"}
        login = subprocess.run(  # noqa: S603 - our own words
            [azure_cli.folder / "az", "login", "--identity"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert login.returncode == 0, login.stderr
        result = azure_cli.run("deploy.sh", "--location", "northeurope", SENDGRID_API_KEY=KEY, **environment)
    assert result.returncode == 0, result.stderr + "\n".join(azure.seen)
    assert result.stdout.splitlines()[-1] == f"done           {azure_cli.url}"
    assert azure.unknown == []
    given = {name: each["value"] for name, each in azure.deployed["parameters"].items()}
    assert (given["sendGridApiKey"], given["secretNames"]) == (KEY, ["sendgrid-api-key"])
    assert azure.package_query.get("RemoteBuild", ["false"]) == ["false"]
    assert b"function_app.py" in azure.package
    assert re.fullmatch(r"admin\.[0-9a-f]{64}", azure.keys["admin"])
    assert not any(key in result.stdout + result.stderr for key in (KEY, azure.keys["admin"]))


def test_az_refuses_what_is_wrong(tmp_path: Path) -> None:
    assert _refusal(["group", "create", "--nam-e", "x"], tmp_path) != ""
