"""Runs Azurite and the Functions host as child processes, and looks at what they leave behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient

ROOT = Path(__file__).resolve().parents[3]
APPS = Path(__file__).with_name("apps")
AZURITE = ROOT / "node_modules/azurite/dist/src/azurite.js"
ACCOUNT = "devstoreaccount1"
# The key every Azurite has: https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
PATIENCE_SECONDS = 60


def wait_until[T](look: Callable[[], T], what: str) -> T:
    """Look again and again until there is something true, and return it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {PATIENCE_SECONDS} seconds")


@dataclass(frozen=True)
class Azurite:
    """A running Azurite."""

    ports: dict[str, int]

    @property
    def connection_string(self) -> str:
        parts = {
            "DefaultEndpointsProtocol": "http",
            "AccountName": ACCOUNT,
            "AccountKey": ACCOUNT_KEY,
            "BlobEndpoint": f"http://127.0.0.1:{self.ports['Blob']}/{ACCOUNT}",
            "QueueEndpoint": f"http://127.0.0.1:{self.ports['Queue']}/{ACCOUNT}",
        }
        return ";".join(f"{name}={value}" for name, value in parts.items())

    @property
    def settings(self) -> dict[str, str]:
        return {"Storage": self.connection_string, "AzureWebJobsStorage": self.connection_string}


@contextmanager
def running_azurite(**ports: int) -> Iterator[Azurite]:
    """Run Azurite, on free ports unless some are given by service: Blob, Queue, Table."""
    if not AZURITE.is_file():
        raise FileNotFoundError(f"{AZURITE} is missing; `npm ci` in the project's root installs Azurite")
    services = ("Blob", "Queue", "Table")
    options = [f"--{name.lower()}Port={ports.get(name, 0)}" for name in services]
    command = ["node", str(AZURITE), "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"]
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)  # noqa: S603  # our own command
    try:
        yield Azurite(dict(_read_port(process) for _ in services))
    finally:
        process.terminate()
        process.communicate()


def _read_port(process: subprocess.Popen[str]) -> tuple[str, int]:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"Azurite (\w+) service is successfully listening at http://127.0.0.1:(\d+)", line):
            return found[1], int(found[2])
    raise AssertionError("Azurite ended before it listened")


@dataclass(frozen=True)
class RunningHost:
    """A host that told it is ready."""

    process: subprocess.Popen[str]
    url: str
    functions: list[str]
    log_file: Path

    def log(self) -> str:
        """Return what the host and its app wrote so far."""
        return self.log_file.read_text()

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until the log has a text so many times."""
        wait_until(lambda: self.log().count(text) >= times, f"{text!r} in the log")

    def reports(self, event: str) -> list[dict[str, Any]]:
        """Return what the app logged as ``event {...}``."""
        return [json.loads(found) for found in re.findall(rf" sample {event} (\{{.*\}})", self.log())]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


def host_command(app: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "local.functions_host", "--app", str(app), "--port", "0", *arguments]


def host_environment(settings: dict[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"} | settings


@contextmanager
def running_host(app: Path, log_file: Path, *arguments: str, **settings: str) -> Iterator[RunningHost]:
    """Run a host over an app until the block ends."""
    with log_file.open("w") as log:
        process = subprocess.Popen(  # noqa: S603  # our own command
            host_command(app, *arguments),
            cwd=app,
            env=host_environment(settings),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"the host did not start: {log_file.read_text()}"
        ready = json.loads(line)
        yield RunningHost(process, ready["listening"], ready["functions"], log_file)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@dataclass(frozen=True)
class Queue:
    """A queue as its sender sees it, with base64 messages."""

    client: QueueClient

    @classmethod
    def named(cls, name: str, connection_string: str) -> Self:
        return cls(QueueClient.from_connection_string(connection_string, name, retry_total=0))

    @property
    def name(self) -> str:
        return str(self.client.queue_name)

    def create(self) -> Self:
        with suppress(ResourceExistsError):
            self.client.create_queue()
        return self

    def exists(self) -> bool:
        try:
            self.client.get_queue_properties()
        except ResourceNotFoundError:
            return False
        return True

    def send(self, content: object) -> None:
        """Send a text as it is, or anything else as JSON."""
        text = content if isinstance(content, str) else json.dumps(content)
        self.client.send_message(b64encode(text.encode()).decode())

    def count(self) -> int:
        """Return how many messages there are, visible or not."""
        return self.client.get_queue_properties().approximate_message_count or 0

    def visible(self) -> list[str]:
        """Return the texts of the visible messages, as they are stored."""
        return [message.content for message in self.client.peek_messages(32)] if self.exists() else []

    def contents(self) -> list[str]:
        """Return the decoded texts of the visible messages."""
        return [b64decode(text).decode(errors="replace") for text in self.visible()]

    def wait_for(self, count: int) -> list[str]:
        """Wait until so many messages are visible, and return their decoded texts."""
        wait_until(lambda: len(self.visible()) >= count, f"{count} messages in {self.name}")
        return self.contents()

    def wait_until_empty(self) -> None:
        wait_until(lambda: self.count() == 0, f"{self.name} empty")
