"""A storage account with the app at work on it, its time scaled, and an operator's hands."""

import base64
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from local.azure.environment import EXTRACT_CONTAINER, STATE_CONTAINER
from local.azure.event_grid import event_about
from local.azure.processes import ProcessError
from local.cloud import Host, LocalCloud
from local.export_api import ApiError, ExportApi, Run
from local.extracts.customer_insights import ExportDestination, put_table
from local.extracts.deliveries import PEOPLE_MAPPING
from local.extracts.people import COLUMNS, People
from local.faults.injected_deaths import ORDERS
from local.faults.scale import SCALED, VARIABLE, Limits, write_app
from local.playground import connection_definition, export_definition

LEASE_SECONDS: Final = 18
"""How long a message stays hidden when its host was killed, or half of it; ten or five minutes in Azure.

Half of it is more than BACK_FROM_THE_DEAD: so a dead host is told from a dead worker.
"""
TICK: Final = "*/5 * * * * *"
"""When the app's timers fire, so that the sweeper is at work all the time."""
LOOK_SECONDS: Final = 0.6
"""Between two looks at a run: each costs the app several reads of storage."""
REQUEST_SECONDS: Final = 20.0
START_TRIES: Final = 8
SUPERVISION_SECONDS: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class SavedExport:
    """An export that was saved, with a list of its own."""

    id: str
    list_id: str
    segment: str
    connection: str
    people: People = field(repr=False)


class AppUnderTest:
    """The app on a storage account of its own; SendGrid and the vault are the cloud's.

    Attributes:
        cloud: The local cloud.
        directory: For files of this app; a folder in it is the app's.
        limits: What is scaled otherwise than `SCALED` says.
        state: The container with the app's documents.
        hosts: The hosts that run now, oldest first.
    """

    state: ContainerClient

    def __init__(self, cloud: LocalCloud, directory: Path, limits: Limits) -> None:
        """Scale the app's limits as `SCALED` says, but for those in `limits`."""
        self.cloud = cloud
        self.directory = directory
        self.account = cloud.new_account()
        self.hosts: list[Host] = []
        self.limits = dict(limits)
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self.cloud.prepare_account(self.account)
        with ExitStack() as stack:
            blobs = stack.enter_context(self.cloud.blob_service(self.account))
            self._queues = stack.enter_context(self.cloud.queue_service(self.account))
            self.state = blobs.get_container_client(STATE_CONTAINER)
            self._extracts = blobs.get_container_client(EXTRACT_CONTAINER)
            stack.callback(self.kill_hosts)
            self._running = stack.pop_all()
        self._app = write_app(self.directory / f"app-{self.account}")
        self._orders = self.directory / f"orders-{self.account}"
        self._orders.mkdir()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    # --- hosts ----------------------------------------------------------------------------------------------

    def start_host(self, **settings: str) -> Host:
        """Start an instance of the app and return when it answers."""
        host = self.cloud.start_host(
            self.account,
            app=self._app,
            lease_seconds=LEASE_SECONDS,
            port=0,
            **{
                VARIABLE: json.dumps({**SCALED, **self.limits}),
                ORDERS: str(self._orders),
                "SCHEDULE_TICK": TICK,
            }
            | settings,
        )
        self.hosts.append(host)
        return host

    def version(self) -> str:
        """The version of the app that answers."""
        with self._client() as client:
            return str(client.get("/api/health").json()["version"])

    @contextmanager
    def supervised(self) -> Iterator[Counter[str]]:
        """Start hosts anew that end by themselves, as the platform does; counts how often."""
        ends, over = Counter[str](), threading.Event()

        def look() -> None:
            while not over.wait(SUPERVISION_SECONDS):
                for host in [host for host in self.hosts if not host.running]:
                    ends["ended"] += 1
                    self.hosts.remove(host)
                    host.kill()
                while not self.hosts and not over.is_set():
                    with suppress(ProcessError):  # it may end again at once
                        self.start_host()

        supervisor = threading.Thread(target=look, name="supervisor", daemon=True)
        supervisor.start()
        try:
            yield ends
        finally:
            over.set()
            supervisor.join()

    def order(self, step: str, whose: str, what: str) -> None:
        """Let a step of the app kill its worker for this export or list, or hang once."""
        (self._orders / step).write_text(f"{whose} {what}", "utf-8")

    def is_pending(self, step: str) -> bool:
        """Whether an order that is to be obeyed once was not."""
        return (self._orders / step).exists()

    def countermand(self) -> None:
        """Take all orders back."""
        for order in self._orders.iterdir():
            order.unlink(missing_ok=True)

    def kill_hosts(self) -> None:
        """End all instances at once (SIGKILL)."""
        while self.hosts:
            self.hosts.pop().kill()

    def drop_host(self, host: Host) -> None:
        """Stop one instance in good order."""
        self.hosts.remove(host)
        host.stop()

    # --- definitions ----------------------------------------------------------------------------------------

    def name(self, kind: str) -> str:
        """Make up a name that is not taken."""
        return f"{kind}-{self.account}-{next(self._numbers)}"

    def connection(self) -> str:
        """Save a connection with a key of its own; its id, which is the name of its secret, too."""
        name = self.name("connection")
        self.cloud.vault.set_secret(name, self.cloud.simulator.create_key())
        self.put(f"/api/connections/{name}", connection_definition() | {"secret_name": name})
        return name

    def export(self, people: People, *, connection: str, schedule: str = "off", **wishes: object) -> SavedExport:
        """Deliver the people as an extract of two files and save an export of it onto a new list."""
        segment = self.name("Segment")
        self._deliver(people, segment, datetime.now(UTC) - timedelta(hours=1))
        return self._save_export(people, segment, connection=connection, schedule=schedule, **wishes)

    def deliver_again(self, export: SavedExport, people: People) -> SavedExport:
        """Deliver other people as the newest extract of an export; the export with them."""
        self._deliver(people, export.segment, datetime.now(UTC))
        return replace(export, people=people)

    def export_awaiting(
        self, people: People, *, connection: str, schedule: str = "arrival", **wishes: object
    ) -> SavedExport:
        """Save an export that waits for an extract of the people, which nobody has delivered yet."""
        segment = self.name("Segment")
        return self._save_export(people, segment, connection=connection, schedule=schedule, **wishes)

    def deliver_slowly(self, export: SavedExport, *, pieces: int) -> Iterator[int]:
        """Deliver the people of an export as a file that grows; the number of each piece, once it is there."""
        delivered_at = datetime.now(UTC)
        for piece in range(1, pieces + 1):
            rows = export.people.slice(0, export.people.rows * piece // pieces)
            self._put(export.segment, [rows], delivered_at)
            yield piece

    def deliver(self, export: SavedExport) -> list[str]:
        """Deliver the people of an export; the events about the files, as they are on a queue."""
        self._deliver(export.people, export.segment, datetime.now(UTC))
        files = self._extracts.list_blobs(name_starts_with=f"CustomerInsights_faults/{export.segment}/")
        events = [json.dumps(event_about(self.account, file)) for file in files]
        return [base64.b64encode(event.encode()).decode() for event in events]

    def _deliver(self, people: People, segment: str, delivered_at: datetime) -> None:
        half = people.rows // 2
        self._put(segment, [people.slice(0, half), people.slice(half, people.rows)], delivered_at)

    def _put(self, segment: str, partitions: Sequence[Iterable[Sequence[str]]], delivered_at: datetime) -> None:
        put_table(
            self._extracts,
            ExportDestination(instance_id="faults", name=segment),
            table=segment,
            attributes=COLUMNS,
            partitions=partitions,
            delivered_at=delivered_at,
        )

    def export_again(self, other: SavedExport, *, schedule: str = "off") -> SavedExport:
        """Save an export of the same extract through the same connection onto a new list."""
        return self._save_export(other.people, other.segment, connection=other.connection, schedule=schedule)

    def _save_export(
        self, people: People, segment: str, *, connection: str, schedule: str, **wishes: object
    ) -> SavedExport:
        name = self.name("export")
        list_id = self.cloud.simulator.create_list(name)
        definition = export_definition(list_id, PEOPLE_MAPPING, schedule=schedule)
        self.put(
            f"/api/exports/{name}?check=false",
            definition | {"connection": connection, "segments": [segment]} | wishes,
        )
        return SavedExport(id=name, list_id=list_id, segment=segment, connection=connection, people=people)

    def put(self, path: str, definition: Mapping[str, Any]) -> None:
        """Save a definition."""
        with self._client() as client:
            ExportApi(client, say=_nothing).put(path, definition)

    def get(self, path: str) -> dict[str, Any]:
        """Look at something through the API. Raises ApiError."""
        with self._client() as client:
            return ExportApi(client, say=_nothing).get(path)

    # --- runs -----------------------------------------------------------------------------------------------

    def start(self, export: SavedExport, *, force: bool = False) -> Run:
        """Start a run on demand, as a client does that repeats a request which failed under the same key."""
        return self._start(export, "runs", {"force": force})

    def adopt(self, export: SavedExport) -> Run:
        """Have the export's list adopted, as a client does that repeats a request which failed."""
        return self._start(export, "adopt", {})

    def _start(self, export: SavedExport, what: str, options: Mapping[str, Any]) -> Run:
        key = self.name("request")
        for _ in range(START_TRIES):
            try:
                with self._client() as client:
                    answer = client.post(
                        f"/api/exports/{export.id}/{what}", json=options, headers={"Idempotency-Key": key}
                    ).raise_for_status()
                    return Run.model_validate(answer.json())
            except (httpx.HTTPError, ApiError):
                time.sleep(1)
        raise ApiError(f"No run of {export.id} could be started.")

    def tick(self, function: str) -> None:
        """Fire one of the app's timers now."""
        headers = {"x-functions-key": self.hosts[0].master_key}
        with self._client() as client:
            client.post(f"/admin/functions/{function}", json={"input": ""}, headers=headers).raise_for_status()

    def list_runs(self, export: SavedExport) -> list[Run]:
        """List the runs of an export, newest first."""
        with self._client() as client:
            return ExportApi(client, say=_nothing).list_runs(export.id)

    def wait(self, run: Run, *, until: float) -> Run | None:
        """Look at a run once it is over; None when it is not over at `until`, on the monotonic clock."""
        while time.monotonic() < until:
            try:
                with self._client() as client:
                    api = ExportApi(client, say=_nothing)
                    while time.monotonic() < until:
                        found = api.get_run(run.path)
                        if found.is_terminal:
                            return found
                        time.sleep(LOOK_SECONDS)
            except (ApiError, ValueError):  # the host or storage may be away, or be lied about, at this moment
                time.sleep(LOOK_SECONDS)
        return None

    def _client(self) -> httpx.Client:
        host = next(iter(self.hosts[-1:]), None)
        if host is None:
            raise ApiError("There is no host at this moment.")
        headers = {"x-functions-key": host.function_key}
        return httpx.Client(base_url=host.url, headers=headers, timeout=REQUEST_SECONDS, trust_env=False)

    # --- state and queues -----------------------------------------------------------------------------------

    def queue(self, name: str) -> QueueClient:
        """Give a client of a queue, for bodies as they are on it: base64."""
        return self._queues.get_queue_client(name)

    def read_json(self, prefix: str) -> dict[str, dict[str, Any]]:
        """Read the state's documents whose names begin like this."""
        return {name: json.loads(body) for name, body in self.read_all(prefix).items()}

    def read_all(self, prefix: str) -> dict[str, bytes]:
        """Read the state's blobs whose names begin like this."""
        found = {}
        for name in self.state.list_blob_names(name_starts_with=prefix):
            try:
                found[name] = self.state.download_blob(name).readall()
            except ResourceNotFoundError:
                continue  # deleted since it was listed
        return found

    def accepted_at(self, run: Run) -> list[datetime]:
        """When SendGrid accepted each of the run's upserts, earliest first."""
        deliveries = self.read_json(f"runs/{run.export}/{run.id}/deliveries/").values()
        moments = (portion["accepted_at"] for each in deliveries for portion in each["accepted"])
        return sorted(datetime.fromisoformat(moment) for moment in moments)

    def chunks_by_status(self, run: Run) -> list[tuple[str, set[str]]]:
        """How each chunk of a run ended, and who is in it; nobody where the chunk is deleted by now."""
        folder = f"runs/{run.export}/{run.id}/"
        plans = self.read_json(f"{folder}plan.json").values()
        attempt = next((plan["attempt"] for plan in plans), "none")
        bodies = self.read_all(f"{folder}attempts/{attempt}/chunks/")
        ended = []
        for name, result in self.read_json(f"{folder}results/").items():
            number = name.rpartition("/")[2].removesuffix(".json")
            lines = bodies.get(f"{folder}attempts/{attempt}/chunks/{number}.ndjson", b"").splitlines()
            ended.append((str(result["status"]), {json.loads(line)["email"] for line in lines}))
        return ended


def _nothing(_: str) -> None:
    """Say nothing."""
