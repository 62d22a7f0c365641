"""What to do about SendGrid's answer: a decision as a value, never a loop or a sleep.

https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/errors
https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/rate-limits
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from shared.limits import BACKOFF_BASE, BACKOFF_CAP, BLOCK_TRIES, BLOCK_WAIT, QUEUE_DELAY_MAX
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import Reason
from shared.sendgrid.api import NoResponse, Response
from shared.sendgrid.refusals import NamedContacts, named_contacts, told, words_to_judge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TRANSIENT: Final = frozenset({405, 406, 408, 429})
"""Statuses that pass by themselves, beside those from 500 on.

405 and 406 are pages of SendGrid's edge that come at random; the next identical request succeeds:
https://github.com/sendgrid/sendgrid-php/issues/1054
"""
SERVER_ERRORS: Final = range(500, 600)
NOT_ALLOWED: Final = re.compile(r"\bip\b.*(?:white|allow|access)|(?:white|allow|access)\s?list", re.IGNORECASE)
"""Words of a refusal by IP Access Management, which comes as 401 or 403."""

EPOCH_FROM: Final = 1_000_000_000
"""X-RateLimit-Reset above this is a Unix time, below it a number of seconds; SendGrid documents both."""


class Action(StrEnum):
    """What the caller does next."""

    ACCEPT = "accept"
    """SendGrid took the request."""
    WAIT = "wait"
    """Try again, not before `wait` seconds have passed."""
    RENEW_KEY = "renew_key"
    """Read the key again; if it is still the same, the run ends with `reason`."""
    SPLIT = "split"
    """Send the contacts in two requests: too many bytes, or somebody unnamed is refused."""
    DROP = "drop"
    """Leave out the contacts in `named` and send the rest."""
    END_CHUNK = "end_chunk"
    """This request will never be taken; the chunk ends with `reason`."""
    END_RUN = "end_run"
    """No request of this run will be taken; the run ends with `reason`."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """An action and what it needs."""

    action: Action
    wait: float = 0
    """Seconds, for WAIT."""
    reason: Reason | None = None
    named: NamedContacts = field(default_factory=NamedContacts)


def decide(outcome: Response | NoResponse, *, attempt: int, now: datetime, jitter: float) -> Decision:
    """Decide after the `attempt`-th try, at `now`; `jitter` in [0, 1) spreads the waits."""
    if isinstance(outcome, NoResponse):
        return Decision(action=Action.WAIT, wait=backoff(attempt, jitter))
    if outcome.ok:
        return Decision(action=Action.ACCEPT)
    if outcome.status in TRANSIENT or outcome.status in SERVER_ERRORS:
        asked = asked_wait(outcome.headers, now)
        return Decision(action=Action.WAIT, wait=max(asked, backoff(attempt, jitter)))
    decision = _REFUSALS.get(outcome.status, _refused)(outcome, attempt)
    if decision.action is Action.WAIT:
        return replace(decision, wait=max(decision.wait, asked_wait(outcome.headers, now)))
    return decision


def backoff(attempt: int, jitter: float) -> float:
    """Seconds to wait after the `attempt`-th try: full jitter, one second at least.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    ceiling = min(BACKOFF_CAP, BACKOFF_BASE * 2.0 ** min(attempt - 1, 30))
    return 1 + jitter * (ceiling - 1)


def asked_wait(headers: Mapping[str, str], now: datetime) -> float:
    """Seconds to wait by Retry-After or X-RateLimit-Reset, the longer one; 0 when neither is there."""
    asked = max(_retry_after(headers.get("retry-after", ""), now), rate_limit_reset(headers, now))
    return min(max(asked, 0.0), QUEUE_DELAY_MAX)


def rate_limit_reset(headers: Mapping[str, str], now: datetime) -> float:
    """Seconds until the rate limit's window ends; 0 when the headers do not say."""
    value = _number(headers.get("x-ratelimit-reset", ""))
    return max(value - now.timestamp() if value >= EPOCH_FROM else value, 0.0)


def _retry_after(value: str, now: datetime) -> float:
    if number := _number(value):
        return number
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()


def _number(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        return 0.0
    return number if 0 <= number < float("inf") else 0.0


def _bad_request(answer: Response, _attempt: int) -> Decision:
    reason = _reason(answer, ReasonCode.REQUEST_REFUSED, "SendGrid refused the contacts")
    words = words_to_judge(answer)
    if "invalid custom field ids" in words:
        message = "SendGrid no longer has a custom field of the mapping; create it again or change the mapping."
        return Decision(
            action=Action.END_RUN, reason=Reason(code=ReasonCode.CUSTOM_FIELD_MISSING, message=message)
        )
    if "contact limit" in words:
        hint = "The SendGrid account holds as many contacts as its plan allows; raise the plan or remove contacts"
        return Decision(action=Action.END_RUN, reason=_reason(answer, ReasonCode.CONTACT_LIMIT, hint))
    named = named_contacts(answer)
    return Decision(action=Action.DROP if named else Action.SPLIT, reason=reason, named=named)


def _unauthorized(answer: Response, _attempt: int) -> Decision:
    if NOT_ALLOWED.search(words_to_judge(answer)):
        return _address_not_allowed(answer)
    reason = _reason(
        answer, ReasonCode.KEY_REFUSED, "SendGrid refuses the API key; renew it and store it in Key Vault"
    )
    return Decision(action=Action.RENEW_KEY, reason=reason)


def _address_not_allowed(answer: Response) -> Decision:
    hint = "SendGrid's IP Access Management does not let this app in; allow the app's outbound addresses there"
    return Decision(action=Action.END_RUN, reason=_reason(answer, ReasonCode.ADDRESS_NOT_ALLOWED, hint))


def _forbidden(answer: Response, attempt: int) -> Decision:
    words = words_to_judge(answer)
    if NOT_ALLOWED.search(words):
        return _address_not_allowed(answer)
    if "temporary block" not in words and "too many bad requests" not in words:
        hint = "The API key may not use Marketing Campaigns; give it the scopes marketing.*"
        return Decision(action=Action.END_RUN, reason=_reason(answer, ReasonCode.SCOPE_MISSING, hint))
    if attempt < BLOCK_TRIES:
        return Decision(action=Action.WAIT, wait=BLOCK_WAIT)
    hint = "SendGrid blocks the account for too many bad requests; ask its support"
    return Decision(action=Action.END_RUN, reason=_reason(answer, ReasonCode.ACCOUNT_BLOCKED, hint))


def _not_found(answer: Response, _attempt: int) -> Decision:
    hint = "SendGrid has no such list any more; correct the export's list_id"
    return Decision(action=Action.END_RUN, reason=_reason(answer, ReasonCode.LIST_MISSING, hint))


def _too_large(answer: Response, _attempt: int) -> Decision:
    return Decision(
        action=Action.SPLIT, reason=_reason(answer, ReasonCode.TOO_LARGE, "SendGrid finds the request too large")
    )


def _residency(answer: Response, _attempt: int) -> Decision:
    hint = (
        "SendGrid may not take these contacts for reasons of data residency; "
        "check the connection's region against the account's"
    )
    return Decision(action=Action.END_RUN, reason=_reason(answer, ReasonCode.DATA_RESIDENCY, hint))


def _refused(answer: Response, _attempt: int) -> Decision:
    reason = _reason(answer, ReasonCode.REQUEST_REFUSED, f"SendGrid answered {answer.status}")
    return Decision(action=Action.END_CHUNK, reason=reason)


def _reason(answer: Response, code: ReasonCode, hint: str) -> Reason:
    words = told(answer)
    return Reason(code=code, message=f"{hint} (SendGrid: {words})." if words else f"{hint}.")


_REFUSALS: Final[Mapping[int, Callable[[Response, int], Decision]]] = {
    HTTPStatus.BAD_REQUEST: _bad_request,
    HTTPStatus.UNAUTHORIZED: _unauthorized,
    HTTPStatus.FORBIDDEN: _forbidden,
    HTTPStatus.NOT_FOUND: _not_found,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _too_large,
    HTTPStatus.REQUEST_URI_TOO_LONG: _too_large,
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: _residency,
}
