"""What the API makes of a request it has received whole, in the order in which SendGrid would refuse it.

The key is checked first (401), then what the client accepts (406), the rate limit (429), what the key may do
(403), and at last the request itself.
https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/errors
"""

import re
import uuid
from dataclasses import replace
from typing import Final

from local.sendgrid_simulator.answers import Answer, RefusedError, account_error, refusal
from local.sendgrid_simulator.call import Call
from local.sendgrid_simulator.fault_answers import USUAL_MESSAGES

_JSON_RANGES: Final = {"*/*", "application/*", "application/json"}
_NOT_WANTED: Final = re.compile(r"q\s*=\s*0(?:\.0*)?")


def judge(call: Call) -> Answer:
    """Decides on a request with everything held still; too slow for the event loop if it is large."""
    with call.simulation.settled() as now:
        if not call.endpoint.needs_key:
            return _answer_or_refuse(call, now)
        allowance = call.simulation.count_request(call.endpoint.label, now)
        answer = _admit(call, now, allowed=allowance.allowed)
        headers = {**answer.headers, **_gateway_headers(call), **call.simulation.limit_headers(allowance, now)}
        return replace(answer, headers=headers)


def _gateway_headers(call: Call) -> dict[str, str]:
    """Builds the headers of the gateway behind the edge, as recorded; the id is one to quote to support."""
    latency = call.simulation.configuration.latency_of(call.endpoint.label)
    return {
        "x-amzn-requestid": str(uuid.uuid4()),
        "x-envoy-upstream-service-time": str(round(latency * 1_000)),
        "powered-by": "SGGateway",
    }


def _admit(call: Call, now: float, *, allowed: bool) -> Answer:
    try:
        call.scopes = _scopes(call)
        if not accepts_json(call.headers.get("accept", "")):
            raise refusal(406, [account_error("application/json must be acceptable")])
        if not allowed:
            raise refusal(429, [account_error(USUAL_MESSAGES[429])])
        if not call.simulation.allows(call.scopes, call.endpoint.scope):
            raise refusal(403, [account_error("access forbidden")])
    except RefusedError as refused:
        return refused.answer
    return _answer_or_refuse(call, now)


def _answer_or_refuse(call: Call, now: float) -> Answer:
    try:
        return call.endpoint.answer(call, now)
    except RefusedError as refused:
        return refused.answer


def _scopes(call: Call) -> tuple[str, ...]:
    """Gives what the bearer's key may do, or refuses with the bodies seen for no key and for a wrong one."""
    scheme, _, key = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise refusal(401, [account_error("authorization required")])
    scopes = call.simulation.keys.scopes_of(key)
    if scopes is None:
        raise refusal(401, [account_error(USUAL_MESSAGES[401])])
    return scopes


def accepts_json(accept: str) -> bool:
    """Says whether an Accept header allows JSON; SendGrid answers 406 when there is none, too."""
    for part in accept.lower().split(","):
        media_range, *parameters = (piece.strip() for piece in part.split(";"))
        if media_range in _JSON_RANGES and not any(_NOT_WANTED.fullmatch(each) for each in parameters):
            return True
    return False
