"""What SendGrid checks before it accepts an upsert: one problem refuses the whole request.

Known from public clients: an invalid e-mail, unknown custom field ids and null custom values are found at
once, the rest may come later. We check at once what the specification's schema forbids, and leave to the job
what only the account's own state or a field's type can tell.
"""

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from local.sendgrid_simulator import limits
from local.sendgrid_simulator.addresses import is_email_address, is_phone_number
from local.sendgrid_simulator.answers import Json, error, invalid_input, parse_object, refusal

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Upsert:
    """A request that passed the checks."""

    list_ids: list[str]
    contacts: list[Json]


def parse_upsert(body: bytes, custom_fields: Container[str]) -> Upsert:
    """Reads and checks the body of PUT /v3/marketing/contacts; refuses with every problem found.

    Members of a contact that SendGrid does not know are ignored, as it ignores them:
    https://github.com/sendgrid/sendgrid-nodejs/issues/1004.
    """
    parsed = parse_object(body)
    upsert = Upsert(list_ids=parse_list_ids(parsed), contacts=_contacts(parsed))
    problems = _unknown_custom_fields(upsert.contacts, custom_fields)
    for index, contact in enumerate(upsert.contacts):
        problems.extend(problems_with(contact, f"contacts[{index}]"))
    if problems:
        raise refusal(400, problems)
    return upsert


def parse_list_ids(parsed: Json) -> list[str]:
    """Reads `list_ids`, in lower case; refuses what is no UUID."""
    list_ids = parsed.get("list_ids", [])
    if not isinstance(list_ids, list):
        raise refusal(400, [invalid_input()])
    malformed = [each for each in list_ids if not isinstance(each, str) or not _UUID.fullmatch(each)]
    if malformed:
        raise refusal(400, [error(f"list id '{each}' is not valid", about="list_ids") for each in malformed])
    return [each.lower() for each in list_ids]


def refuse_unknown_lists(list_ids: Iterable[str], lists: Container[str]) -> None:
    """Refuses with 404 for lists that do not exist.

    The specification lists 404 without a word; for CSV imports it says that 404 means an unknown list.
    """
    unknown = [error(f"list '{each}' not found", about="list_ids") for each in list_ids if each not in lists]
    if unknown:
        raise refusal(404, unknown)


def _contacts(parsed: Json) -> list[Json]:
    contacts = parsed.get("contacts")
    if not isinstance(contacts, list):
        raise refusal(400, [invalid_input()])
    if not 1 <= len(contacts) <= limits.MAX_CONTACTS:
        message = f"between 1 and {limits.MAX_CONTACTS} contacts are allowed, not {len(contacts)}"
        raise refusal(400, [error(message, about="contacts")])
    if not all(map(_is_contact, contacts)):
        raise refusal(400, [invalid_input()])
    return contacts


def _is_contact(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("custom_fields", {}), dict)


def _unknown_custom_fields(contacts: list[Json], known: Container[str]) -> list[Json]:
    """Names every unknown id once, in the words of https://github.com/sendgrid/sendgrid-nodejs/issues/953."""
    used = {field_id for contact in contacts for field_id in contact.get("custom_fields", ())}
    unknown = sorted(field_id for field_id in used if field_id not in known)
    return [error(f"invalid custom field ids supplied - {','.join(unknown)}", about="contacts")] if unknown else []


def problems_with(contact: Json, where: str) -> Iterator[Json]:
    """Yields what is wrong with a contact by itself, as entries of `errors` about the place `where`."""
    for name, value in contact.items():
        longest = limits.TEXT_LENGTHS.get(name)
        if longest is None:
            continue
        if type(value) is not str:
            yield error(f"{name} must be a string", about=f"{where}.{name}")
        elif len(value) > longest:
            yield error(f"{name} must have at most {longest} characters", about=f"{where}.{name}")
    yield from _identifier_problems(contact, where)
    if "alternate_emails" in contact:
        yield from _alternate_problems(contact["alternate_emails"], f"{where}.alternate_emails")
    if "custom_fields" in contact:
        yield from _custom_problems(contact["custom_fields"], f"{where}.custom_fields")


def _identifier_problems(contact: Json, where: str) -> Iterator[Json]:
    email = contact.get("email")
    if email is None and not any(contact.get(name) for name in limits.IDENTIFIERS):
        yield error("at least one identifier is required", about=f"{where}.identifier")
    # The message and the field are those that segmentio/action-destinations, a Twilio product, looks for.
    if isinstance(email, str) and not is_email_address(email):
        yield error(f"email '{email}' is not valid", about=f"{where}.identifier")
    phone = contact.get("phone_number_id")
    if isinstance(phone, str) and not is_phone_number(phone):
        yield error(f"phone_number_id '{phone}' is not valid", about=f"{where}.identifier")


def _alternate_problems(alternates: Any, where: str) -> Iterator[Json]:  # noqa: ANN401 - a client's JSON can be anything
    if not isinstance(alternates, list) or len(alternates) > limits.MAX_ALTERNATE_EMAILS:
        yield error(f"at most {limits.MAX_ALTERNATE_EMAILS} alternate emails are allowed", about=where)
        return
    for each in alternates:
        if not isinstance(each, str) or len(each) > limits.MAX_EMAIL_LENGTH or not is_email_address(each):
            yield error(f"email '{each}' is not valid", about=where)


def _custom_problems(values: Json, where: str) -> Iterator[Json]:
    for field_id, value in values.items():
        if value is None:
            # https://github.com/sendgrid/docs/issues/6323
            yield error(f'custom field "{field_id}" cannot be null', about=f"{where}.{field_id}")
        elif isinstance(value, bool) or not isinstance(value, str | int | float):
            yield error(f'custom field "{field_id}" must be a string or a number', about=f"{where}.{field_id}")
