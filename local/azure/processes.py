"""Child processes that log to a file, say when they are ready, and do not outlive their parent."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

PROJECT_ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
# Longer than the ten seconds which a Functions host gives to functions that still run.
STOP_SECONDS = 15.0
POLL_SECONDS = 0.02
TAIL_LINES = 40
# All that children get from the developer's shell: no credentials, no proxies, no Azure settings.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR")


class ProcessError(RuntimeError):
    """A child process did not start, or ended when it should not have."""


def base_environment() -> dict[str, str]:
    """Return what every child process may know of the environment of this one."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


class Reaper:
    """Kills the watched children when this process has gone, even by SIGKILL.

    A helper process reads the process ids from a pipe whose other end only this process holds. That works on
    Linux and macOS alike. It does not help when the helper is killed as well, nor for a child that moves its
    own children to another process group.
    """

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "local.azure.reaper"]
        self._helper = subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.PIPE, bufsize=0, cwd=PROJECT_ROOT, start_new_session=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._helper.communicate()

    def watch(self, pid: int) -> None:
        """Kill this child's process group when this process ends."""
        self._tell(f"+{pid}\n")

    def release(self, pid: int) -> None:
        """Forget a child that has ended, since its id may be given to a stranger."""
        with suppress(BrokenPipeError):
            self._tell(f"-{pid}\n")

    def _tell(self, line: str) -> None:
        if self._helper.stdin is None:
            raise ProcessError("The reaper has not been started.")
        self._helper.stdin.write(line.encode())


class ChildProcess:
    """A child in a process group of its own, so that Ctrl-C reaches only its parent, which then stops it.

    Attributes:
        log_file: Where its standard output and error go.
    """

    def __init__(
        self, command: Sequence[str], *, environment: Mapping[str, str], log_file: Path, reaper: Reaper
    ) -> None:
        self.log_file = log_file
        self._reaper = reaper
        self._ended = False
        with log_file.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(  # noqa: S603 - the callers' own fixed commands
                command,
                env=dict(environment),
                cwd=PROJECT_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        reaper.watch(self._process.pid)

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def wait_for(self, pattern: re.Pattern[str], *, timeout_seconds: float = START_SECONDS) -> re.Match[str]:
        """Return the first match of `pattern` in the log of this process.

        Raises:
            ProcessError: The process ended first, or the time is over; with the log's last lines.
        """
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            running = self.running
            if match := pattern.search(self._log()):
                return match
            if not running:
                raise ProcessError(f"{self._name} ended with status {self._process.returncode}.\n{self._tail()}")
            time.sleep(POLL_SECONDS)
        raise ProcessError(f"{self._name} was not ready after {timeout_seconds:.0f} s.\n{self._tail()}")

    def stop(self) -> None:
        """Ask it to end (SIGTERM), then make sure; a second call does nothing."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End it and everything it has started at once (SIGKILL); a second call does nothing."""
        if self._ended:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reaper.release(self._process.pid)
        self._ended = True

    @property
    def _name(self) -> str:
        return self.log_file.stem

    def _log(self) -> str:
        with self.log_file.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def _tail(self) -> str:
        return "\n".join(self._log().splitlines()[-TAIL_LINES:])
