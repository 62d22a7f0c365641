import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.azure.processes import ChildProcess, ProcessError, Reaper, base_environment
from local.azure.reaper import remaining
from tests.integration.local_cloud.support import wait_until_closed

READY = re.compile("ready")
type StartPython = Callable[[str], ChildProcess]


@pytest.fixture
def start_python(tmp_path: Path) -> Iterator[StartPython]:
    """Return a function that starts a child which runs the given Python source."""
    children: list[ChildProcess] = []

    def start(source: str) -> ChildProcess:
        child = ChildProcess(
            [sys.executable, "-uc", source],
            environment=base_environment(),
            log_file=tmp_path / "child.log",
            reaper=reaper,
        )
        children.append(child)
        return child

    with Reaper() as reaper:
        yield start
        for child in children:
            child.kill()


def test_a_child_that_ends_early_is_reported_with_the_end_of_its_log(start_python: StartPython) -> None:
    child = start_python("print('out of luck'); raise SystemExit(3)")
    with pytest.raises(ProcessError, match=r"child ended with status 3\.\nout of luck"):
        child.wait_for(READY)


def test_a_child_that_says_nothing_is_given_up(start_python: StartPython) -> None:
    child = start_python("import time; time.sleep(600)")
    with pytest.raises(ProcessError, match="not ready"):
        child.wait_for(READY, timeout_seconds=0)


def test_what_an_earlier_child_logged_does_not_count(start_python: StartPython) -> None:
    start_python("print('ready')").wait_for(READY)
    with pytest.raises(ProcessError):
        start_python("print('not yet')").wait_for(READY)


def test_a_child_that_ignores_sigterm_is_killed(
    start_python: StartPython, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.azure.processes.STOP_SECONDS", 0.1)
    source = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready'); time.sleep(600)"
    child = start_python(source)
    child.wait_for(READY)
    child.stop()
    assert not child.running


def test_killing_a_child_kills_what_it_has_started(start_python: StartPython) -> None:
    listen = "import socket, time; s = socket.create_server(('127.0.0.1', 0))"
    tell = "print('ready', s.getsockname()[1], flush=True); time.sleep(600)"
    child = start_python(
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {f'{listen}; {tell}'!r}])"
    )
    port = int(child.wait_for(re.compile(r"ready (\d+)\n"))[1])
    child.kill()
    wait_until_closed(port)


def test_ending_a_child_again_signals_nobody(start_python: StartPython, monkeypatch: pytest.MonkeyPatch) -> None:
    child = start_python("print('ready')")
    child.kill()
    monkeypatch.setattr("os.killpg", lambda *_: pytest.fail("That may be a stranger by now."))
    child.stop()


def test_the_reaper_remembers_only_who_is_left() -> None:
    assert remaining(["+1\n", "+2\n", "-1\n"]) == {2}


def test_the_reaper_kills_who_is_left_when_its_input_ends() -> None:
    with subprocess.Popen(["/bin/sleep", "600"], start_new_session=True) as sleeper:
        subprocess.run(
            [sys.executable, "-m", "local.azure.reaper"], input=f"+{sleeper.pid}\n".encode(), check=True
        )
        assert sleeper.wait(10) == -9
