"""PUT and DELETE contacts.

The behaviour is that of https://www.twilio.com/docs/sendgrid/api-reference/contacts and its OpenAPI file.
"""

from typing import Final

from local.sendgrid_simulator import keys
from local.sendgrid_simulator.answers import (
    Answer,
    Json,
    error,
    json_answer,
    parse_object,
    refusal,
)
from local.sendgrid_simulator.call import Call, Endpoint
from local.sendgrid_simulator.faults import UPSERT_PATH, Fault, Moment, Naming
from local.sendgrid_simulator.validation import Upsert, parse_upsert, refuse_unknown_lists

IDENTIFIER_TYPES: Final = {
    "EMAIL": "email",
    "PHONENUMBERID": "phone_number_id",
    "EXTERNALID": "external_id",
    "ANONYMOUSID": "anonymous_id",
}


def _upsert(call: Call, now: float) -> Answer:
    account = call.simulation.account
    upsert = parse_upsert(call.body, account.fields)
    refuse_unknown_lists(upsert.list_ids, account.lists)
    _refuse_blamed(call, upsert)
    fault = call.take_fault(Moment.ACCEPTANCE, lambda: _emails(upsert))
    call.accepted_contacts = len(upsert.contacts)
    simulation, effect = call.simulation, call.simulation.effect_of(now)
    work = account.upserting(call.body, upsert.list_ids, accepted=now, effect=effect, fault=fault)
    job_type = simulation.configuration.upsert_job_type
    job_id = simulation.submit(job_type, work, now, requested=len(upsert.contacts), fault=fault)
    return json_answer(202, {"job_id": job_id})


def _emails(upsert: Upsert) -> set[str]:
    return {contact["email"].lower() for contact in upsert.contacts if "email" in contact}


def _refuse_blamed(call: Call, upsert: Upsert) -> None:
    fault = call.take_fault(Moment.CONTENTS, lambda: _emails(upsert))
    if fault:
        raise refusal(400, _blame(fault, upsert.contacts))


def _blame(fault: Fault, contacts: list[Json]) -> list[Json]:
    """Names the contacts that a fault is about, in the way it asks for."""
    addresses = {each.lower() for each in fault.emails}
    blamed = {index for index, each in enumerate(contacts) if str(each.get("email")).lower() in addresses}
    blamed |= {index for index in fault.indices if index < len(contacts)}
    if fault.naming is Naming.INDEX:
        return [
            error("identifier is not valid", about=f"contacts[{index}].identifier") for index in sorted(blamed)
        ]
    if fault.naming is Naming.ADDRESS:
        return [error(f"email '{contacts[index].get('email')}' is not valid") for index in sorted(blamed)]
    return [error(fault.message or "one or more contacts are not valid")]


def _delete(call: Call, now: float) -> Answer:
    """Deletes the contacts named, or all; who is not there is passed over, which is our choice."""
    ids, everybody = call.query.get("ids", ""), call.query.get("delete_all_contacts") == "true"
    if bool(ids) is everybody:
        # https://github.com/sendgrid/sendgrid-nodejs/issues/1185
        raise refusal(400, [error("either 'ids' OR 'delete_all_contacts' should be supplied as query param")])
    account = call.simulation.account
    found = [contact for each in ids.split(",") if (contact := account.contacts.get_by_id(each))]
    numbers = account.contacts.numbers() if everybody else {contact.number for contact in found}
    job_id = call.simulation.submit("delete", account.deleting(numbers), now, requested=len(numbers))
    return json_answer(202, {"job_id": job_id})


def _delete_identifier(call: Call, now: float) -> Answer:
    wanted, account = parse_object(call.body), call.simulation.account
    kind, value = IDENTIFIER_TYPES.get(str(wanted.get("identifier_type"))), wanted.get("identifier_value")
    if kind is None:
        raise refusal(400, [error("identifier_type is not valid", about="identifier_type")])
    contact = account.contacts.get_by_id(call.path_params["id"])
    if contact is None:
        raise refusal(404, [error("contact not found", about="id")])
    if account.contacts.get_by_identifier(kind, str(value)) is not contact:
        raise refusal(400, [error("the contact has no such identifier", about="identifier_value")])
    work = account.removing_identifier(contact, kind, call.simulation.effect_of(now))
    return json_answer(202, {"job_id": call.simulation.submit("delete", work, now, requested=1)})


ENDPOINTS = (
    Endpoint(method="PUT", path=UPSERT_PATH, answer=_upsert, scope=keys.UPDATE),
    Endpoint(method="DELETE", path=UPSERT_PATH, answer=_delete, scope=keys.DELETE),
    Endpoint(
        method="DELETE", path=f"{UPSERT_PATH}/{{id}}/identifiers", answer=_delete_identifier, scope=keys.DELETE
    ),
)
