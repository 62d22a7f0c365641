"""The suppression lists: global unsubscribes, bounces, blocks, invalid addresses and spam reports.

The behaviour is that of https://www.twilio.com/docs/sendgrid/api-reference/suppressions-global-suppressions and
its neighbours. Which errors there are is not in their OpenAPI file; 400 for what makes no sense is our choice.
"""

import re
from functools import partial
from itertools import islice
from typing import Final

from local.sendgrid_simulator import keys, limits
from local.sendgrid_simulator.addresses import is_email_address
from local.sendgrid_simulator.answers import Answer, Json, error, invalid_input, json_answer, parse_object, refusal
from local.sendgrid_simulator.call import Call, Endpoint
from local.sendgrid_simulator.suppressions import SuppressionKind

GLOBAL_PATH: Final = "/v3/asm/suppressions/global"
LISTS_PATH: Final = "/v3/suppression"
FOREVER: Final = 1 << 62
REASONS: Final[dict[SuppressionKind, Json]] = {
    SuppressionKind.UNSUBSCRIBES: {},
    SuppressionKind.BOUNCES: {"reason": "550 5.1.1 The email account does not exist", "status": "5.1.1"},
    SuppressionKind.BLOCKS: {"reason": "452 4.2.2 The email account is over quota", "status": "4.2.2"},
    SuppressionKind.INVALID_EMAILS: {"reason": "Mail domain mentioned in email address is unknown"},
    SuppressionKind.SPAM_REPORTS: {"ip": "192.0.2.1"},
}
"""What an entry tells beside its address and moment."""


def recipients(call: Call, name: str = "recipient_emails") -> list[str]:
    """Reads the addresses of a request, or refuses it."""
    emails = parse_object(call.body).get(name)
    if not isinstance(emails, list) or not emails or not all(isinstance(each, str) for each in emails):
        raise refusal(400, [error(f"{name} must be addresses", about=name)])
    if bad := [each for each in emails if not is_email_address(each)]:
        raise refusal(400, [error(f"email '{each}' is not valid", about=name) for each in bad])
    return emails


def _add_global(call: Call, now: float) -> Answer:
    emails = recipients(call)
    call.simulation.account.suppressions.add(SuppressionKind.UNSUBSCRIBES, emails, now)
    return json_answer(201, {"recipient_emails": emails})


def _get_global(call: Call, _now: float) -> Answer:
    """Gives the address if it is suppressed, and an empty object if not."""
    email = call.path_params["id"].lower()
    is_there = email in call.simulation.account.suppressions.lists[SuppressionKind.UNSUBSCRIBES]
    return json_answer(200, {"recipient_email": email} if is_there else {})


def _list(kind: SuppressionKind, call: Call, _now: float) -> Answer:
    """Gives a page of those who came onto the list between two moments, and whose address fits the pattern."""
    start, end = _whole(call, "start_time", 0), _whole(call, "end_time", FOREVER)
    limit, offset = _whole(call, "limit", limits.MAX_SUPPRESSIONS), _whole(call, "offset", 0)
    if not 1 <= limit <= limits.MAX_SUPPRESSIONS:
        raise refusal(400, [error(f"limit must be 1 to {limits.MAX_SUPPRESSIONS}", about="limit")])
    pattern = re.compile("".join(".*" if each == "%" else re.escape(each) for each in call.query.get("email", "")))
    entries = (
        _describe(kind, email, created)
        for email, created in call.simulation.account.suppressions.lists[kind].items()
        if start <= created <= end and pattern.match(email)
    )
    return json_answer(200, list(islice(entries, offset, offset + limit)))


def _whole(call: Call, name: str, default: int) -> int:
    text = call.query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit():
        raise refusal(400, [error(f"{name} must be a whole number", about=name)])
    return int(text)


def _describe(kind: SuppressionKind, email: str, created: float) -> Json:
    return {"created": int(created), "email": email} | REASONS[kind]


def _get(kind: SuppressionKind, call: Call, _now: float) -> Answer:
    email = call.path_params["id"].lower()
    created = call.simulation.account.suppressions.lists[kind].get(email)
    return json_answer(200, [] if created is None else [_describe(kind, email, created)])


def _delete(kind: SuppressionKind, call: Call, _now: float) -> Answer:
    """Takes one address off the list; that nobody is missed is our choice."""
    call.simulation.account.suppressions.remove(kind, [call.path_params["id"]])
    return Answer(status=204)


def _delete_many(kind: SuppressionKind, call: Call, _now: float) -> Answer:
    wanted, suppressions = parse_object(call.body), call.simulation.account.suppressions
    if ("emails" in wanted) is (wanted.get("delete_all") is True):
        raise refusal(400, [invalid_input()])
    everybody = list(suppressions.lists[kind])
    suppressions.remove(kind, recipients(call, "emails") if "emails" in wanted else everybody)
    return Answer(status=204)


def _list_endpoints(kind: SuppressionKind) -> tuple[Endpoint, ...]:
    """Builds the endpoints of a list; global unsubscribes are changed elsewhere."""
    path = f"{LISTS_PATH}/{kind}"
    all_of_it = Endpoint(method="GET", path=path, answer=partial(_list, kind), scope=keys.SUPPRESSION_READ)
    if kind is SuppressionKind.UNSUBSCRIBES:
        return (all_of_it,)
    one, removal = f"{path}/{{id}}", keys.SUPPRESSION_DELETE
    return (
        all_of_it,
        Endpoint(method="GET", path=one, answer=partial(_get, kind), scope=keys.SUPPRESSION_READ),
        Endpoint(method="DELETE", path=path, answer=partial(_delete_many, kind), scope=removal),
        Endpoint(method="DELETE", path=one, answer=partial(_delete, kind), scope=removal),
    )


ENDPOINTS = (
    Endpoint(method="POST", path=GLOBAL_PATH, answer=_add_global, scope=keys.SUPPRESSION_CREATE),
    Endpoint(method="GET", path=f"{GLOBAL_PATH}/{{id}}", answer=_get_global, scope=keys.SUPPRESSION_READ),
    Endpoint(
        method="DELETE",
        path=f"{GLOBAL_PATH}/{{id}}",
        answer=partial(_delete, SuppressionKind.UNSUBSCRIBES),
        scope=keys.SUPPRESSION_DELETE,
    ),
    *(endpoint for kind in SuppressionKind for endpoint in _list_endpoints(kind)),
)
