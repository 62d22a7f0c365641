"""Contacts found: the newest, one, some by id or identifier, those of a query, and how many there are.

The behaviour is that of https://www.twilio.com/docs/sendgrid/api-reference/contacts and its OpenAPI file.
"""

import heapq
from collections.abc import Mapping
from itertools import islice
from typing import Final

from local.sendgrid_simulator import keys, limits
from local.sendgrid_simulator.addresses import is_email_address
from local.sendgrid_simulator.answers import (
    Answer,
    Json,
    RefusedError,
    error,
    invalid_input,
    json_answer,
    parse_object,
    refusal,
)
from local.sendgrid_simulator.call import Call, Endpoint
from local.sendgrid_simulator.faults import UPSERT_PATH
from local.sendgrid_simulator.people import Contact
from local.sendgrid_simulator.sgql import QueryError, parse

SEARCH_PATH: Final = f"{UPSERT_PATH}/search"
SHOWN_MEMBERS: Final = frozenset(limits.TEXT_LENGTHS) | {
    "id",
    "alternate_emails",
    "list_ids",
    "segment_ids",
    "created_at",
    "updated_at",
}


def _describe(call: Call, contact: Contact) -> Json:
    return call.simulation.account.describe_contact(contact, call.simulation.configuration.public_url)


def _describe_newest(call: Call, contact: Contact) -> Json:
    """Shows a contact as the list of the newest does: recorded are null, no segments and another link."""
    shown = {name: value for name, value in _describe(call, contact).items() if name != "segment_ids"}
    self_url = f"{call.simulation.configuration.public_url}/v3/marketing/contact/{shown['id']}"
    return shown | {"alternate_emails": shown["alternate_emails"] or None, "_metadata": {"self": self_url}}


def _list(call: Call, _now: float) -> Answer:
    contacts = call.simulation.account.contacts
    newest = heapq.nlargest(
        limits.MAX_SHOWN_CONTACTS, contacts.list_all(), key=lambda each: (each.updated, each.number)
    )
    shown = sorted((_describe_newest(call, each) for each in newest), key=lambda each: str(each["email"]))
    metadata = {"self": f"{call.simulation.configuration.public_url}{UPSERT_PATH}"}
    return json_answer(200, {"result": shown, "contact_count": len(contacts), "_metadata": metadata})


def _get(call: Call, _now: float) -> Answer:
    found = call.simulation.account.contacts.get_by_id(call.path_params["id"])
    if found is None:
        raise refusal(404, [error("contact not found", about="id")])
    return json_answer(200, _describe(call, found))


def _batch(call: Call, _now: float) -> Answer:
    """Shows those of the contacts that there are; that it takes one at least is our choice."""
    ids = _texts(call, "ids", at_most=limits.MAX_SEARCHED)
    found = [contact for each in ids if (contact := call.simulation.account.contacts.get_by_id(each))]
    return json_answer(200, {"result": [_describe(call, each) for each in found]})


def _search(call: Call, _now: float) -> Answer:
    """Shows the first 50 contacts of a query, and counts all of them."""
    account, query = call.simulation.account, parse_object(call.body).get("query")
    if not isinstance(query, str) or not query:
        raise refusal(400, [error("query is required", about="query")])
    try:
        condition = parse(query, SHOWN_MEMBERS | {each.name for each in account.fields.list_all()})
    except QueryError as problem:
        raise refusal(400, [error(f"invalid query: {problem}", about="query")]) from problem
    found = [each for contact in account.contacts.list_all() if condition(each := _describe(call, contact))]
    metadata = {"self": f"{call.simulation.configuration.public_url}{SEARCH_PATH}"}
    first = list(islice(found, limits.MAX_SHOWN_CONTACTS))
    return json_answer(200, {"result": first, "contact_count": len(found), "_metadata": metadata})


def _search_emails(call: Call, _now: float) -> Answer:
    """Finds contacts by e-mail, main or alternate; empty strings are left out, as the specification says."""
    emails = [each.lower() for each in _texts(call, "emails", at_most=limits.MAX_SEARCHED) if each]
    if bad := [each for each in emails if not _is_searchable(each)]:
        raise refusal(400, [error(f"email '{each}' is not valid", about="emails") for each in bad])
    found = {each: call.simulation.account.contacts.get_by_email(each) for each in emails}
    if not any(found.values()):
        raise refusal(404, [error("no contacts were found", about="emails")])
    return _under_their_names(call, found)


def _search_identifiers(call: Call, _now: float) -> Answer:
    """Finds contacts by one kind of identifier. Its errors are bare: so the specification has it for these."""
    kind = call.path_params["id"]
    identifiers = _texts(call, "identifiers", at_most=limits.MAX_SEARCHED)
    if kind not in limits.IDENTIFIERS:
        raise RefusedError(json_answer(400, error(f"'{kind}' is no type of identifier", about="identifier_type")))
    if kind == "email" and (bad := [each for each in identifiers if not is_email_address(each)]):
        raise RefusedError(json_answer(400, error(f"email '{bad[0]}' is not valid", about="identifiers")))
    contacts = call.simulation.account.contacts
    found = {each: contacts.get_by_identifier(kind, each) for each in identifiers}
    if not any(found.values()):
        raise RefusedError(json_answer(404, error("no contacts were found", about="identifiers")))
    return _under_their_names(call, found)


def _under_their_names(call: Call, found: Mapping[str, Contact | None]) -> Answer:
    result = {
        name: {"contact": _describe(call, contact)} if contact else {"error": "contact not found"}
        for name, contact in found.items()
    }
    return json_answer(200, {"result": result})


def _texts(call: Call, name: str, *, at_most: int) -> list[str]:
    texts = parse_object(call.body).get(name)
    if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
        raise refusal(400, [invalid_input()])
    if len(texts) > at_most:
        raise refusal(400, [error(f"at most {at_most} {name} are allowed", about=name)])
    return texts


def _is_searchable(email: str) -> bool:
    return len(email) <= limits.MAX_SEARCHED_EMAIL_LENGTH and is_email_address(email)


def _count(call: Call, _now: float) -> Answer:
    contacts = call.simulation.account.contacts
    count = {"contact_count": len(contacts), "billable_count": len(contacts)}
    return json_answer(200, count | {"identifier_counts": contacts.count_identifiers(None)})


ENDPOINTS = (
    Endpoint(method="GET", path=UPSERT_PATH, answer=_list, scope=keys.READ),
    Endpoint(method="GET", path=f"{UPSERT_PATH}/count", answer=_count, scope=keys.READ),
    Endpoint(method="GET", path=f"{UPSERT_PATH}/{{id}}", answer=_get, scope=keys.READ),
    Endpoint(method="POST", path=f"{UPSERT_PATH}/batch", answer=_batch, scope=keys.READ),
    Endpoint(method="POST", path=SEARCH_PATH, answer=_search, scope=keys.READ),
    Endpoint(method="POST", path=f"{SEARCH_PATH}/emails", answer=_search_emails, scope=keys.READ),
    Endpoint(method="POST", path=f"{SEARCH_PATH}/identifiers/{{id}}", answer=_search_identifiers, scope=keys.READ),
)
