"""The function app on the local cloud, and an operator's hands: what the end-to-end tests are played on."""

import csv
import io
import itertools
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from local.azure.environment import EXTRACT_CONTAINER, NEVER, STATE_CONTAINER
from local.azure.processes import PROJECT_ROOT
from local.cloud import Host, LocalCloud
from local.export_api import TERMINAL
from local.sendgrid_simulator.keys import ALL_SCOPES

type Json = dict[str, Any]

DEADLINE_SECONDS = 90.0
"""Long, for a machine that is busy; a wait ends as soon as what it waits for is there."""
LOOK_SECONDS = 0.05
MAX_DEQUEUE_COUNT = 10
"""As in host.json."""
UPSERT = "PUT /v3/marketing/contacts"

# Each 12 kB of contact, so that 454 fill a request and a few chunks need no 30,000 contacts each.
LONG_TEXTS = ("long_text_1", "long_text_2", "long_text_3", "long_text_4")
LONG_TEXT = "漢" * 1_000
CONTACTS_PER_CHUNK = 454


def eventually[T](look: Callable[[], T | None]) -> T:
    """Return what `look` finds as soon as it finds something true; fail when it never does."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(LOOK_SECONDS)
    raise AssertionError(f"it did not happen in {DEADLINE_SECONDS:.0f} s")


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a CSV file with a header."""
    text = io.StringIO()
    csv.writer(text).writerows([columns, *rows])
    return text.getvalue()


@dataclass(frozen=True, kw_only=True)
class StartedRun:
    """A run that was started, over or not."""

    running: "RunningApp"
    export: str
    id: str

    @property
    def path(self) -> str:
        """Where the API shows it."""
        return f"/api/exports/{self.export}/runs/{self.id}"

    @property
    def folder(self) -> str:
        """Where the state container keeps it."""
        return f"runs/{self.export}/{self.id}/"

    def get(self) -> Json:
        """Look at it."""
        return self.running.get(self.path)

    def wait(self) -> Json:
        """Look at it once it is over."""

        def over() -> Json | None:
            run = self.get()
            return run if run["status"] in TERMINAL else None

        return eventually(over)

    def reach(self, blob: str) -> bytes:
        """Wait until a blob of the run is there, by its name within the run's folder or the beginning of it."""
        return eventually(lambda: next(iter(self.running.read_all(self.folder + blob).values()), None))

    def rejected(self) -> list[dict[str, str]]:
        """List the rejected rows."""
        answer = self.running.api.get(f"{self.path}/rejected").raise_for_status()
        return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def wait_for_all(runs: Iterable[StartedRun]) -> list[Json]:
    """Look at runs once they are over, or as they are if they do not end: one must not hide the others."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    looks = []
    for run in runs:
        look = run.get()
        while look["status"] not in TERMINAL and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
            look = run.get()
        looks.append(look)
    return looks


@dataclass(frozen=True, kw_only=True)
class SavedExport:
    """An export that was saved, with a list of its own."""

    running: "RunningApp"
    id: str
    list_id: str

    @property
    def runs_path(self) -> str:
        """Where its runs are started and listed."""
        return f"/api/exports/{self.id}/runs"

    def get(self) -> Json:
        """Look at it."""
        return self.running.get(f"/api/exports/{self.id}")

    def start(self, **options: object) -> StartedRun:
        """Start a run on demand."""
        answer = self.running.api.post(self.runs_path, json=options).raise_for_status()
        return StartedRun(running=self.running, export=self.id, id=answer.json()["id"])

    def post(self, path: str) -> StartedRun:
        """Ask for something, below the export, that starts a run."""
        response = self.running.api.post(f"/api/exports/{self.id}/{path}")
        response.raise_for_status()
        return StartedRun(running=self.running, export=self.id, id=response.json()["id"])

    def run(self, **options: object) -> Json:
        """Start a run on demand and look at it once it is over."""
        return self.start(**options).wait()

    def runs(self) -> list[StartedRun]:
        """List its runs, newest first."""
        runs = self.running.get(self.runs_path)["runs"]
        return [StartedRun(running=self.running, export=self.id, id=run["id"]) for run in runs]

    def emails(self) -> list[str]:
        """List who is on its SendGrid list, in order."""
        return sorted(self.running.cloud.simulator.list_emails(self.list_id))


class RunningApp:
    """A storage account of its own with the app at work on it; SendGrid and the vault are everybody's.

    Attributes:
        account: The storage account.
        host: The Functions host, since `start_host`.
        hosts: All hosts so far.
        api: A client with the function key.
        state: The state container.
        extracts: The container that extracts are delivered to.
        keys: Every API key made here.
    """

    host: Host
    api: httpx.Client
    state: ContainerClient
    extracts: ContainerClient

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.account = cloud.new_account()
        self.hosts: list[Host] = []
        self.keys: list[str] = []
        self._numbers = itertools.count(1)
        self._refused_before = len(cloud.proxy.refused)

    def __enter__(self) -> Self:
        self.cloud.prepare_account(self.account)
        with ExitStack() as stack:
            blobs = stack.enter_context(self.cloud.blob_service(self.account))
            self._queues = stack.enter_context(self.cloud.queue_service(self.account))
            self.state = blobs.get_container_client(STATE_CONTAINER)
            self.extracts = blobs.get_container_client(EXTRACT_CONTAINER)
            self._running = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    # --- the app --------------------------------------------------------------------------------------------

    def start_host(
        self,
        *,
        app: Path = PROJECT_ROOT,
        lease_seconds: int | None = None,
        key_names: Sequence[str] = (),
        tick: str = NEVER,
        refresh_schedule: str = "",
        **settings: str,
    ) -> None:
        """Start the app, also after its host was killed."""
        settings |= {"SCHEDULE_TICK": tick, "REFRESH_SCHEDULE": refresh_schedule}
        self.host = self.cloud.start_host(
            self.account, app=app, lease_seconds=lease_seconds, key_names=key_names, port=0, **settings
        )
        self._running.callback(self.host.stop)
        self.hosts.append(self.host)
        self.api = self._running.enter_context(self.host.client())

    def tick(self, function: str) -> None:
        """Start a timer function by hand."""
        headers = {"x-functions-key": self.host.master_key}
        answer = self.api.post(f"/admin/functions/{function}", json={"input": ""}, headers=headers)
        answer.raise_for_status()

    def get(self, path: str) -> Json:
        """Get a JSON document from the API."""
        document: Json = self.api.get(path).raise_for_status().json()
        return document

    def log(self) -> str:
        """Everything that the hosts and the app have printed."""
        return "".join(host.log_file.read_text(errors="replace") for host in self.hosts)

    def refused_targets(self) -> list[str]:
        """List whom the app, or other tests meanwhile, wanted to reach beyond the local cloud."""
        return self.cloud.proxy.refused[self._refused_before :]

    # --- definitions ----------------------------------------------------------------------------------------

    def name(self, kind: str) -> str:
        """Make up a name that is not taken, neither here nor in the vault that all share."""
        return f"{kind}-{self.account}-{next(self._numbers)}"

    def key(self, scopes: Iterable[str] = ALL_SCOPES) -> str:
        """Make an API key."""
        key = self.cloud.simulator.create_key(scopes)
        self.keys.append(key)
        return key

    def secret(self, key: str | None = None) -> str:
        """Put an API key, a new one unless given, into the vault and give the secret's name."""
        name = self.name("secret")
        self.cloud.vault.set_secret(name, key or self.key())
        return name

    def connection(self, **changes: object) -> str:
        """Save a connection with consent and a working key and give its id."""
        name = self.name("connection")
        definition = {
            "display_name": "Marketing",
            "secret_name": changes.get("secret_name") or self.secret(),
            "consent": {"given_by": "Ann", "given_at": "2026-01-01T00:00:00Z", "text": "I agree."},
        }
        self.put(f"/api/connections/{name}", definition | changes)
        return name

    def export(self, segment: str = "", **changes: object) -> SavedExport:
        """Save an export of a segment, by default with a connection and a list of its own."""
        name = self.name("export")
        list_id = str(changes.get("list_id") or self.cloud.simulator.create_list(name))
        definition = {
            "name": name,
            "connection": changes.get("connection") or self.connection(),
            "list_id": list_id,
            "segments": [segment or "Nobody"],
            "mapping": {"email": "EMail"},
            "schedule": {"kind": "off"},
            "source": {"settle": "PT0S"},
        }
        self.put(f"/api/exports/{name}?check=false", definition | changes)
        return SavedExport(running=self, id=name, list_id=list_id)

    def put(self, path: str, definition: Mapping[str, object]) -> httpx.Response:
        """Save a definition."""
        return self.api.put(path, json=definition).raise_for_status()

    # --- extracts -------------------------------------------------------------------------------------------

    def deliver(self, data: str | bytes, *, segment: str = "", day: int = 1) -> str:
        """Put a file as the extract of a segment, a new one unless given, and give the segment's name."""
        segment = segment or self.name("Segment")
        self.extracts.upload_blob(f"{segment}/2026-01-{day:02}/{segment}_1.csv", data)
        return segment

    def deliver_emails(self, *emails: str, segment: str = "", day: int = 1) -> str:
        """Put an extract of these addresses and give the segment's name."""
        return self.deliver(csv_text(["EMail"], ([email] for email in emails)), segment=segment, day=day)

    def export_of(self, *emails: str, **changes: object) -> SavedExport:
        """Save an export whose segment has these addresses."""
        return self.export(self.deliver_emails(*emails), **changes)

    def large_export(self, emails: Sequence[str], **changes: object) -> SavedExport:
        """Save an export whose contacts are so large that `CONTACTS_PER_CHUNK` make a chunk."""
        for name in LONG_TEXTS:
            self._require_custom_field(name)
        columns = ["EMail", *LONG_TEXTS]
        segment = self.deliver(csv_text(columns, ([email, *[LONG_TEXT] * len(LONG_TEXTS)] for email in emails)))
        mapping = {"email": "EMail", "custom_fields": {name: name for name in LONG_TEXTS}}
        return self.export(segment, mapping=mapping, **changes)

    def _require_custom_field(self, name: str) -> None:
        try:
            self.cloud.simulator.create_custom_field(name, "Text")
        except ValueError as problem:
            if "in use" not in str(problem):
                raise

    # --- state and queues -----------------------------------------------------------------------------------

    def read_all(self, prefix: str = "") -> dict[str, bytes]:
        """Read the blobs of the state container whose names begin like this."""
        found = {}
        for name in self.state.list_blob_names(name_starts_with=prefix):
            try:
                found[name] = self.state.download_blob(name).readall()
            except ResourceNotFoundError:
                continue  # deleted since it was listed
        return found

    def read_json(self, name: str) -> Json:
        """Read a state document."""
        document: Json = json.loads(self.state.download_blob(name).readall())
        return document

    def write(self, name: str, document: Mapping[str, object]) -> None:
        """Write a state document."""
        self.state.upload_blob(name, json.dumps(document), overwrite=True)

    def queue(self, name: str) -> QueueClient:
        """Give a client of a queue; bodies are base64, as the app sends them."""
        return self._queues.get_queue_client(name, message_encode_policy=TextBase64EncodePolicy())

    def send(self, queue: str, body: str | Mapping[str, object]) -> None:
        """Put a message on a queue, under a new message id."""
        self.queue(queue).send_message(body if isinstance(body, str) else json.dumps(body))

    def send_worn(self, queue: str, body: str) -> None:
        """Put a message on a queue that was tried so often that one more failure makes it poison.

        For use while no host listens. It spares the tests nine times the wait between tries.
        """
        client = self.queue(queue)
        client.send_message(body)
        for _ in range(MAX_DEQUEUE_COUNT - 1):
            message = client.receive_message(visibility_timeout=60)
            assert message
            client.update_message(message.id, message.pop_receipt, visibility_timeout=0)

    def count_messages(self, *queues: str) -> int:
        """Count the messages on queues, hidden ones included."""
        return sum(self.queue(name).get_queue_properties().approximate_message_count or 0 for name in queues)

    # --- SendGrid -------------------------------------------------------------------------------------------

    def count_upserts(self, list_id: str) -> int:
        """Count the upserts onto a list that SendGrid has accepted."""
        record = self.cloud.record_file
        assert record
        mark = f'{{\\"list_ids\\":[\\"{list_id}\\"]'.encode()
        with record.open("rb") as lines:
            return sum(mark in line and b'"status":202' in line for line in lines)
