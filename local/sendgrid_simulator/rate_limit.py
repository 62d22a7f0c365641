"""SendGrid's limiter: so many requests to one endpoint in one window of time.

"You can no longer make requests against that endpoint for the remainder of the refresh period":
https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/rate-limits.
"""

import math
from dataclasses import dataclass
from email.utils import formatdate

from local.sendgrid_simulator.faults import WaitForm


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What is left of an endpoint's window after one request."""

    limit: int
    remaining: int
    resets: float
    allowed: bool


class RateLimiter:
    """Counts requests per endpoint in windows of time.

    They begin with an endpoint's first request or with the clock: documented is neither, recorded the latter.
    """

    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}

    def take(
        self, endpoint: str, now: float, *, limit: int, window_seconds: float, by_the_clock: bool
    ) -> Allowance:
        """Counts one request."""
        begins = now - now % window_seconds if by_the_clock else now
        started, used = self._windows.get(endpoint, (begins, 0))
        if now >= started + window_seconds:
            started, used = begins, 0
        used += 1
        self._windows[endpoint] = started, used
        resets = started + window_seconds
        return Allowance(limit=limit, remaining=max(0, limit - used), resets=resets, allowed=used <= limit)


def rate_limit_headers(limit: int, remaining: int, resets: float, now: float, form: WaitForm) -> dict[str, str]:
    """Builds the three headers.

    The rate limit page shows the reset as a Unix time, the specification of the data erasure API as seconds
    to go.
    """
    reset = resets if form is WaitForm.EPOCH else resets - now
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(math.ceil(reset)),
    }


def retry_after_header(seconds: float, now: float, form: WaitForm) -> dict[str, str]:
    """Builds Retry-After, as seconds or as a date; RFC 9110 section 10.2.3."""
    if form is WaitForm.DATE:
        return {"Retry-After": formatdate(math.ceil(now + seconds), usegmt=True)}
    return {"Retry-After": str(math.ceil(seconds))}
