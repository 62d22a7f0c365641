"""The whole state of the simulator: one account, its keys and limits, the faults in force, the log."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from local.sendgrid_simulator.account import Account
from local.sendgrid_simulator.exports import Export, ExportFiles, ExportWish
from local.sendgrid_simulator.faults import Fault, FaultQueue, WaitForm
from local.sendgrid_simulator.jobs import Work
from local.sendgrid_simulator.keys import ApiKeys
from local.sendgrid_simulator.rate_limit import Allowance, RateLimiter, rate_limit_headers, retry_after_header
from local.sendgrid_simulator.request_log import RequestLog

type Clock = Callable[[], float]


class Configuration(BaseModel):
    """What can be set while the simulator runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_delay_seconds: float = Field(default=1, ge=0)
    """From the acceptance of an upsert to the end of its job."""
    latency_seconds: float = Field(default=0, ge=0)
    """Added to every answer."""
    rate_limit: int = Field(default=10_000, ge=0)
    """Requests per endpoint and window. SendGrid publishes no number for the marketing endpoints."""
    rate_window_seconds: float = Field(default=60, gt=0)
    reset_form: WaitForm = WaitForm.EPOCH
    retry_after_form: WaitForm | None = None
    """The form of Retry-After on a 429; none leaves it out, as SendGrid's documentation does."""
    export_delay_seconds: float = Field(default=1, ge=0)
    """From the acceptance of an export to its end."""
    export_file_contacts: int = Field(default=1_000_000, ge=1)
    """The most contacts in a file of an export, whatever size of files was asked for."""
    uncompressed_share: float = Field(default=0, ge=0, le=1)
    """How many of the exports are not compressed, though their files are named .gz."""
    public_url: str = "https://api.sendgrid.com"
    """The address that links in answers begin with."""


class Simulation:
    """Everything the simulator remembers; code that may run on several threads enters through `settled`."""

    def __init__(self, configuration: Configuration | None = None, clock: Clock = time.time) -> None:
        self.clock = clock
        self._initial = configuration or Configuration()
        self._lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Forgets everything: keys, contacts, lists, fields, jobs, faults, log and settings."""
        with self._lock:
            self.configuration = self._initial
            self._dice = random.Random(0)
            self.account = Account()
            self.keys = ApiKeys()
            self.limiter = RateLimiter()
            self.faults = FaultQueue(self.clock)
            self.log = RequestLog()

    def configure(self, changes: dict[str, Any]) -> None:
        """Changes settings; raises pydantic.ValidationError for unknown ones or bad values."""
        with self._lock:
            self.configuration = Configuration.model_validate(self.configuration.model_dump() | changes)

    @contextmanager
    def settled(self) -> Iterator[float]:
        """Holds everything still, with every job that is due carried out, and gives the time."""
        with self._lock:
            now = self.clock()
            self.account.settle(now)
            yield now

    def submit(self, job_type: str, work: Work, now: float, fault: Fault | None = None) -> str:
        """Accepts work and gives the id of its job."""
        due = now + self.configuration.job_delay_seconds
        return self.account.jobs.submit(job_type, work, now=now, due=due, fault=fault)

    def submit_export(self, wish: ExportWish, now: float, fault: Fault | None) -> Export:
        """Accepts an export."""
        settings = self.configuration
        compressed = self._dice.random() >= settings.uncompressed_share

        def render() -> ExportFiles:
            return self.account.write_export(
                wish, settings.public_url, most_rows=settings.export_file_contacts, compressed=compressed
            )

        due = now + settings.export_delay_seconds
        return self.account.exports.submit(wish, render, now=now, due=due, fault=fault)

    def count_request(self, endpoint: str, now: float) -> Allowance:
        """Counts a request against its endpoint's limit."""
        limit, window = self.configuration.rate_limit, self.configuration.rate_window_seconds
        return self.limiter.take(endpoint, now, limit=limit, window_seconds=window)

    def limit_headers(self, allowance: Allowance, now: float) -> dict[str, str]:
        """Builds the headers that tell a client where it stands."""
        limit, form = (allowance.limit, allowance.remaining, allowance.resets), self.configuration.reset_form
        headers = rate_limit_headers(*limit, now, form)
        if not allowance.allowed and self.configuration.retry_after_form:
            headers |= retry_after_header(allowance.resets - now, now, self.configuration.retry_after_form)
        return headers
