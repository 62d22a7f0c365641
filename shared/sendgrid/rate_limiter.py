"""One rate limiter per connection and endpoint, shared by all instances through a small document.

SendGrid limits each endpoint by requests per window and publishes no numbers for contacts, so both are
learned from the headers of its responses. Slots are handed out in order of asking: a message that must wait holds
a moment in the future, so none starves. Three quarters of the limit are spread evenly and one quarter may
come at once, which keeps any window within the limit, wherever SendGrid's own windows begin.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pydantic import AwareDatetime

from shared.errors import BlobChangedError, BlobExistsError, BlobMissingError
from shared.model.documents import Document
from shared.sendgrid.decisions import asked_wait, rate_limit_reset
from shared.sendgrid.job_times import JobTimes
from shared.storage.layout import limiter_blob

if TYPE_CHECKING:
    from shared.sendgrid.api import Response
    from shared.storage.documents import Store

BURST_SHARE: Final = 0.25
"""Share of the limit that may be used at once; the rest is spread over the window."""

WINDOW_MAX: Final = 3600.0
"""Seconds; a longer window in a header is taken for a mistake."""

LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)


class RateLimit(Document):
    """What is known of an endpoint's limit, and which slots are taken."""

    limit: int = 0
    """Requests per window; 0 while unknown."""
    window: float = 0
    """Seconds."""
    next_slot: AwareDatetime = LONG_AGO
    """When the next request would come, if all were spread evenly."""
    not_before: AwareDatetime = LONG_AGO
    """SendGrid wants no request before."""
    job_times: JobTimes = JobTimes()
    """How long the jobs took that this endpoint tells of."""

    @property
    def interval(self) -> timedelta:
        """Time between two evenly spread requests."""
        spread = self.limit * (1 - BURST_SHARE)
        return timedelta(seconds=self.window / spread) if spread and self.window else timedelta()

    @property
    def tolerance(self) -> timedelta:
        """How far ahead of the even spread a burst may run."""
        return self.interval * max(self.limit * BURST_SHARE - 1, 0)


def reserve(state: RateLimit, now: datetime, slot: datetime | None = None) -> tuple[RateLimit, datetime]:
    """Reserve the next slot. Returns the new state and the earliest send time.

    A message that already holds `slot` keeps it, unless SendGrid has since asked for a pause beyond it; then it
    queues again, so that waiting messages do not all fire when the pause ends.
    """
    if slot is not None and slot >= state.not_before:
        return state, slot
    base = max(state.next_slot, state.not_before, now)
    moment = max(base - state.tolerance, state.not_before, now)
    return state.model_copy(update={"next_slot": base + state.interval}), moment


def learn(state: RateLimit, answer: Response, now: datetime) -> RateLimit:
    """What an answer's headers add to the knowledge."""
    reset = rate_limit_reset(answer.headers, now)
    limit = _whole(answer.headers.get("x-ratelimit-limit"))
    changes: dict[str, object] = {}
    if limit and 0 < reset <= WINDOW_MAX:
        known = state.window if limit == state.limit else 0.0
        changes |= {"limit": limit, "window": max(known, reset)}
    if answer.status == 429 or _whole(answer.headers.get("x-ratelimit-remaining")) == 0:  # noqa: PLR2004
        until = now + timedelta(seconds=asked_wait(answer.headers, now))
        changes["not_before"] = max(state.not_before, until)
    return state.model_copy(update=changes)


def _whole(value: str | None) -> int | None:
    return int(value) if value is not None and re.fullmatch(r"\s*[0-9]{1,9}\s*", value) else None


class RateLimiter:
    """The shared documents behind `reserve` and `learn`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def reserve(self, connection: str, endpoint: str, *, now: datetime, slot: datetime | None = None) -> datetime:
        """The moment from which the next request to `endpoint` may go out; it is reserved for the caller."""
        moment = now

        def change(state: RateLimit) -> RateLimit:
            nonlocal moment
            state, moment = reserve(state, now, slot)
            return state

        try:
            self._store.update(limiter_blob(connection, endpoint), RateLimit, change)
        except BlobMissingError:
            return now
        return moment

    def learn(self, connection: str, endpoint: str, answer: Response, *, now: datetime) -> None:
        """Remember what `answer` says about the limit."""
        name = limiter_blob(connection, endpoint)
        try:
            self._store.update(name, RateLimit, lambda state: learn(state, answer, now))
        except BlobMissingError:
            first = learn(RateLimit(), answer, now)
            if first != RateLimit():
                self._create(name, first)

    def job_times(self, connection: str, endpoint: str) -> JobTimes:
        """How long the newest jobs took that `endpoint` tells of."""
        found = self._store.find(limiter_blob(connection, endpoint), RateLimit)
        return found.document.job_times if found else JobTimes()

    def learn_job_time(self, connection: str, endpoint: str, seconds: float, *, removal: bool) -> None:
        """Remember how long a job took; one try, for where many jobs end at a time, one tells as much as all."""
        name = limiter_blob(connection, endpoint)
        found = self._store.find(name, RateLimit)
        state = found.document if found else RateLimit()
        changed = state.model_copy(update={"job_times": state.job_times.with_time(seconds, removal=removal)})
        if found is None:
            self._create(name, changed)
            return
        try:
            self._store.replace(name, changed, etag=found.etag)
        except BlobChangedError:
            return  # another instance has learned at the same moment

    def _create(self, name: str, state: RateLimit) -> None:
        try:
            self._store.create(name, state)
        except BlobExistsError:
            return  # another instance has learned it at the same moment
