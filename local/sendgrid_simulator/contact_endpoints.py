"""PUT contacts, job status, search by e-mail and count.

The behaviour is that of https://www.twilio.com/docs/sendgrid/api-reference/contacts and its OpenAPI file.
"""

from local.sendgrid_simulator import keys, limits
from local.sendgrid_simulator.addresses import is_email_address
from local.sendgrid_simulator.answers import (
    Answer,
    Json,
    error,
    invalid_input,
    json_answer,
    parse_object,
    refusal,
)
from local.sendgrid_simulator.call import Call, Endpoint
from local.sendgrid_simulator.faults import UPSERT_PATH, Fault, Moment, Naming
from local.sendgrid_simulator.jobs import describe, error_file
from local.sendgrid_simulator.validation import Upsert, parse_upsert


def _upsert(call: Call, now: float) -> Answer:
    account = call.simulation.account
    upsert = parse_upsert(call.body, account.fields)
    # The specification lists 404 without a word; for CSV imports it says that 404 means an unknown list.
    unknown = [list_id for list_id in upsert.list_ids if list_id not in account.lists]
    if unknown:
        raise refusal(404, [error(f"list '{list_id}' not found", about="list_ids") for list_id in unknown])
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


def _import_status(call: Call, now: float) -> Answer:
    job = call.simulation.account.jobs.get(call.path_params["id"])
    if job is None:
        raise refusal(404, [error("job not found", about="id")])
    return json_answer(200, describe(job, call.simulation.configuration, now))


def _error_file(call: Call, _now: float) -> Answer:
    job = call.simulation.account.jobs.get(call.path_params["id"])
    if job is None or job.result is None:
        raise refusal(404, [error("not found")])
    return Answer(status=200, content=error_file(job.result).encode(), media_type="text/csv; charset=utf-8")


def _search_emails(call: Call, _now: float) -> Answer:
    account, public_url = call.simulation.account, call.simulation.configuration.public_url
    result: dict[str, Json] = {}
    for email in _searched_emails(call.body):
        found = account.contacts.get_by_email(email)
        shown = account.describe_contact(found, public_url) if found else None
        result[email] = {"contact": shown} if shown else {"error": "contact not found"}
    if not any("contact" in each for each in result.values()):
        raise refusal(404, [error("no contacts were found", about="emails")])
    return json_answer(200, {"result": result})


def _searched_emails(body: bytes) -> list[str]:
    """Reads the addresses in lower case; empty strings are left out, as the specification says."""
    emails = parse_object(body).get("emails")
    if not isinstance(emails, list) or not all(isinstance(each, str) for each in emails):
        raise refusal(400, [invalid_input()])
    if len(emails) > limits.MAX_SEARCHED_EMAILS:
        raise refusal(400, [error(f"at most {limits.MAX_SEARCHED_EMAILS} emails are allowed", about="emails")])
    wanted = [each.lower() for each in emails if each]
    if bad := [each for each in wanted if not _is_searchable(each)]:
        raise refusal(400, [error(f"email '{each}' is not valid", about="emails") for each in bad])
    return wanted


def _is_searchable(email: str) -> bool:
    return len(email) <= limits.MAX_SEARCHED_EMAIL_LENGTH and is_email_address(email)


def _count(call: Call, _now: float) -> Answer:
    contacts = call.simulation.account.contacts
    count = {"contact_count": len(contacts), "billable_count": len(contacts)}
    return json_answer(200, count | {"identifier_counts": contacts.count_identifiers(None)})


ENDPOINTS = (
    Endpoint(method="PUT", path=UPSERT_PATH, answer=_upsert, scope=keys.UPDATE),
    Endpoint(method="GET", path=f"{UPSERT_PATH}/imports/{{id}}", answer=_import_status, scope=keys.READ),
    Endpoint(method="POST", path=f"{UPSERT_PATH}/search/emails", answer=_search_emails, scope=keys.READ),
    Endpoint(method="GET", path=f"{UPSERT_PATH}/count", answer=_count, scope=keys.READ),
    Endpoint(method="GET", path="/__errors/{id}", answer=_error_file, needs_key=False),
)
