"""The app in memory: storage, queues, vault, SendGrid and a clock, with the real functions in the middle.

Messages are worked off one by one by the app's own queue functions; the clock jumps to the moment the next one
becomes visible, so days pass in milliseconds. Any storage or SendGrid call can be made to crash the process
before or after it took effect; the message then comes back, as the queue would bring it back.
"""

from __future__ import annotations

import itertools
import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from azure.functions.queue import QueueMessage
from pydantic import SecretStr

from functions import queues, timers
from shared.definitions.resolve import resolve_export
from shared.errors import RunEndError, VaultUnavailableError
from shared.key_vault import Secrets
from shared.model.definitions import Connection, Consent, Export, FieldMapping, Saved
from shared.model.messages import CHUNKS_QUEUE, IMPORTS_QUEUE, POISON_SUFFIX, RUNS_QUEUE
from shared.model.reasons import ReasonCode
from shared.model.runs import Run
from shared.runs.start import start_on_demand
from shared.sendgrid.api import NoResponse, Response
from shared.sendgrid.gateway import SendGridGateway
from shared.sendgrid.rate_limiter import RateLimiter
from shared.services import Services
from shared.settings import Settings, StorageSettings
from shared.storage.documents import Store
from shared.storage.heartbeat import Heartbeat
from shared.storage.layout import RunBlobs, connection_blob, export_blob
from tests.support.factories import use_services
from tests.support.memory_storage import MemoryBlobs, MemoryQueues, SentMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from shared.model.definitions import OwnSchedule, Region
    from shared.sendgrid.api import Request

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LIST_ID = UUID("11111111-2222-4333-8444-555555555555")
KEY = "SG.first-key"
MAX_DEQUEUE_COUNT = 5
MOST_STEPS = 5_000


class CrashError(BaseException):
    """The process is gone. Not an Exception: nothing in the app may catch it."""


class Clock:
    """A clock that only moves when it is told to; every look takes a millisecond."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def reach(self, moment: datetime) -> None:
        self.now = max(self.now, moment)


class Crashes:
    """Crashes at chosen calls to the outside, counted from 0, before or after their effect."""

    def __init__(self) -> None:
        self.at: dict[int, str] = {}
        self.calls = 0

    def around[T](self, call: Callable[[], T]) -> T:
        fate = self.at.pop(self.calls, None)
        self.calls += 1
        if fate == "before":
            raise CrashError
        value = call()
        if fate == "after":
            raise CrashError
        return value


class Fragile:
    """Wraps a part of the outside world so that any call to it may crash."""

    def __init__(self, part: object, crashes: Crashes) -> None:
        self._part = part
        self._crashes = crashes

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - stands in for any part
        method = getattr(self._part, name)
        if not callable(method):
            return method
        return lambda *args, **kwargs: self._crashes.around(lambda: method(*args, **kwargs))


class MemoryVault:
    """Secrets by name."""

    def __init__(self) -> None:
        self.secrets = {"sendgrid-key": KEY}
        self.away_until: datetime | None = None
        self.reads = 0
        self.clock: Clock

    def read(self, name: str) -> SecretStr:
        self.reads += 1
        if self.away_until and self.clock.now < self.away_until:
            raise VaultUnavailableError("Key Vault does not answer")
        if name not in self.secrets:
            raise RunEndError(ReasonCode.SECRET_MISSING, "no such secret")
        return SecretStr(self.secrets[name])


@dataclass
class Job:
    """An import job of the fake."""

    contacts: list[dict[str, Any]]
    list_ids: list[str]
    removes: bool = False
    looks: int = 0


@dataclass
class FakeSendGrid:
    """Behaves: accepts upserts, applies them when their job is looked at, answers with SendGrid's bodies."""

    keys: set[str] = field(default_factory=lambda: {KEY})
    scopes: list[str] = field(default_factory=lambda: ["marketing.read", "marketing.write"])
    lists: dict[str, set[str]] = field(default_factory=lambda: {str(LIST_ID): set()})
    custom_fields: list[dict[str, str]] = field(default_factory=list)
    looks_until_done: int = 2
    jobs: dict[str, Job] = field(default_factory=dict)
    upserts: list[list[str]] = field(default_factory=list)
    removals: list[list[str]] = field(default_factory=list)
    fault: Callable[[Request, int], Response | NoResponse | None] = lambda _request, _number: None
    """Asked first, with the number of the request: an answer, or None to behave."""
    job_answer: Callable[[str, Job], dict[str, Any] | None] = lambda _id, _job: None
    """Asked for a job's document: one, or None to behave."""
    errors: bytes = b""
    """The error file of every job, if it is to say something."""
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: int = 0

    def send(self, request: Request, *, region: Region, key: SecretStr) -> Response | NoResponse:
        del region
        self.requests += 1
        if faulty := self.fault(request, self.requests):
            return faulty
        if key.get_secret_value() not in self.keys:
            return answer(401, {"errors": [{"field": None, "message": "authorization required"}]})
        return self.behave(request)

    def behave(self, request: Request) -> Response:
        """What SendGrid does with a request that it takes."""
        match request.path.split("/")[2:]:
            case ["scopes"]:
                found = answer(200, {"scopes": self.scopes})
            case ["marketing", "lists", list_id] | ["marketing", "lists", list_id, "contacts", "count"]:
                found = self._list(list_id)
            case ["marketing", "lists", list_id, contacts] if contacts.startswith("contacts?contact_ids="):
                found = self.remove(list_id, contacts.partition("=")[2].split(","))
            case ["marketing", "field_definitions"]:
                found = answer(200, {"custom_fields": self.custom_fields, "reserved_fields": []})
            case ["marketing", "contacts", "search", "emails"]:
                found = self.search(json.loads(request.body or b"")["emails"])
            case ["marketing", "contacts"]:
                found = self.accept(json.loads(request.body or b""))
            case ["marketing", "contacts", "imports", job]:
                found = self._job(job)
            case _:
                found = answer(404, {"errors": [{"message": "not found"}]})
        return found

    def download(self, url: str) -> Response | NoResponse:
        return Response(status=200, body=self.errors or f"errors of {url}".encode())

    def accept(self, body: dict[str, Any]) -> Response:
        self.upserts.append([contact["email"] for contact in body["contacts"]])
        job = f"job-{len(self.jobs) + 1}"
        self.jobs[job] = Job(contacts=body["contacts"], list_ids=body["list_ids"])
        return answer(202, {"job_id": job})

    def search(self, addresses: list[str]) -> Response:
        assert len(addresses) <= 100
        found = {
            address: {
                "contact": {
                    "id": contact_id(address),
                    "email": address,
                    "list_ids": [name for name, members in self.lists.items() if address in members],
                }
            }
            for address in addresses
            if address in self.contacts
        }
        missing = {address: {"error": "contact not found"} for address in addresses if address not in found}
        return answer(200, {"result": found | missing}) if found else answer(404, {"errors": []})

    def remove(self, list_id: str, ids: list[str]) -> Response:
        assert len(ids) <= 100
        by_id = {contact_id(address): address for address in self.contacts}
        if not all(each in by_id for each in ids):
            return answer(404, {"errors": [{"message": "one or more contact ids do not exist"}]})
        self.removals.append([by_id[each] for each in ids])
        job = f"job-{len(self.jobs) + 1}"
        self.jobs[job] = Job(contacts=[{"email": by_id[each]} for each in ids], list_ids=[list_id], removes=True)
        return answer(202, {"job_id": job})

    def _list(self, list_id: str) -> Response:
        if list_id not in self.lists:
            return answer(404, [{"message": "list not found"}])
        return answer(200, {"id": list_id, "name": "List", "contact_count": len(self.lists[list_id])})

    def _job(self, job_id: str) -> Response:
        job = self.jobs.get(job_id)
        if job is None:
            return answer(404, {"errors": [{"message": "job not found"}]})
        job.looks += 1
        if special := self.job_answer(job_id, job):
            return answer(200, special)
        if job.looks < self.looks_until_done:
            return answer(200, {"id": job_id, "status": "pending", "results": {}})
        self.apply(job)
        if job.removes:
            return answer(200, {"id": job_id, "status": "completed", "results": {}})
        results = {"requested_count": len(job.contacts), "created_count": len(job.contacts)}
        return answer(200, {"id": job_id, "status": "completed", "results": results})

    def apply(self, job: Job) -> None:
        if job.removes:
            for list_id in job.list_ids:
                self.lists[list_id] -= {contact["email"] for contact in job.contacts}
            return
        for contact in job.contacts:
            self.contacts[contact["email"]] = contact
            for list_id in job.list_ids:
                self.lists[list_id].add(contact["email"])


def contact_id(address: str) -> str:
    """The id that the fake gives a contact."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, address))


def is_upsert(request: Request) -> bool:
    """Whether it brings contacts."""
    return request.method == "PUT"


def answer(status: int, document: object, **headers: str) -> Response:
    """An answer with a JSON body; header names are given with underscores."""
    return Response(
        status=status,
        body=json.dumps(document).encode(),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


class InMemoryApp:
    """Everything, wired."""

    def __init__(self, *, refresh: OwnSchedule | None = None) -> None:
        self.clock = Clock()
        self.blobs = MemoryBlobs(self.clock)
        self.extracts = MemoryBlobs(self.clock)
        self.queues = MemoryQueues(self.clock)
        self.vault = MemoryVault()
        self.vault.clock = self.clock
        self.sendgrid = FakeSendGrid()
        self.crashes = Crashes()
        self.poison: list[SentMessage] = []
        self._message_ids = itertools.count(1)
        self.services = self._services(refresh)

    def _services(self, refresh_schedule: OwnSchedule | None) -> Services:
        store = Store(Fragile(self.blobs, self.crashes))
        storage = StorageSettings(connection_string="memory")
        return Services(
            settings=Settings(
                key_vault_url="https://vault.example",
                data_storage=storage,
                extract_storage=storage,
                refresh=refresh_schedule,
            ),
            store=store,
            extracts=self.extracts,
            queues=Fragile(self.queues, self.crashes),
            sendgrid=SendGridGateway(
                client=Fragile(self.sendgrid, self.crashes),
                secrets=Secrets(self.vault, self.clock),
                limiter=RateLimiter(store),
                clock=self.clock,
                jitter=lambda: 0.5,
            ),
            heartbeat=Heartbeat(store.blobs, self.clock),
            clock=self.clock,
            jitter=lambda: 0.5,
        )

    # --- what a test sets up ---

    def save(self, export: str = "newsletter", **changes: Any) -> str:  # noqa: ANN401 - a definition's fields
        """Save an export and its connection; the export's id."""
        definition = {
            "name": "Newsletter",
            "connection": "main",
            "list_id": LIST_ID,
            "segments": ("Customers",),
            "mapping": FieldMapping(email="EMail", first_name="FirstName"),
        } | changes
        self.save_connection(a_connection())
        saved = Saved[Export](id=export, definition=Export(**definition), **self._saved_now())
        Store(self.blobs).upsert(export_blob(export), saved)
        return export

    def save_connection(self, definition: Connection) -> None:
        """Save the connection that all exports go through."""
        saved = Saved[Connection](id="main", definition=definition, **self._saved_now())
        Store(self.blobs).upsert(connection_blob("main"), saved)

    def _saved_now(self) -> dict[str, Any]:
        now = self.clock()
        return {"created_at": now, "updated_at": now, "updated_by": "test"}

    def deliver_extract(self, people: Iterable[tuple[str, str]], *, segment: str = "Customers") -> None:
        """Put an extract of (e-mail, first name) rows where the export finds it."""
        rows = "".join(f'"{email}","{name}"\n' for email, name in people)
        stamp = self.clock().strftime("%Y/%m/%d/%H%M")
        self.extracts.upsert(f"{segment}/{stamp}/{segment}_1.csv", f"EMail,FirstName\n{rows}".encode())

    def start(self, export: str = "newsletter", **options: Any) -> Run:  # noqa: ANN401 - passed on
        """Start a run on demand."""
        return start_on_demand(
            self.services, resolve_export(self.services.store, export), requested_by="test", **options
        )

    # --- how time goes on ---

    def work(self, *, until: datetime | None = None) -> None:
        """Work off all messages, however late they become visible, up to a moment."""
        for _ in range(MOST_STEPS):
            if not self.queues.waiting or (until and self.queues.waiting[0].due > until):
                return
            self.step()
        raise AssertionError("the queues never become empty")

    def step(self) -> None:
        """Work off the next message, as often as the queue brings it back."""
        message = self.queues.take()
        assert message is not None
        self.clock.reach(message.due)
        identity = f"message-{next(self._message_ids)}"
        for _ in range(MAX_DEQUEUE_COUNT * 10):
            try:
                self.trigger(message.queue, message.body, identity)
            except CrashError:
                self._restart()
            else:
                return
        raise AssertionError("the message never gets through")

    def trigger(self, queue: str, body: str, identity: str) -> None:
        """Call the app's own function for a queue."""
        use_services(self.services)
        handlers = {
            RUNS_QUEUE: queues.plan_run,
            CHUNKS_QUEUE: queues.deliver_chunk,
            IMPORTS_QUEUE: queues.check_import,
            RUNS_QUEUE + POISON_SUFFIX: queues.bury_run,
            CHUNKS_QUEUE + POISON_SUFFIX: queues.bury_chunk,
            IMPORTS_QUEUE + POISON_SUFFIX: queues.bury_import,
        }
        user_function(handlers[queue])(QueueMessage(id=identity, body=body))

    def tick(self) -> None:
        """Fire both timers."""
        use_services(self.services)
        for timer in (timers.refresh_exports, timers.sweep):
            user_function(timer)(None)

    def _restart(self) -> None:
        """A new process: memory is gone, and the crashed call's message waits a moment."""
        self.clock.now += timedelta(seconds=30)
        self.services = self._services(self.services.settings.refresh)

    # --- what a test looks at ---

    def run(self, run: Run) -> Run:
        """The run as it is now."""
        return Store(self.blobs).get(RunBlobs(export=run.export, run=run.id).document, Run).document

    def runs(self, export: str = "newsletter") -> list[Run]:
        """All runs of an export, oldest first."""
        folders = self.blobs.list_level(f"runs/{export}/").folders
        ids = [folder.rpartition("/")[2] for folder in folders]
        return [Store(self.blobs).get(RunBlobs(export=export, run=run).document, Run).document for run in ids]

    def on_list(self) -> set[str]:
        """E-mail addresses on the list."""
        return self.sendgrid.lists[str(LIST_ID)]

    def names(self, prefix: str = "") -> Iterator[str]:
        """Names of the state's blobs."""
        return (item.name for item in self.blobs.list_blobs(prefix))


def a_connection(**changes: object) -> Connection:
    """A connection with consent."""
    definition = {
        "display_name": "Main account",
        "secret_name": "sendgrid-key",
        "consent": Consent(given_by="Ada", given_at=START, text="I agree."),
    }
    return Connection(**(definition | changes))


def user_function(registered: Any) -> Callable[[Any], None]:  # noqa: ANN401 - the SDK does not name it
    """The plain function behind a registered one."""
    function: Callable[[Any], None] = registered._function.get_user_function()
    return function


def people(number: int, *, first: int = 0) -> list[tuple[str, str]]:
    """Different people."""
    return [(f"person{index}@example.com", f"Name{index}") for index in range(first, first + number)]


def emails(rows: Iterable[tuple[str, str]]) -> set[str]:
    """Their addresses."""
    return {email for email, _ in rows}
