"""README's "Run it with Azure Functions Core Tools": its very lines, up to the one that starts the app."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from function_app import app
from local.prepare_storage import NotPreparedError, prepare
from shared.errors import SettingsError
from shared.model.messages import every_queue

ROOT = Path(__file__).parents[3]
EMULATOR = "UseDevelopmentStorage=true"
USUAL_PORTS = (10000, 10001, 10002)
NEEDED = ("local", "shared", "node_modules", "local.settings.sample.json")
CONTAINERS = {"sendgrid-exports", "sendgrid-audit", "customerinsights"}


def _lines() -> list[str]:
    """The section's lines between the one that installs and the one that starts the app."""
    section = (ROOT / "README.md").read_text().split("\n## Run it with Azure Functions Core Tools\n")[1]
    block = section.split("```sh\n")[1].split("```")[0].splitlines()
    assert (block[0], block[-1]) == ("make install", ". .venv/bin/activate && func start")
    return block[1:-1]


def _taken(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Path]:
    """A folder like that of the repository; what was started in it ends with the test."""
    if any(_taken(port) for port in USUAL_PORTS):
        pytest.skip("README's lines WERE NOT TRIED: something listens on Azurite's usual ports")
    for name in NEEDED:
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tmp_path / ".venv/bin/python").chmod(0o755)
    groups = tmp_path / "groups"
    groups.touch()
    yield tmp_path
    for group in groups.read_text().split():
        with contextlib.suppress(ProcessLookupError):  # nothing was left of it
            os.killpg(int(group), signal.SIGKILL)


def _run(folder: Path, lines: list[str]) -> subprocess.CompletedProcess[str]:
    script = "\n".join(["set -e", "echo $$ >>groups", *lines])
    with (folder / "out").open("w") as out:  # no pipe, which Azurite in the background would hold open
        done = subprocess.run(  # noqa: S603 - our own lines
            ["/bin/bash", "-c", script], cwd=folder, stdout=out, stderr=out, check=False, start_new_session=True
        )
    return subprocess.CompletedProcess(done.args, done.returncode, (folder / "out").read_text(), "")


def test_lines_of_the_readme_make_all_that_the_app_needs(desk: Path) -> None:
    result = _run(desk, _lines())
    assert result.returncode == 0, result.stdout
    with (
        QueueServiceClient.from_connection_string(EMULATOR) as queues,
        BlobServiceClient.from_connection_string(EMULATOR) as blobs,
    ):
        assert {each.name for each in queues.list_queues()} == set(every_queue())
        assert {each.name for each in blobs.list_containers()} == CONTAINERS
        queues.get_queue_client("runs").send_message("kept")
        again = _run(desk, [line for line in _lines() if "prepare_storage" in line])
        assert again.returncode == 0, again.stdout
        assert [each.content for each in queues.get_queue_client("runs").peek_messages()] == ["kept"]


def test_functions_read_no_queue_that_is_not_made() -> None:
    app.functions_bindings = {}  # the library reads an app once and then takes every name for a double
    bindings = [each.get_dict_repr() for function in app.get_functions() for each in function.get_bindings()]
    assert {each["queueName"] for each in bindings if each["type"] == "queueTrigger"} == set(every_queue())


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        (None, NotPreparedError, "There is no"),
        ("[", NotPreparedError, "is no JSON object with Values"),
        ({"DataStorage": "", "DataStorage__blobServiceUri": ""}, SettingsError, "DataStorage__blobServiceUri"),
        (
            {
                "DataStorage": "",
                "DataStorage__blobServiceUri": "https://st.blob.core.windows.net",
                "DataStorage__queueServiceUri": "https://st.queue.core.windows.net",
            },
            NotPreparedError,
            "must be connection strings",
        ),
        ({"DataStorage": "AccountName=x"}, NotPreparedError, "Storage refuses"),
    ],
)
def test_what_is_wrong_with_the_settings_is_said(
    values: object, error: type[Exception], words: str, tmp_path: Path
) -> None:
    file = tmp_path / "local.settings.json"
    sample = json.loads((ROOT / "local.settings.sample.json").read_text())
    if isinstance(values, dict):
        file.write_text(json.dumps(sample | {"Values": sample["Values"] | values}))
    elif isinstance(values, str):
        file.write_text(values)
    with pytest.raises(error, match=words):
        prepare(file)


def test_storage_that_does_not_answer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.prepare_storage.PATIENCE_SECONDS", 0.0)
    file = tmp_path / "local.settings.json"
    sample = json.loads((ROOT / "local.settings.sample.json").read_text())
    with contextlib.closing(socket.socket()) as unheard:
        unheard.bind(("127.0.0.1", 0))
        place = f"http://127.0.0.1:{unheard.getsockname()[1]}/st"
        storage = f"AccountName=st;AccountKey=AAAA;BlobEndpoint={place};QueueEndpoint={place}"
        file.write_text(json.dumps(sample | {"Values": sample["Values"] | {"DataStorage": storage}}))
        with pytest.raises(NotPreparedError, match="start Azurite first"):
            prepare(file)
