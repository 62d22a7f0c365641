"""The answers that faults give in SendGrid's place."""

from http.client import responses as phrases

import orjson

from local.sendgrid_simulator.answers import Answer, account_error, html_answer
from local.sendgrid_simulator.faults import BodyShape, Fault
from local.sendgrid_simulator.rate_limit import rate_limit_headers, retry_after_header

USUAL_MESSAGES = {
    401: "The provided authorization grant is invalid, expired, or revoked",
    403: "Too many bad requests. Temporary block",
    429: "too many requests",
    451: "Unavailable due to data residency restrictions",
}
"""https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/errors

For other statuses, HTTP's own phrase has to do.
"""

EXHAUSTED_LIMIT = 600


def fault_answer(fault: Fault, now: float) -> Answer:
    """Builds what a fault answers."""
    headers = _headers(fault, now)
    if fault.body is BodyShape.HTML:
        return html_answer(fault.status, headers=headers)
    if fault.body is BodyShape.EMPTY:
        return Answer(status=fault.status, headers=headers)
    content = orjson.dumps(_json_body(fault))
    return Answer(status=fault.status, content=content, media_type="application/json", headers=headers)


def _json_body(fault: Fault) -> object:
    message = fault.message or USUAL_MESSAGES.get(fault.status) or phrases.get(fault.status, "error").lower()
    bodies: dict[BodyShape, object] = {
        BodyShape.ERRORS: {"errors": [account_error(message)]},
        BodyShape.OBJECT: {"message": message, "error_id": "simulated"},
        BodyShape.ARRAY: [{"message": message}],
        BodyShape.GATEWAY: {"message": message},
    }
    return bodies[fault.body]


def _headers(fault: Fault, now: float) -> dict[str, str]:
    headers = dict(fault.headers)
    if fault.retry_after_seconds is not None:
        headers |= retry_after_header(fault.retry_after_seconds, now, fault.retry_after_form)
    if fault.reset_in_seconds is not None:
        headers |= rate_limit_headers(EXHAUSTED_LIMIT, 0, now + fault.reset_in_seconds, now, fault.reset_form)
    return headers
