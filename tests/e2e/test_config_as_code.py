"""Files are applied to the app on the local host by the command itself, as in a pipeline."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.azure.processes import PROJECT_ROOT
from tests.support.running_app import Json, RunningApp


class Pipeline:
    """Runs the command in a process of its own, with the key in its environment."""

    def __init__(self, running: RunningApp, folder: Path) -> None:
        self.folder = folder
        self._running = running
        self.connection, self.export = running.name("connection"), running.name("export")
        self._write("connections", self.connection, {"display_name": "Files", "secret_name": running.secret()})
        self.definition: Json = {
            "name": "From a file",
            "connection": self.connection,
            "list_id": running.cloud.simulator.create_list(self.export),
            "segments": ["Nobody"],
            "mapping": {"email": "EMail"},
            "schedule": {"kind": "off"},
        }
        self.write_export()

    def write_export(self) -> None:
        self._write("exports", self.export, self.definition)

    def _write(self, folder: str, name: str, definition: Json) -> None:
        path = self.folder / folder / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(definition))  # JSON is YAML

    def run(self, what: str, folder: Path | None = None) -> tuple[int, Json]:
        host = self._running.host
        key = {"SENDGRID_EXPORTS_KEY": host.function_key, "SENDGRID_EXPORTS_URL": host.url}
        done = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-m", "tools.exports", what, str(folder or self.folder), "--json"],
            cwd=PROJECT_ROOT,
            env={**os.environ, **key, "NO_PROXY": "*"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert host.function_key not in done.stdout + done.stderr
        return done.returncode, json.loads(done.stdout)

    def actions(self) -> dict[str, str]:
        steps = self.run("plan")[1]["steps"]
        return {step["id"]: step["action"] for step in steps if step["id"] in {self.connection, self.export}}


@pytest.fixture
def pipeline(running: RunningApp, tmp_path: Path) -> Pipeline:
    return Pipeline(running, tmp_path)


def test_files_are_planned_applied_changed_and_exported(
    running: RunningApp, pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert pipeline.run("plan")[0] == 2
    assert pipeline.run("apply")[0] == 0
    assert pipeline.run("plan")[0] == 0
    assert running.get(f"/api/exports/{pipeline.export}")["name"] == "From a file"
    pipeline.definition["leavers"] = "remove"
    pipeline.write_export()
    assert pipeline.actions() == {pipeline.connection: "none", pipeline.export: "change"}
    assert pipeline.run("apply")[1]["applied"] == [f"export/{pipeline.export}"]
    elsewhere = tmp_path_factory.mktemp("exported")
    assert pipeline.run("export", elsewhere)[0] == 0
    status, plan = pipeline.run("plan", elsewhere)
    assert (status, {step["action"] for step in plan["steps"]}) == (0, {"none"})


def test_what_the_app_refuses_is_told_by_file_and_line(pipeline: Pipeline) -> None:
    pipeline.definition["connection"] = "nowhere"
    pipeline.write_export()
    status, told = pipeline.run("apply")
    assert (status, told["applied"]) == (1, [f"connection/{pipeline.connection}"])
    (fault,) = told["error"]["faults"]
    assert (Path(fault["file"]).stem, fault["line"], fault["field"]) == (pipeline.export, 1, "connection")
