"""Lists and who is on them.

The behaviour is that of https://www.twilio.com/docs/sendgrid/api-reference/lists and its OpenAPI file, whose
error bodies differ from one operation to the next: a bare array here, a bare object there.
"""

import base64
import binascii

from local.sendgrid_simulator import keys, limits
from local.sendgrid_simulator.answers import (
    Answer,
    Json,
    RefusedError,
    error,
    json_answer,
    parse_object,
    refusal,
)
from local.sendgrid_simulator.call import Call, Endpoint
from local.sendgrid_simulator.lists import ContactList, checked_name

LISTS_PATH = "/v3/marketing/lists"
LIST_PATH = f"{LISTS_PATH}/{{id}}"


def _describe(call: Call, found: ContactList) -> Json:
    self_url = f"{call.simulation.configuration.public_url}{LISTS_PATH}/{found.id}"
    return {
        "id": found.id,
        "name": found.name,
        "contact_count": _counted(call, found),
        "identifier_counts": call.simulation.account.contacts.count_identifiers(found.members),
        "_metadata": {"self": self_url},
    }


def _counted(call: Call, found: ContactList) -> int:
    """Counts the members as SendGrid does: those of a while ago."""
    lag = call.simulation.configuration.count_lag_seconds
    return found.count_at(call.simulation.clock() - lag) if lag else len(found.members)


def _get_list(call: Call, *, not_found: object = None) -> ContactList:
    """Finds the list in the path or refuses with 404; `not_found` is the body where it is an unusual one."""
    found = call.simulation.account.lists.get(call.path_params["id"])
    if found is None:
        body = {"errors": [error("list not found", about="id")]} if not_found is None else not_found
        raise RefusedError(json_answer(404, body))
    return found


def _list_page(call: Call, _now: float) -> Answer:
    size, start = _page_size(call), _page_start(call.query.get("page_token", ""))
    lists = call.simulation.account.lists
    metadata = {"self": _page_url(call, size, start), "count": len(lists)}
    if start > 0:
        metadata["prev"] = _page_url(call, size, max(0, start - size))
    if start + size < len(lists):
        metadata["next"] = _page_url(call, size, start + size)
    page = [_describe(call, each) for each in lists.page(start=start, size=size)]
    return json_answer(200, {"result": page, "_metadata": metadata})


def _page_size(call: Call) -> int:
    """Reads page_size; the specification has no answer for one out of range, 400 is our choice."""
    text = call.query.get("page_size", str(limits.DEFAULT_PAGE_SIZE))
    size = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= size <= limits.MAX_PAGE_SIZE:
        raise refusal(400, [error(f"page_size must be 1 to {limits.MAX_PAGE_SIZE}", about="page_size")])
    return size


def _page_start(token: str) -> int:
    try:
        return max(0, int(base64.b64decode(token, altchars=b"-_", validate=True) or b"0"))
    except (binascii.Error, ValueError) as problem:
        raise refusal(400, [error("page_token is not valid", about="page_token")]) from problem


def _page_url(call: Call, size: int, start: int) -> str:
    token = base64.urlsafe_b64encode(str(start).encode()).decode() if start else ""
    return f"{call.simulation.configuration.public_url}{LISTS_PATH}?page_size={size}&page_token={token}"


def _free_name(call: Call) -> object:
    """Reads the name; one that is taken is refused, https://github.com/podkrepi-bg/api/pull/634."""
    name: object = parse_object(call.body).get("name")
    if name in call.simulation.account.lists.names():
        raise refusal(400, [error("a list with this name exists already", about="name")])
    return name


def _create(call: Call, _now: float) -> Answer:
    try:
        created = call.simulation.account.lists.create(_free_name(call))
    except ValueError as problem:
        raise refusal(400, [error(str(problem), about="name")]) from problem
    return json_answer(201, _describe(call, created))


def _get(call: Call, _now: float) -> Answer:
    found = _get_list(call, not_found=[error("list not found")])
    body = _describe(call, found)
    if call.query.get("contact_sample") == "true" and found.members:
        # The prose speaks of up to 50 contacts, the schema and its example of one.
        newest = next(call.simulation.account.contacts.list_numbered(reversed(found.members)))
        public_url = call.simulation.configuration.public_url
        body["contact_sample"] = call.simulation.account.describe_contact(newest, public_url)
    return json_answer(200, body)


def _rename(call: Call, _now: float) -> Answer:
    found = _get_list(call)
    try:
        found.name = checked_name(_free_name(call))
    except ValueError as problem:
        raise refusal(400, [error(str(problem), about="name")]) from problem
    return json_answer(200, _describe(call, found))


def _delete(call: Call, now: float) -> Answer:
    found = _get_list(call)
    account = call.simulation.account
    account.lists.delete(found.id)
    if call.query.get("delete_contacts") != "true":
        return Answer(status=204, media_type="application/json")
    job_id = call.simulation.submit(
        "delete", account.deleting(set(found.members)), now, requested=len(found.members)
    )
    return json_answer(200, {"job_id": job_id})


def _remove_contacts(call: Call, now: float) -> Answer:
    found = _get_list(call)
    contact_ids = [each for each in call.query.get("contact_ids", "").split(",") if each]
    if not contact_ids:
        # A bare object, not in `errors`: so the specification has it for this operation.
        message = error("contact_ids is required", about="contact_ids")
        raise RefusedError(json_answer(400, message))
    account = call.simulation.account
    contacts = [account.contacts.get_by_id(each) for each in contact_ids]
    numbers = {contact.number for contact in contacts if contact}
    if not all(contacts):
        raise refusal(404, [error("one or more contact ids do not exist", about="contact_ids")])
    job_id = call.simulation.submit("delete", account.removing(found, numbers), now, requested=len(numbers))
    return json_answer(202, {"job_id": job_id})


def _count(call: Call, _now: float) -> Answer:
    found = _get_list(call)
    counts = call.simulation.account.contacts.count_identifiers(found.members)
    counted = _counted(call, found)
    count = {"contact_count": counted, "billable_count": counted}
    return json_answer(200, count | {"identifier_counts": counts})


ENDPOINTS = (
    Endpoint(method="GET", path=LISTS_PATH, answer=_list_page, scope=keys.READ),
    Endpoint(method="POST", path=LISTS_PATH, answer=_create, scope=keys.CREATE),
    Endpoint(method="GET", path=LIST_PATH, answer=_get, scope=keys.READ),
    Endpoint(method="PATCH", path=LIST_PATH, answer=_rename, scope=keys.UPDATE),
    Endpoint(method="DELETE", path=LIST_PATH, answer=_delete, scope=keys.DELETE),
    Endpoint(method="DELETE", path=f"{LIST_PATH}/contacts", answer=_remove_contacts, scope=keys.DELETE),
    Endpoint(method="GET", path=f"{LIST_PATH}/contacts/count", answer=_count, scope=keys.READ),
)
