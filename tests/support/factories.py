"""One factory per noun: each makes a plausible value, and a test names only what it is about."""

from __future__ import annotations

import inspect
import itertools
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import azure.functions as func
import httpx
from pydantic import SecretStr

from functions import wiring
from shared.access.callers import Caller, CallerKind
from shared.access.keys import KeyHolders
from shared.audit.audit import Audit
from shared.audit.log import AuditLog
from shared.key_vault import Secrets
from shared.model.definitions import Actor, Connection, ConnectionDraft, Consent, Export, OwnSchedule, Region
from shared.model.messages import ChunkMessage, RunMessage
from shared.model.reasons import Reason
from shared.model.runs import (
    AcceptedRange,
    ChunkInfo,
    ChunkResult,
    ChunkStatus,
    ContactRange,
    Counts,
    Delivery,
    Plan,
    Run,
    Trigger,
)
from shared.sendgrid.api import ImportJob, JobStatus, Response
from shared.sendgrid.client import SendGridClient
from shared.sendgrid.gateway import SendGridGateway
from shared.sendgrid.rate_limiter import RateLimiter
from shared.services import Services
from shared.settings import Keys, Settings, read_settings
from shared.storage.documents import Store
from shared.storage.heartbeat import Heartbeat
from tests.support.fake_receiver import a_webhook_gateway
from tests.support.memory_storage import MemoryBlobs, MemoryQueues

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shared.model.roles import Role
    from shared.storage.interfaces import AppendBlobs

NOW: Final = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
LIST_ID: Final = UUID("5f2a1c9e-0000-4000-8000-000000000001")
RUN_ID: Final = "20260302T063000Z-scheduled"

ENVIRONMENT: Final[Mapping[str, str]] = {
    "KEY_VAULT_URL": "https://vault.example",
    "DataStorage": "UseDevelopmentStorage=true",
    "AUTHENTICATION": "keys",
    "KEY_ROLES": '{"admin": "Administrator"}',
}
"""The settings without which the app does not start."""
ADMIN_KEYS: Final = Keys.model_validate({"roles": {"admin": {"role": "Administrator"}}})
ADMIN_KEY: Final = "admin." + "0" * 64


_PROCESSES = itertools.count(1)


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class MemoryVault:
    """Secrets by name, and how often each was read."""

    def __init__(self, **secrets: str) -> None:
        self.secrets = secrets
        self.reads: list[str] = []

    def read(self, name: str) -> SecretStr:
        self.reads.append(name)
        return SecretStr(self.secrets[name])

    def write(self, name: str, value: SecretStr) -> str:
        self.secrets[name] = value.get_secret_value()
        return "version-2"


# --- definitions --------------------------------------------------------------------------------------------


def an_actor(name: str = "admin", **changes: object) -> Actor:
    return Actor.model_validate({"id": name, "name": name} | changes)


ADA: Final = an_actor("Ada", is_administrator=True)
BO: Final = an_actor("Bo", is_administrator=True)


def a_consent(**changes: object) -> Consent:
    usual = {"given_by": an_actor("data-officer"), "given_at": NOW, "text": "Agreed."}
    return Consent.model_validate(usual | changes)


def a_connection(**changes: object) -> Connection:
    usual = {"display_name": "Marketing", "secret_name": "sendgrid-key", "consent": a_consent()}
    return Connection.model_validate(usual | changes)


def a_draft(**changes: object) -> ConnectionDraft:
    usual = {"display_name": "Marketing", "secret_name": "sendgrid-key", "consent": {"text": "Agreed."}}
    return ConnectionDraft.model_validate(usual | changes)


def a_caller(*roles: Role, id: str = "nora", **changes: Any) -> Caller:  # noqa: A002, ANN401 - as the field is called
    usual: dict[str, Any] = {"id": id, "name": f"{id}@example.com", "kind": CallerKind.PERSON}
    return Caller(**(usual | {"roles": frozenset(roles)} | changes))


def an_export(**changes: object) -> Export:
    usual = {
        "name": "Loyal customers",
        "connection": "marketing",
        "list_id": LIST_ID,
        "segments": ("Loyal",),
        "mapping": {"email": "Email"},
    }
    return Export.model_validate(usual | changes)


def a_schedule(cron: str = "30 6 * * *", time_zone: str = "UTC") -> OwnSchedule:
    return OwnSchedule(kind="cron", cron=cron, time_zone=time_zone)


# --- runs ---------------------------------------------------------------------------------------------------


def a_reason(code: str = "unavailable", message: str = "SendGrid was away.") -> Reason:
    return Reason(code=code, message=message)


def a_run(**changes: object) -> Run:
    usual = {
        "id": RUN_ID,
        "export": "loyal",
        "export_uid": "loyal-1",
        "connection": "marketing",
        "connection_uid": "marketing-1",
        "trigger": Trigger.SCHEDULED,
        "requested_by": "timer",
        "acts_for": an_actor(is_administrator=True),
        "created_at": NOW,
    }
    return Run.model_validate(usual | changes)


def a_chunk(number: int = 1, **changes: object) -> ChunkInfo:
    return ChunkInfo.model_validate({"number": number, "contacts": 10, "bytes": 400} | changes)


def a_plan(**changes: object) -> Plan:
    usual = {
        "attempt": "a1",
        "fingerprint": "f1",
        "export_uid": "loyal-1",
        "connection": "marketing",
        "connection_uid": "marketing-1",
        "list_id": LIST_ID,
        "secret_name": "sendgrid-key",
        "region": Region.GLOBAL,
        "chunks": (a_chunk(),),
        "counts": Counts(rows_read=10, sent=10),
        "committed_at": NOW,
    }
    return Plan.model_validate(usual | changes)


def a_range(first: int = 0, contacts: int = 10) -> ContactRange:
    return ContactRange(first=first, contacts=contacts)


def an_accepted_range(first: int = 0, contacts: int = 10, job_id: str = "job-1") -> AcceptedRange:
    return AcceptedRange(first=first, contacts=contacts, job_id=job_id, accepted_at=NOW)


def a_delivery(**changes: object) -> Delivery:
    return Delivery.model_validate({"pending": (a_range(),)} | changes)


def a_result(**changes: object) -> ChunkResult:
    usual = {"status": ChunkStatus.COMPLETED, "finished_at": NOW, "contacts": 10}
    return ChunkResult.model_validate(usual | changes)


def a_run_message(**changes: object) -> RunMessage:
    return RunMessage.model_validate({"export": "loyal", "run": RUN_ID} | changes)


def a_chunk_message(**changes: object) -> ChunkMessage:
    return ChunkMessage.model_validate({"export": "loyal", "run": RUN_ID, "chunk": 1} | changes)


# --- SendGrid -----------------------------------------------------------------------------------------------


def an_answer(status: int = 200, body: object = b"", **headers: object) -> Response:
    """Bytes stay as they are, anything else becomes JSON; header names are given with underscores."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return Response(status=status, headers=named, body=content)


def an_error(message: str, status: int = 400, **members: object) -> Response:
    """An answer in SendGrid's usual shape, with one error."""
    return an_answer(status, {"errors": [{"field": None, "message": message} | members]})


def an_import_job(status: JobStatus = JobStatus.COMPLETED, **counters: int | None) -> ImportJob:
    return ImportJob(status=status, **counters)  # type: ignore[arg-type]  # errors_url is no counter


# --- the outside --------------------------------------------------------------------------------------------


def some_settings(**changes: str) -> Settings:
    return read_settings({**ENVIRONMENT, **changes})


def _nobody_home(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no SendGrid here", request=request)


def an_audit(blobs: AppendBlobs, clock: Callable[[], datetime]) -> Audit:
    """An audit log that a process begins anew."""
    return Audit(AuditLog(blobs, clock, f"p{next(_PROCESSES)}"), clock)


def some_services(clock: Clock | None = None, **changes: Any) -> Services:  # noqa: ANN401 - parts of any type
    """Services whose storage is in memory, and whose SendGrid cannot be reached."""
    clock = clock or Clock()
    store, audit_blobs = Store(MemoryBlobs(clock)), MemoryBlobs(clock)
    usual: dict[str, Any] = {
        "settings": some_settings(),
        "store": store,
        "extracts": MemoryBlobs(clock),
        "queues": MemoryQueues(clock),
        "sendgrid": SendGridGateway(
            client=SendGridClient(transport=httpx.MockTransport(_nobody_home)),
            secrets=Secrets(MemoryVault(**{"sendgrid-key": "SG.secret"}), clock),
            limiter=RateLimiter(store),
            clock=clock,
            jitter=lambda: 0.5,
        ),
        "webhooks": a_webhook_gateway(clock),
        "heartbeat": Heartbeat(store.blobs, clock),
        "authenticator": KeyHolders(ADMIN_KEYS),
        "audit": an_audit(audit_blobs, clock),
        "audit_blobs": audit_blobs,
        "clock": clock,
        "jitter": lambda: 0.5,
    }
    return Services(**(usual | changes))


@dataclass(frozen=True, kw_only=True)
class ATrace:
    """Where an invocation is in a trace."""

    trace_parent: str


@dataclass(frozen=True, kw_only=True)
class AContext:
    """What the host hands over beside what triggered a function."""

    trace_context: ATrace


def a_context(trace_id: str = "") -> Any:  # noqa: ANN401 - stands in for the library's own
    """The context of an invocation that belongs to this trace, or to one of its own."""
    return AContext(
        trace_context=ATrace(trace_parent=f"00-{trace_id or secrets.token_hex(16)}-{secrets.token_hex(8)}-01")
    )


def plain(registered: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - the SDK does not name it
    """The plain function behind a registered one, called as the host calls it."""
    return called(registered._function.get_user_function())


def called(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """A function as the host calls it: with a context, if it asks for one."""
    if "context" not in inspect.signature(function).parameters:
        return function
    return lambda trigger: function(trigger, a_context())


def a_request(body: object = b"", **parts: Any) -> func.HttpRequest:  # noqa: ANN401 - azure.functions' own types
    """An HTTP request as the Functions host hands it over; a body that is not bytes becomes JSON.

    It is an administrator's, unless its headers say otherwise.
    """
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    usual = {
        "method": "GET",
        "url": "https://app.example/api",
        "body": content,
        "headers": {"x-functions-key": ADMIN_KEY},
    }
    return func.HttpRequest(**(usual | parts))


def use_services(services: Services) -> None:
    """Have the functions of this process work with these services."""
    vars(wiring)["_build"] = lambda: (services, services)
    wiring._built.cache_clear()
