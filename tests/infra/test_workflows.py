"""The GitHub Actions workflows hold together."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra.fake_azure_cli import RECORD, FakeAzureCli, recorded
from tools import audit

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def _jobs(path: Path) -> dict[str, dict[str, Any]]:
    jobs: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text())["jobs"]
    return jobs


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_is_correct_and_safe(path: Path) -> None:
    environment = {"PATH": f"{BIN}:{os.environ['PATH']}"}
    command = [str(BIN / "jactionlint"), "--no-online", "--oneline", str(path)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    assert (result.returncode, result.stdout) == (0, ""), result.stdout + result.stderr


def test_linter_sees_a_mistake(tmp_path: Path) -> None:
    broken = tmp_path / "ci.yml"
    broken.write_text(WORKFLOWS[0].read_text().replace("id-token: write", "id-tokens: write", 1))
    command = [str(BIN / "jactionlint"), "--no-online", "--oneline", str(broken)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    assert "id-tokens" in result.stdout


def test_only_protected_jobs_get_a_token_for_azure() -> None:
    """The job that attests gets one too, for Sigstore: it has no environment, so Azure does not take it."""
    for path in WORKFLOWS:
        for name, job in _jobs(path).items():
            token = job.get("permissions", {}).get("id-token") == "write"
            assert token == (job.get("environment") in {"preview", "production"} or name == "attest"), name


def test_every_action_is_pinned_by_its_commit() -> None:
    uses = [
        line.split("uses: ")[1] for path in WORKFLOWS for line in path.read_text().splitlines() if "uses: " in line
    ]
    assert len(uses) > 10
    assert [each for each in uses if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[\d.]+", each)] == []


def test_what_was_tested_is_attested_and_deployed() -> None:
    """The package is built by one job only, and travels to the others as it is."""
    jobs = _jobs(ROOT / ".github/workflows/ci.yml")
    steps = {
        name: [step["uses"].split("@")[0] for step in job["steps"] if "uses" in step] for name, job in jobs.items()
    }
    assert "actions/upload-artifact" in steps["test"]
    assert steps["attest"] == ["actions/download-artifact", *["actions/attest"] * 2]
    assert "actions/download-artifact" in steps["deploy"]
    *before, command = [step["run"] for step in jobs["deploy"]["steps"] if "run" in step]
    assert [each for each in before if "package.py" in each or "make " in each] == []
    given = {step["with"]["path"] for step in jobs["deploy"]["steps"] if "download" in step.get("uses", "")}
    assert [f"--package {path}/package.zip" in command for path in given] == [True]


def test_every_check_of_the_audit_is_a_job() -> None:
    job = _jobs(ROOT / ".github/workflows/ci.yml")["audit"]
    assert set(job["strategy"]["matrix"]["check"]) == audit.CHECKS.keys()


def test_no_workflow_uses_a_stored_secret() -> None:
    assert [path.name for path in WORKFLOWS if "secrets." in path.read_text()] == []


def test_nothing_is_deployed_before_the_tests_pass_with_the_compiler() -> None:
    jobs = _jobs(ROOT / ".github/workflows/ci.yml")
    assert {"test", "audit", "attest"} == set(jobs["deploy"]["needs"])
    commands = [step["run"] for step in jobs["test"]["steps"] if "run" in step]
    assert commands.index("az bicep install") < commands.index("make lint types test")


def test_scripts_that_workflows_call_exist() -> None:
    steps = [step for path in WORKFLOWS for job in _jobs(path).values() for step in job["steps"]]
    scripts = {step["run"].split()[0] for step in steps if step.get("run", "").startswith("infra/")}
    assert {name for name in scripts if not os.access(ROOT / name, os.X_OK)} == set()


def test_the_workflow_deploys_as_somebody_at_a_desk_does_but_for_the_question(azure_cli: FakeAzureCli) -> None:
    """Its very line, as an identity: parameters and recipients stay, and definitions are exported."""
    step = _jobs(ROOT / ".github/workflows/ci.yml")["deploy"]["steps"][-1]
    assert step["env"] == {"GROUP": "${{ vars.AZURE_RESOURCE_GROUP }}"}
    words = step["run"].split()
    assert words[:3] == ["infra/deploy.sh", "--resource-group", '"$GROUP"']
    azure_cli.answers = [
        ["^account show --query user.type --output", "servicePrincipal", 0],
        ["^account show --query user", "", 0],
        *recorded(network="private", softDeleteDays=30),
    ]
    (azure_cli.folder / "built").mkdir()
    azure_cli.package("").rename(azure_cli.folder / "built/package.zip")
    result = azure_cli.run("deploy.sh", *words[3:])
    assert result.returncode == 0, result.stderr
    kept = azure_cli.parameters()["keptParameters"]
    assert {name: kept[name] for name in RECORD} == RECORD | {"network": "private"}
    assert kept["softDeleteDays"] == 30
    assert "definitions    0 files in " in result.stdout
    assert f"done           {azure_cli.url}" in result.stdout


def test_the_workflow_installs_what_the_export_needs() -> None:
    step = next(
        step
        for step in _jobs(ROOT / ".github/workflows/ci.yml")["deploy"]["steps"]
        if "pip" in step.get("run", "")
    )
    assert "--require-hashes -r tools/requirements-exports.txt" in step["run"]
    pinned = set(re.findall(r"^[\w.-]+==\S+", (ROOT / "tools/requirements-exports.txt").read_text(), re.MULTILINE))
    app = set(re.findall(r"^[\w.-]+==\S+", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    assert {each.partition("==")[0] for each in pinned - app} == {"pyyaml"}
    assert app <= pinned
