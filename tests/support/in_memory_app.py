"""The app in memory: storage, queues, vault, SendGrid and a clock, with the real functions in the middle.

Messages are worked off one by one by the app's own queue functions; the clock jumps to the moment the next one
becomes visible, so days pass in milliseconds. Any storage or SendGrid call can be made to crash the process
before or after it took effect; the message then comes back, as the queue would bring it back.
"""

from __future__ import annotations

import csv
import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from azure.functions.queue import QueueMessage
from pydantic import SecretStr

from functions import queues, timers
from shared.access.keys import KeyHolders
from shared.definitions.resolve import resolve_export
from shared.errors import RunEndError, VaultUnavailableError
from shared.key_vault import Secrets
from shared.model.definitions import Connection, Consent, Export, FieldMapping, Saved
from shared.model.messages import (
    CHUNKS_QUEUE,
    EVENTS_QUEUE,
    IMPORTS_QUEUE,
    NOTIFICATIONS_QUEUE,
    POISON_SUFFIX,
    RUNS_QUEUE,
)
from shared.model.reason_codes import ReasonCode
from shared.model.runs import Run
from shared.runs.start import start_on_demand
from shared.runs.start_once import StartRequest, start_once
from shared.runs.views import get_rejected
from shared.sendgrid.gateway import SendGridGateway
from shared.sendgrid.rate_limiter import RateLimiter
from shared.services import Services
from shared.settings import Settings, StorageSettings
from shared.storage.documents import Store
from shared.storage.heartbeat import Heartbeat
from shared.storage.layout import RunBlobs, connection_blob, export_blob
from tests.support.factories import ADA, ADMIN_KEYS, an_actor, an_audit, plain, use_services
from tests.support.fake_receiver import FakeReceiver, a_webhook_gateway
from tests.support.fake_sendgrid import KEY, LIST_ID, FakeSendGrid
from tests.support.memory_storage import MemoryBlobs, MemoryQueues, SentMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from shared.model.definitions import OwnSchedule
    from shared.sendgrid.api import NoResponse, Request, Response

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MAX_DEQUEUE_COUNT = 10
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

    def write(self, name: str, value: SecretStr) -> str:
        if self.away_until and self.clock.now < self.away_until:
            raise VaultUnavailableError("Key Vault does not answer")
        self.secrets[name] = value.get_secret_value()
        return "version-2"


class InMemoryApp:
    """Everything, wired."""

    def __init__(self, *, refresh: OwnSchedule | None = None) -> None:
        self.clock = Clock()
        self.blobs = MemoryBlobs(self.clock)
        self.extracts = MemoryBlobs(self.clock)
        self.audit_blobs = MemoryBlobs(self.clock)
        self.queues = MemoryQueues(self.clock)
        self.vault = MemoryVault()
        self.vault.clock = self.clock
        self.sendgrid = FakeSendGrid()
        self.receiver = FakeReceiver(self.clock)
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
                authentication=ADMIN_KEYS,
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
            webhooks=a_webhook_gateway(self.clock, self.receiver),
            heartbeat=Heartbeat(store.blobs, self.clock),
            authenticator=KeyHolders(ADMIN_KEYS),
            audit=an_audit(Fragile(self.audit_blobs, self.crashes), self.clock),
            audit_blobs=self.audit_blobs,
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
        wish = Export(**definition)
        if "settle" not in wish.source.model_fields_set:  # most tests deliver and start at once
            source = wish.source.model_copy(update={"settle": timedelta(0)})
            wish = wish.model_copy(update={"source": source})
        self.save_connection(a_connection())
        saved = Saved[Export](id=export, definition=wish, **self._saved_now())
        Store(self.blobs).upsert(export_blob(export), saved)
        return export

    def save_connection(self, definition: Connection, connection: str = "main", **changes: object) -> None:
        """Save a connection; all exports go through the main one."""
        usual = self._saved_now() | {"uid": f"{connection}-1"}
        saved = Saved[Connection](id=connection, definition=definition, **(usual | changes))
        Store(self.blobs).upsert(connection_blob(connection), saved)

    def _saved_now(self) -> dict[str, Any]:
        now = self.clock()
        by = an_actor(is_administrator=True)
        return {"uid": "uid-1", "created_at": now, "created_by": by, "updated_at": now, "updated_by": by}

    def deliver_extract(self, people: Iterable[tuple[str, str]], *, segment: str = "Customers") -> None:
        """Put an extract of (e-mail, first name) rows where the export finds it."""
        rows = "".join(f'"{email}","{name}"\n' for email, name in people)
        stamp = self.clock().strftime("%Y/%m/%d/%H%M")
        self.extracts.upsert(f"{segment}/{stamp}/{segment}_1.csv", f"EMail,FirstName\n{rows}".encode())

    def start(self, export: str = "newsletter", **options: Any) -> Run:  # noqa: ANN401 - passed on
        """Start a run on demand."""
        job, key = resolve_export(self.services.store, export), options.pop("idempotency_key", None)
        request = StartRequest(export=export, export_uid=job.uid, by=ADA, operation="Runs.Start", key=key)
        return start_once(
            self.services,
            request,
            lambda run_id: start_on_demand(self.services, job, by=ADA, run_id=run_id, **options),
        ).run

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
            EVENTS_QUEUE: queues.extract_arrived,
            RUNS_QUEUE: queues.plan_run,
            CHUNKS_QUEUE: queues.deliver_chunk,
            IMPORTS_QUEUE: queues.check_import,
            NOTIFICATIONS_QUEUE: queues.notify,
            NOTIFICATIONS_QUEUE + POISON_SUFFIX: queues.bury_notification,
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

    def run_to_its_end(self, fault: Callable[[Request, int], Response | NoResponse | None] | None = None) -> Run:
        """Start a run, with SendGrid's fault if one is given, and work until it is over."""
        if fault is not None:
            self.sendgrid.fault = fault
        run = self.start()
        self.work()
        return self.run(run)

    # --- what a test looks at ---

    def run(self, run: Run) -> Run:
        """The run as it is now."""
        return Store(self.blobs).get(RunBlobs(export=run.export, run=run.id).document, Run).document

    def runs(self, export: str = "newsletter") -> list[Run]:
        """All runs of an export, oldest first."""
        folders = self.blobs.list_level(f"runs/{export}/").folders
        ids = [folder.rpartition("/")[2] for folder in folders]
        return [Store(self.blobs).get(RunBlobs(export=export, run=run).document, Run).document for run in ids]

    def rejected_rows(self, run: Run) -> list[tuple[str, str]]:
        """Row and reason of a run's rejected rows."""
        text, more, part = b"", True, 0
        while more:
            part += 1
            piece, more = get_rejected(self.services, run.export, run.id, part)
            text += piece
        return [(row["row"], row["reason"]) for row in csv.DictReader(text.decode().splitlines())]

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
        "consent": Consent(given_by=an_actor("Ada"), given_at=START, text="I agree."),
    }
    return Connection(**(definition | changes))


def user_function(registered: Any) -> Callable[[Any], None]:  # noqa: ANN401 - the SDK does not name it
    """The plain function behind a registered one, called as the host calls it."""
    return plain(registered)


def people(number: int, *, first: int = 0) -> list[tuple[str, str]]:
    """Different people."""
    return [(f"person{index}@example.com", f"Name{index}") for index in range(first, first + number)]


def emails(rows: Iterable[tuple[str, str]]) -> set[str]:
    """Their addresses."""
    return {email for email, _ in rows}
