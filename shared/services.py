"""What the steps of a run work with, handed in from outside."""

from __future__ import annotations

from dataclasses import dataclass
from http.client import TOO_MANY_REQUESTS
from typing import TYPE_CHECKING

from shared.errors import RunEndError, TransientError
from shared.records import RunStatus
from shared.retrying import Action, Decision, decide
from shared.sendgrid import Answer, Silence
from shared.telemetry import Event, record

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pydantic import SecretStr

    from shared.limiter import Limiter
    from shared.messages import ChunkMessage, RunMessage
    from shared.model import Region
    from shared.secrets import Secrets
    from shared.sendgrid import Request
    from shared.sendgrid_client import SendGrid
    from shared.settings import Settings
    from shared.storage import Blobs, Queues
    from shared.store import Store


@dataclass(frozen=True, kw_only=True)
class Services:
    """The outside world, and the clock."""

    settings: Settings
    store: Store
    extracts: Blobs
    queues: Queues
    secrets: Secrets
    sendgrid: SendGrid
    limiter: Limiter
    clock: Callable[[], datetime]
    chance: Callable[[], float]
    """A random number in [0, 1)."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """The SendGrid account behind a connection."""

    connection: str
    secret_name: str
    region: Region


def call(
    services: Services, account: Account, request: Request, *, endpoint: str, attempt: int
) -> tuple[Answer | Silence, Decision]:
    """Send one request and decide on the outcome; a refused key is read again and tried once more.

    Raises RunEndError when the vault has no key, VaultUnavailableError when it does not answer.
    """
    key = services.secrets.get(account.secret_name)
    outcome, decision = _send(services, account, request, key=key, endpoint=endpoint, attempt=attempt)
    if decision.action is not Action.RENEW_KEY:
        return outcome, decision
    renewed = services.secrets.renew(account.secret_name)
    if renewed != key:
        outcome, decision = _send(services, account, request, key=renewed, endpoint=endpoint, attempt=attempt)
    if decision.action is Action.RENEW_KEY:
        decision = Decision(action=Action.END_RUN, reason=decision.reason)
    return outcome, decision


def _send(
    services: Services, account: Account, request: Request, *, key: SecretStr, endpoint: str, attempt: int
) -> tuple[Answer | Silence, Decision]:
    outcome = services.sendgrid.send(request, region=account.region, key=key)
    now = services.clock()
    decision = decide(outcome, attempt=attempt, now=now, chance=services.chance())
    if isinstance(outcome, Answer):
        services.limiter.learn(account.connection, endpoint, outcome, now=now)
        if outcome.status == TOO_MANY_REQUESTS:
            record(Event.THROTTLED, connection=account.connection, wait_s=round(decision.wait, 1))
        if outcome.status in {401, 403}:
            record(Event.SENDGRID_REFUSED, connection=account.connection, status=outcome.status)
    return outcome, decision


def ask(services: Services, account: Account, request: Request, *, endpoint: str, attempt: int) -> Answer:
    """Send a request that reads; the answer.

    Raises RunEndError when the run cannot go on, TransientError when SendGrid does not answer now.
    """
    outcome, decision = call(services, account, request, endpoint=endpoint, attempt=attempt)
    if isinstance(outcome, Answer) and decision.action is Action.ACCEPT and outcome.json() is not None:
        return outcome
    if decision.action is Action.WAIT or decision.reason is None:
        status = outcome.status if isinstance(outcome, Answer) else outcome
        raise TransientError(f"SendGrid answered {status}", retry_after=decision.wait)
    raise RunEndError(RunStatus.FAILED, decision.reason)


def postpone(services: Services, queue: str, message: RunMessage | ChunkMessage, *, wait: float, why: str) -> None:
    """Replace the message being worked on by one that becomes visible after `wait` seconds.

    The function then returns as if all were well, so a wait never uses up the queue's dequeue count.
    """
    services.queues.send(queue, message.model_dump_json(exclude_none=True), delay=wait)
    record(Event.POSTPONED, queue=queue, export=message.export, run=message.run, wait_s=round(wait, 1), why=why)
