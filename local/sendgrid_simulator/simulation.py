"""The whole state of the simulator: one account, its keys and limits, the faults in force, the log."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from local.sendgrid_simulator.account import Account
from local.sendgrid_simulator.configuration import Configuration, changed
from local.sendgrid_simulator.exports import Export, ExportFiles, ExportWish
from local.sendgrid_simulator.faults import Fault, FaultQueue
from local.sendgrid_simulator.jobs import Work
from local.sendgrid_simulator.keys import ApiKeys
from local.sendgrid_simulator.rate_limit import Allowance, RateLimiter, rate_limit_headers, retry_after_header
from local.sendgrid_simulator.request_log import RequestLog

type Clock = Callable[[], float]


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
            self._dice, self._edge_dice = random.Random(0), random.Random(0)
            self.account = Account()
            self.keys = ApiKeys()
            self.limiter = RateLimiter()
            self.faults = FaultQueue(self.clock)
            self.log = RequestLog()

    def configure(self, changes: dict[str, Any]) -> None:
        """Changes settings; raises ValueError for unknown ones or bad values."""
        with self._lock:
            self.configuration = changed(self.configuration, changes)

    @contextmanager
    def settled(self) -> Iterator[float]:
        """Holds everything still, with every job that is due carried out, and gives the time."""
        with self._lock:
            now = self.clock()
            self.account.settle(now)
            yield now

    def effect_of(self, now: float) -> float:
        """Gives the moment at which what is accepted now takes effect."""
        return now + self.configuration.job_delay_seconds

    def submit(self, job_type: str, work: Work, now: float, *, requested: int, fault: Fault | None = None) -> str:
        """Accepts work on so many contacts and gives the id of its job."""
        due = self.effect_of(now)
        return self.account.jobs.submit(job_type, work, now=now, due=due, requested=requested, fault=fault)

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
        settings = self.configuration
        return self.limiter.take(
            endpoint,
            now,
            limit=settings.limit_of(endpoint),
            window_seconds=settings.rate_window_seconds,
            by_the_clock=settings.windows_by_the_clock,
        )

    def edge_refuses(self) -> bool:
        """Throws the dice for a page of the edge."""
        with self._lock:
            return self._edge_dice.random() < self.configuration.edge_406_share

    def allows(self, scopes: tuple[str, ...], wanted: str | None) -> bool:
        """Says whether a key with these scopes may do what needs `wanted`."""
        return wanted is None or self.configuration.scopes_instead.get(wanted, wanted) in scopes

    def limit_headers(self, allowance: Allowance, now: float) -> dict[str, str]:
        """Builds the headers that tell a client where it stands."""
        limit, form = (allowance.limit, allowance.remaining, allowance.resets), self.configuration.reset_form
        headers = rate_limit_headers(*limit, now, form)
        if not allowance.allowed and self.configuration.retry_after_form:
            headers |= retry_after_header(allowance.resets - now, now, self.configuration.retry_after_form)
        return headers
