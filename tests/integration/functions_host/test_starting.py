import json
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.functions_host.support import (
    APPS,
    Azurite,
    RunningHost,
    host_command,
    host_environment,
    running_host,
)

HOST_JSON: dict[str, Any] = json.loads((APPS / "startup/host.json").read_text())

type FailToStart = Callable[..., str]
type Start = Callable[..., RunningHost]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Return a copy of the sample app that a test may spoil."""
    return Path(shutil.copytree(APPS / "startup", tmp_path / "app"))


@pytest.fixture
def fail_to_start(app: Path, azurite: Azurite) -> FailToStart:
    """Return a function that starts the app with other settings, sees it fail, and returns what it wrote."""
    good = {"SCHEDULE": "0 0 * * * *", "QUEUE": "work", "Work": azurite.connection_string} | azurite.settings

    def fail(*arguments: str, **settings: str | None) -> str:
        chosen = {name: value for name, value in (good | settings).items() if value is not None}
        ended = subprocess.run(  # noqa: S603  # our own command
            host_command(app, *arguments),
            cwd=app,
            env=host_environment(chosen),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.returncode, ended.stdout) == (1, "")
        return ended.stderr

    return fail


@pytest.fixture
def start(app: Path, azurite: Azurite, tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts the app with other settings."""
    good = {"SCHEDULE": "0 0 * * * *", "QUEUE": "work", "Work": azurite.connection_string} | azurite.settings
    with ExitStack() as stack:

        def run(**settings: str | None) -> RunningHost:
            chosen = {name: value for name, value in (good | settings).items() if value is not None}
            return stack.enter_context(running_host(app, tmp_path / "log", **chosen))

        yield run


@pytest.mark.parametrize(
    ("settings", "disabled", "reason"),
    [
        (
            {"SCHEDULE": "0 0 25 * * *"},
            "refresh",
            "its schedule is wrong: '25' is no value for the hour, which goes from 0 to 23",
        ),
        ({"SCHEDULE": None}, "refresh", "its schedule cannot be read: the app setting SCHEDULE is not set"),
        ({"QUEUE": None}, "deliver", "its queue name cannot be read: the app setting QUEUE is not set"),
        (
            {"Work": None},
            "deliver",
            "its connection Work is incomplete: neither the app setting Work nor Work__queueServiceUri is set",
        ),
        (
            {"AzureWebJobsStorage": None},
            "refresh",
            "neither the app setting AzureWebJobsStorage nor AzureWebJobsStorage__blobServiceUri is set",
        ),
    ],
)
def test_a_wrong_setting_disables_its_function_and_not_the_host(
    start: Start, settings: dict[str, str | None], disabled: str, reason: str
) -> None:
    host = start(**settings)
    assert disabled not in host.functions
    assert len(host.functions) == 1
    assert f"The function {disabled} failed indexing and will be disabled: {reason}" in host.log()


def test_a_wrong_host_json_is_refused(app: Path, fail_to_start: FailToStart) -> None:
    (app / "host.json").write_text(json.dumps(HOST_JSON | {"extensions": {"queues": {"batchSize": 64}}}))
    assert fail_to_start() == (
        "host.json, extensions.queues.batchSize: input should be less than or equal to 32 (found: 64).\n"
    )


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise ValueError('no way')", "ValueError: no way"),
        (
            (
                "import azure.functions as func\n"
                "app = func.FunctionApp()\n"
                "@app.timer_trigger(arg_name='timer', schedule='0 0 * * * *')\n"
                "def refresh(wrong: func.TimerRequest) -> None: ...\n"
            ),
            (
                "FunctionLoadError: cannot load the refresh function: the following parameters are declared "
                "in Python but not in the function definition (function.json or function decorators):  {'wrong'}"
            ),
        ),
    ],
)
def test_an_app_that_cannot_be_loaded_runs_and_knows_no_address(
    app: Path, start: Start, code: str, message: str
) -> None:
    (app / "function_app.py").write_text(code)
    host = start()
    assert host.functions == []
    assert message in host.log()
    assert httpx.get(f"{host.url}/api/health", trust_env=False).status_code == 404


def test_a_port_that_is_taken_is_named(fail_to_start: FailToStart) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"The port {port} of 127.0.0.1 cannot be used: Address already in use." in fail_to_start(
            f"--port={port}"
        )
