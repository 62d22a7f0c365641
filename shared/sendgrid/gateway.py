"""The way to SendGrid: with a connection's key, within the limits that all instances share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from http.client import FORBIDDEN, TOO_MANY_REQUESTS, UNAUTHORIZED
from typing import TYPE_CHECKING

from shared.errors import ExportError, RunEndError, TransientError
from shared.sendgrid.api import NoResponse, Response
from shared.sendgrid.decisions import Action, Decision, decide
from shared.telemetry import Event, log_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pydantic import SecretStr

    from shared.key_vault import Secrets
    from shared.model.definitions import Region
    from shared.sendgrid.api import Request
    from shared.sendgrid.client import SendGrid
    from shared.sendgrid.rate_limiter import RateLimiter


class Endpoint(StrEnum):
    """What SendGrid limits apart from each other; names of the rate limiter's documents."""

    UPSERT = "upsert"
    """`PUT /v3/marketing/contacts`."""
    IMPORTS = "imports"
    """`GET /v3/marketing/contacts/imports/{id}`."""
    LISTS = "lists"
    SEARCH = "search"
    """`POST /v3/marketing/contacts/search/emails`."""
    REMOVALS = "removals"
    """`DELETE /v3/marketing/lists/{id}/contacts`."""
    CONTACTS = "contacts"
    """`GET /v3/marketing/contacts/count`."""
    CONTACT_EXPORTS = "contact-exports"
    """`/v3/marketing/contacts/exports`."""
    SCOPES = "scopes"
    FIELDS = "fields"


@dataclass(frozen=True, kw_only=True)
class Account:
    """The SendGrid account behind a connection."""

    connection: str
    secret_name: str
    region: Region


class SendGridGateway:
    """Sends requests and decides on their outcomes; nobody above it sees the key or the limiter.

    Args:
        client: Sends over HTTP.
        secrets: Has the API keys.
        limiter: Knows the limits of each connection and endpoint.
        clock: Tells the time.
        jitter: Gives a random number in [0, 1).
    """

    def __init__(
        self,
        *,
        client: SendGrid,
        secrets: Secrets,
        limiter: RateLimiter,
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
    ) -> None:
        self._client = client
        self._secrets = secrets
        self._limiter = limiter
        self._clock = clock
        self._jitter = jitter

    def send(
        self, account: Account, request: Request, *, endpoint: Endpoint, attempt: int
    ) -> tuple[Response | NoResponse, Decision]:
        """Send one request and decide on the outcome; a refused key is read again and tried once more.

        Raises:
            RunEndError: The vault has no key.
            VaultUnavailableError: The vault does not answer.
        """
        key = self._secrets.get(account.secret_name)
        outcome, decision = self._send(account, request, key=key, endpoint=endpoint, attempt=attempt)
        if decision.action is not Action.RENEW_KEY:
            return outcome, decision
        renewed = self._secrets.renew(account.secret_name)
        if renewed != key:
            outcome, decision = self._send(account, request, key=renewed, endpoint=endpoint, attempt=attempt)
        if decision.action is Action.RENEW_KEY:
            decision = Decision(action=Action.END_RUN, reason=decision.reason)
        return outcome, decision

    def fetch(self, account: Account, request: Request, *, endpoint: Endpoint, attempt: int) -> Response:
        """Send a request that reads; the response, which is JSON.

        Raises:
            RunEndError: The run cannot go on.
            TransientError: SendGrid does not answer now.
        """
        return _read(*self.send(account, request, endpoint=endpoint, attempt=attempt))

    def try_key(self, account: Account, request: Request, key: SecretStr) -> Response:
        """Send a request that reads with a key that is not stored; the response, which is JSON.

        What SendGrid says then is about that key: it is no event, and teaches no limit. Raises what `fetch`
        raises.
        """
        outcome = self._client.send(request, region=account.region, key=key)
        return _read(outcome, decide(outcome, attempt=1, now=self._clock(), jitter=self._jitter()))

    def store_key(self, account: Account, key: SecretStr) -> str:
        """Write the account's key to the vault; the version's name.

        Raises KeyNotWritableError and SecretDeletedError, VaultUnavailableError when it may pass.
        """
        return self._secrets.store(account.secret_name, key)

    def download(self, url: str) -> Response | NoResponse:
        """Fetch a file that SendGrid offers under a URL of its own, without the key."""
        return self._client.download(url)

    def read_file(self, url: str) -> Iterator[bytes]:
        """Read a large file that SendGrid offers under a URL of its own, without the key, block by block.

        Raises FileGoneError, and TransientError when the file does not come to its end.
        """
        return self._client.read_file(url)

    def reserve(self, connection: str, endpoint: Endpoint, *, now: datetime, slot: datetime | None) -> datetime:
        """Reserve the next slot at `endpoint`, or keep `slot`; the moment from which the request may go out."""
        return self._limiter.reserve(connection, endpoint, now=now, slot=slot)

    def expected_job_seconds(self, connection: str, *, removal: bool) -> float | None:
        """Seconds that the connection's next import job will likely take; None while that is not known."""
        try:
            return self._limiter.job_times(connection, Endpoint.IMPORTS).expected(removal=removal)
        except (ExportError, ValueError) as error:
            _log_not_kept(connection, error)
            return None

    def learn_job_seconds(self, connection: str, seconds: float, *, removal: bool) -> None:
        """Remember how long an import job took. That is advice: failing to keep it must not cost anything."""
        try:
            self._limiter.learn_job_time(connection, Endpoint.IMPORTS, seconds, removal=removal)
        except (ExportError, ValueError) as error:
            _log_not_kept(connection, error)

    def _send(
        self, account: Account, request: Request, *, key: SecretStr, endpoint: Endpoint, attempt: int
    ) -> tuple[Response | NoResponse, Decision]:
        outcome = self._client.send(request, region=account.region, key=key)
        now = self._clock()
        decision = decide(outcome, attempt=attempt, now=now, jitter=self._jitter())
        if isinstance(outcome, Response):
            self._learn(account, endpoint, outcome, now)
            _log_refusal(account, outcome, decision)
        return outcome, decision

    def _learn(self, account: Account, endpoint: Endpoint, outcome: Response, now: datetime) -> None:
        """Remember the limits of a response. They are advice: failing to keep them must not cost the response."""
        try:
            self._limiter.learn(account.connection, endpoint, outcome, now=now)
        except (ExportError, ValueError) as error:
            _log_not_kept(account.connection, error)


def _read(outcome: Response | NoResponse, decision: Decision) -> Response:
    """The response to a request that reads. Raises what `fetch` raises."""
    if isinstance(outcome, Response) and decision.action is Action.ACCEPT and outcome.json() is not None:
        return outcome
    if decision.action is Action.WAIT or decision.reason is None:
        status = outcome.status if isinstance(outcome, Response) else outcome
        raise TransientError(f"SendGrid answered {status}", retry_after=decision.wait)
    raise RunEndError(decision.reason.code, decision.reason.message)


def _log_not_kept(connection: str, error: Exception) -> None:
    log_event(Event.LIMIT_NOT_KEPT, connection=connection, error=type(error).__name__)


def _log_refusal(account: Account, response: Response, decision: Decision) -> None:
    if response.status == TOO_MANY_REQUESTS:
        log_event(Event.THROTTLED, connection=account.connection, wait_s=round(decision.wait, 1))
    if response.status in {UNAUTHORIZED, FORBIDDEN}:
        log_event(Event.SENDGRID_REFUSED, connection=account.connection, status=response.status)
