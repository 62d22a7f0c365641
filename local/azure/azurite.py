"""Azurite, Microsoft's storage emulator, as a child process that speaks HTTPS and OAuth."""

import base64
import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from local.azure.certificates import Certificates
from local.azure.processes import PROJECT_ROOT, ChildProcess, ProcessError, Reaper, base_environment
from local.azure.serving import LOOPBACK

SCRIPT = PROJECT_ROOT / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
ACCOUNTS = tuple(f"stlocal{number:03}" for number in range(200))
ACCOUNT_KEY_BYTES = 64
READY = re.compile(
    r"Blob service is successfully listening at \S+:(?P<blob>\d+)$"
    r".*Queue service is successfully listening at \S+:(?P<queue>\d+)$"
    r".*Table service is successfully listening at \S+:(?P<table>\d+)$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Where the three services listen on the loopback interface; 0 lets Azurite choose."""

    blob: int = 0
    queue: int = 0
    table: int = 0


class Azurite:
    """Storage accounts in a directory; they keep their data and their ports over a stop and a start.

    The account keys are made up here and thrown away, so bearer tokens are the only way in.

    Attributes:
        ports: Where the services listen, once they are ready.
    """

    def __init__(self, directory: Path, *, certificates: Certificates, log_file: Path, reaper: Reaper) -> None:
        self.ports = Ports()
        self._directory = directory
        self._certificates = certificates
        self._log_file = log_file
        self._reaper = reaper
        self._process: ChildProcess | None = None

    def start(self) -> None:
        """Start and return when all three services listen, in one to two seconds.

        Raises:
            ProcessError: Node.js or Azurite is not installed, or Azurite ended.
        """
        self.spawn()
        self.wait_ready()

    def spawn(self) -> None:
        """Start without waiting; on the former ports, if there were any."""
        self._process = ChildProcess(
            [_node(), str(_script()), *self._arguments()],
            environment=base_environment() | {"AZURITE_ACCOUNTS": _accounts()},
            log_file=self._log_file,
            reaper=self._reaper,
        )

    def wait_ready(self) -> None:
        """Return when all three services listen; `ports` is known then."""
        ready = self._child().wait_for(READY)
        self.ports = Ports(blob=int(ready["blob"]), queue=int(ready["queue"]), table=int(ready["table"]))

    def stop(self) -> None:
        """End it in good order (SIGTERM); everything written so far is kept."""
        self._child().stop()

    def kill(self) -> None:
        """End it at once (SIGKILL); its index is saved every five seconds, so the last writes may be lost."""
        self._child().kill()

    def _child(self) -> ChildProcess:
        if self._process is None:
            raise ProcessError("Azurite has not been started.")
        return self._process

    def _arguments(self) -> list[str]:
        options = {
            "--location": self._directory,
            "--blobHost": LOOPBACK,
            "--blobPort": self.ports.blob,
            "--queueHost": LOOPBACK,
            "--queuePort": self.ports.queue,
            "--tableHost": LOOPBACK,
            "--tablePort": self.ports.table,
            "--cert": self._certificates.certificate_file,
            "--key": self._certificates.private_key_file,
            "--oauth": "basic",
        }
        # The storage clients speak newer API versions than Azurite knows by name.
        flags = ["--skipApiVersionCheck", "--disableTelemetry", "--silent"]
        return [str(part) for option in options.items() for part in option] + flags


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        raise ProcessError("Node.js is not installed; Azurite needs version 20 or later.")
    return node


def _script() -> Path:
    if not SCRIPT.exists():
        raise ProcessError("Azurite is not installed: run `make install`.")
    return SCRIPT


def _accounts() -> str:
    return ";".join(f"{account}:{_random_key()}" for account in ACCOUNTS)


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(ACCOUNT_KEY_BYTES)).decode()
