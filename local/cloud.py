"""The local cloud: everything the function app talks to in production, on one machine.

Identity endpoint, Key Vault and proxy run on a thread of this process; Azurite, the SendGrid simulator and
the Functions hosts are its children. All listen on free ports of the loopback interface only.
"""

import itertools
import json
import re
import secrets
import ssl
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, Self

import httpx
from anyio.from_thread import start_blocking_portal
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.azure import entra
from local.azure.azurite import ACCOUNTS, Azurite
from local.azure.certificates import Certificates, issue_certificates
from local.azure.clients import StorageClients
from local.azure.entra import Entra
from local.azure.environment import (
    AUDIT_CONTAINER,
    EXTRACT_CONTAINER,
    HOST_CONTAINER,
    KEY_NAME,
    STATE_CONTAINER,
    Platform,
    app_environment,
)
from local.azure.event_grid import EventGrid
from local.azure.identity import PATH, Identity
from local.azure.key_vault import KeyVault
from local.azure.processes import PROJECT_ROOT, ChildProcess, ProcessError, Reaper, base_environment
from local.azure.proxy import Proxy
from local.azure.serving import LOOPBACK, serve
from local.prepare_storage import create_missing, create_missing_queues
from local.sendgrid_simulator.configuration import QUICK
from local.sendgrid_simulator.control import Simulator
from local.webhook_receiver import WebhookReceiver
from shared.model.messages import every_queue

NONE: Final[Mapping[str, object]] = MappingProxyType({})
LISTENING = re.compile(r'"listening": ?"(?P<url>https?://[^"]+)"')
READY = re.compile(r'^\{"listening": .*\}$', re.MULTILINE)
REQUEST_SECONDS = 60.0
SHORTEST_BLOB_LEASE = 15
"""Seconds; storage grants none that is shorter."""


def new_key(name: str) -> str:
    """A key whose value begins with its name; hexadecimal, since one with a dash in front would be an option."""
    return f"{name}.{secrets.token_hex()}"


class Host:
    """A Functions host that runs the app in a process of its own.

    Attributes:
        function_key: Opens the app's HTTP functions, as an administrator's.
        named_keys: Open them, too; by their names, which the app setting KEY_ROLES gives roles.
        master_key: Opens the host's /admin functions, too.
        log_file: What the host and the app have printed.
        url: Where the host listens, once it is ready.
    """

    def __init__(self, process: ChildProcess, *, named_keys: Mapping[str, str], master_key: str) -> None:
        self.function_key = named_keys[KEY_NAME]
        self.named_keys = named_keys
        self.master_key = master_key
        self.log_file = process.log_file
        self.url = ""
        self._process = process

    def wait_ready(self) -> None:
        """Return when the host listens with all functions.

        Raises:
            ProcessError: It does not; with the end of its log.
        """
        ready = json.loads(self._process.wait_for(READY)[0])
        self.url = ready["listening"]
        if not ready["functions"] or ready["disabled"]:
            raise ProcessError(f"The app runs without all its functions; {self.log_file} says why.")

    def client(self) -> httpx.Client:
        """Return a client that sends the function key; the caller closes it."""
        return self.client_with({"x-functions-key": self.function_key})

    def client_with(self, headers: Mapping[str, str]) -> httpx.Client:
        """Return a client that sends these headers, and no key; the caller closes it."""
        return httpx.Client(base_url=self.url, headers=headers, timeout=REQUEST_SECONDS, trust_env=False)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.running

    def stop(self) -> None:
        """Let it finish what it is at (SIGTERM) and end."""
        self._process.stop()

    def kill(self) -> None:
        """End it at once, as when the machine is lost (SIGKILL)."""
        self._process.kill()


class LocalCloud:
    """Starts on entering, in about two seconds, and takes everything down on leaving, however it is left.

    Attributes:
        simulator: The control client of the SendGrid simulator.
        vault: Key Vault; set secrets here.
        identity: The managed identity endpoint; knows who asked for which token.
        entra: Microsoft Entra ID; signs tokens for callers of the app.
        proxy: Knows what was reached and what was refused.
        receiver: A notification target; keeps what it was told.
        azurite: The storage emulator; may be stopped and started again.
        ca_file: The authority that signed all certificates here, as PEM.
        record_file: Every request and answer of the simulator, if it was told to record.
    """

    simulator: Simulator
    azurite: Azurite
    ca_file: Path

    def __init__(
        self, directory: Path, *, record: bool = False, profile: str = QUICK, settings: Mapping[str, object] = NONE
    ) -> None:
        """Keep certificates, logs and storage data in `directory`, which stays behind.

        `profile` and `settings` are the SendGrid simulator's, from its start and again after each reset.
        """
        self.vault = KeyVault()
        self.identity = Identity()
        self.entra = Entra()
        self.proxy = Proxy()
        self.receiver = WebhookReceiver()
        self.record_file = directory / "sendgrid.jsonl" if record else None
        self._simulated = ["--profile", profile]
        for name, value in settings.items():
            self._simulated += ["--set", f"{name}={value}"]
        self._directory = directory
        self._accounts = iter(ACCOUNTS)
        self._host_numbers = itertools.count(1)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._start(stack)
            self._running = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def new_account(self) -> str:
        """Return the name of a storage account that nobody here has used yet."""
        account = next(self._accounts, None)
        if account is None:
            raise ProcessError(f"All {len(ACCOUNTS)} storage accounts of this local cloud are in use.")
        return account

    def prepare_account(self, account: str) -> None:
        """Create the containers and queues that the Bicep template creates, where they are missing."""
        with self.blob_service(account) as blobs, self.queue_service(account) as queues:
            create_missing(blobs, (STATE_CONTAINER, AUDIT_CONTAINER, EXTRACT_CONTAINER, HOST_CONTAINER))
            create_missing_queues(queues, every_queue())

    def send_events(self, account: str) -> None:
        """Have the app told of files that are written into the account's extract container from now on."""
        grid = EventGrid(account, self.blob_service(account), self.queue_service(account))
        self._running.enter_context(grid)

    def blob_service(self, account: str) -> BlobServiceClient:
        """Return an operator's client for the account's blobs; the caller closes it."""
        return self._clients.blob_service(account)

    def queue_service(self, account: str) -> QueueServiceClient:
        """Return an operator's client for the account's queues; the caller closes it."""
        return self._clients.queue_service(account)

    def environment(self, account: str, **settings: str) -> dict[str, str]:
        """Return the whole environment of an app process that uses `account`; `settings` win."""
        return app_environment(self._platform, account, **settings)

    def start_host(
        self,
        account: str,
        *,
        app: Path = PROJECT_ROOT,
        lease_seconds: int | None = None,
        key_names: Sequence[str] = (),
        port: int = 0,
        function_key: str = "",
        **settings: str,
    ) -> Host:
        """Start a Functions host and return when it listens.

        Args:
            account: The storage account of the host and the app.
            app: The directory with host.json and function_app.py.
            lease_seconds: How long a queue message stays hidden while worked on; None for the host's default.
            key_names: Names of function keys beside the administrator's; their values are made up.
            port: Where it listens; 0 takes any free one.
            function_key: The administrator's key; one is made up unless given.
            settings: App settings in place of, or beside, those of `environment`.

        Raises:
            ProcessError: The host did not start; with the end of its log.
        """
        named_keys = {name: new_key(name) for name in (KEY_NAME, *key_names)}
        named_keys[KEY_NAME] = function_key or named_keys[KEY_NAME]
        master_key = secrets.token_hex()
        keys = ["--master-key", master_key]
        for key in named_keys.values():
            keys += ["--function-key", key]
        lease = [] if lease_seconds is None else ["--message-lease-seconds", str(lease_seconds)]
        if lease_seconds is not None:
            lease += ["--timer-lease-seconds", str(max(lease_seconds, SHORTEST_BLOB_LEASE))]
        process = self._python_child(
            ["local.functions_host", "--app", str(app), "--port", str(port), *keys, *lease],
            environment=self.environment(account, **settings),
            log_name=f"host-{next(self._host_numbers)}",
        )
        self._running.callback(process.stop)
        host = Host(process, named_keys=named_keys, master_key=master_key)
        try:
            host.wait_ready()
        except ProcessError:
            host.kill()
            raise
        return host

    def _start(self, stack: ExitStack) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        certificates = issue_certificates(self._directory)
        self.ca_file = certificates.ca_file
        self._reaper = stack.enter_context(Reaper())
        self._spawn_azurite(stack, certificates)
        simulator = self._spawn_simulator(stack, certificates)
        self._serve_platform(stack, certificates)
        self._route_storage()
        self._connect_simulator(stack, simulator)

    def _spawn_azurite(self, stack: ExitStack, certificates: Certificates) -> None:
        self.azurite = Azurite(
            self._directory / "azurite",
            certificates=certificates,
            log_file=self._directory / "azurite.log",
            reaper=self._reaper,
        )
        self.azurite.spawn()
        stack.callback(self.azurite.stop)

    def _spawn_simulator(self, stack: ExitStack, certificates: Certificates) -> ChildProcess:
        files = [
            "--certificate",
            str(certificates.certificate_file),
            "--private-key",
            str(certificates.private_key_file),
        ]
        record = ["--record", str(self.record_file)] if self.record_file else []
        process = self._python_child(
            ["local.sendgrid_simulator", "--port", "0", *self._simulated, *files, *record],
            environment=base_environment(),
            log_name="simulator",
        )
        stack.callback(process.stop)
        return process

    def _serve_platform(self, stack: ExitStack, certificates: Certificates) -> None:
        portal = stack.enter_context(start_blocking_portal())
        identity_port = stack.enter_context(portal.wrap_async_context_manager(serve(self.identity.application)))
        vault_port = stack.enter_context(
            portal.wrap_async_context_manager(serve(self.vault.application, certificates))
        )
        entra_port = stack.enter_context(
            portal.wrap_async_context_manager(serve(self.entra.application, certificates))
        )
        self.receiver.port = stack.enter_context(
            portal.wrap_async_context_manager(serve(self.receiver.application, certificates))
        )
        stack.enter_context(portal.wrap_async_context_manager(self.proxy.serving()))
        self.proxy.route("vault.azure.net", vault_port)
        self.proxy.route(entra.HOST, entra_port)
        self._platform = Platform(
            identity_url=f"http://{LOOPBACK}:{identity_port}{PATH}",
            identity_header=self.identity.header,
            proxy_url=self.proxy.url,
            ca_file=certificates.ca_file,
            receiver=self.receiver.allowed_host,
        )
        self._clients = StorageClients(self._platform)

    def _route_storage(self) -> None:
        self.azurite.wait_ready()
        for service in ("blob", "queue", "table"):
            self.proxy.route(f"{service}.core.windows.net", getattr(self.azurite.ports, service))

    def _connect_simulator(self, stack: ExitStack, process: ChildProcess) -> None:
        url = process.wait_for(LISTENING)["url"]
        for host in ("api.sendgrid.com", "api.eu.sendgrid.com"):
            self.proxy.route(host, int(url.rpartition(":")[2]))
        trust = ssl.create_default_context(cafile=self.ca_file)
        self.simulator = stack.enter_context(Simulator(url, trust))

    def _python_child(self, arguments: list[str], *, environment: dict[str, str], log_name: str) -> ChildProcess:
        return ChildProcess(
            [sys.executable, "-m", *arguments],
            environment=environment | {"PYTHONUNBUFFERED": "1"},
            log_file=self._directory / f"{log_name}.log",
            reaper=self._reaper,
        )
