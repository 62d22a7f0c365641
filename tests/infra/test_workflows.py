"""The GitHub Actions workflows and azure.yaml hold together."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

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
    for path in WORKFLOWS:
        for name, job in _jobs(path).items():
            token = job.get("permissions", {}).get("id-token")
            assert (token == "write") == (job.get("environment") in {"preview", "production"}), name


def test_no_workflow_uses_a_stored_secret() -> None:
    assert [path.name for path in WORKFLOWS if "secrets." in path.read_text()] == []


def test_nothing_is_deployed_before_the_tests_pass_with_the_compiler() -> None:
    jobs = _jobs(ROOT / ".github/workflows/ci.yml")
    assert jobs["deploy"]["needs"] == "test"
    commands = [step["run"] for step in jobs["test"]["steps"] if "run" in step]
    assert commands.index("az bicep install") < commands.index("make lint types test")


def test_scripts_that_workflows_call_exist() -> None:
    steps = [step for path in WORKFLOWS for job in _jobs(path).values() for step in job["steps"]]
    scripts = {step["run"].split()[0] for step in steps if step.get("run", "").startswith("infra/")}
    assert {name for name in scripts if not os.access(ROOT / name, os.X_OK)} == set()


def test_azd_finds_the_template_and_the_app() -> None:
    azure = yaml.safe_load((ROOT / "azure.yaml").read_text())
    assert (ROOT / azure["infra"]["path"] / f"{azure['infra']['module']}.bicep").is_file()
    assert (
        f"'azd-service-name': '{next(iter(azure['services']))}'" in (ROOT / "infra/modules/app.bicep").read_text()
    )
