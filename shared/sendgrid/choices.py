"""What an account has to choose from: its lists and its fields.

https://www.twilio.com/docs/sendgrid/api-reference/lists/get-all-lists
https://www.twilio.com/docs/sendgrid/api-reference/custom-fields/get-all-field-definitions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, quote, urlsplit
from uuid import UUID

from pydantic import ValidationError

from shared.limits import CUSTOM_TEXT_MAX, FIELD_LENGTHS
from shared.model.documents import Document
from shared.sendgrid.api import Request, get_field_definitions
from shared.sendgrid.gateway import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.sendgrid.api import Response
    from shared.sendgrid.gateway import Account, SendGridGateway

LISTS_PER_PAGE: Final = 1_000
"""Most that SendGrid gives."""
LIST_PAGES_MAX: Final = 5
"""Pages that are asked for. Ours: an account has 1,000 lists at most by its documents."""


class ContactList(Document):
    """A list of the account."""

    id: UUID
    name: str
    contact_count: int | None = None


class ContactField(Document):
    """A field of the account's contacts."""

    id: str
    name: str
    type: str | None = None
    """Text, Number or Date."""
    max_length: int | None = None
    """Most characters of a text that a run sends; null where it sends nothing, or no text."""


class ContactFields(Document):
    """The fields of the account's contacts."""

    custom: tuple[ContactField, ...]
    """A mapping's `custom_fields` names these."""
    reserved: tuple[ContactField, ...]


def get_lists(page_token: str | None) -> Request:
    """Ask for a page of the account's lists."""
    token = f"&page_token={quote(page_token, safe='')}" if page_token else ""
    return Request(method="GET", path=f"/v3/marketing/lists?page_size={LISTS_PER_PAGE}{token}")


def list_lists(gateway: SendGridGateway, account: Account) -> tuple[ContactList, ...]:
    """All lists, by name. Raises RunEndError, and TransientError when SendGrid does not answer now."""
    found: list[ContactList] = []
    token: str | None = None
    for _ in range(LIST_PAGES_MAX):
        answer = gateway.fetch(account, get_lists(token), endpoint=Endpoint.LISTS, attempt=1)
        found += _lists(answer)
        token = _next_token(answer)
        if token is None:
            break
    return tuple(sorted(found, key=lambda each: (each.name.lower(), each.id)))


def list_fields(gateway: SendGridGateway, account: Account) -> ContactFields:
    """All fields, by name. Raises RunEndError, and TransientError when SendGrid does not answer now."""
    answer = gateway.fetch(account, get_field_definitions(), endpoint=Endpoint.FIELDS, attempt=1)
    custom, reserved = (
        tuple(sorted(_fields(answer, kind), key=lambda each: each.name.lower()))
        for kind in ("custom_fields", "reserved_fields")
    )
    return ContactFields(custom=custom, reserved=reserved)


def _rows(answer: Response, name: str) -> Iterator[dict[str, Any]]:
    document = answer.json()
    rows = document.get(name) if isinstance(document, dict) else None
    yield from (row for row in (rows if isinstance(rows, list) else []) if isinstance(row, dict))


def _lists(answer: Response) -> Iterator[ContactList]:
    """Rows that are lists; what is none is left out."""
    for row in _rows(answer, "result"):
        try:
            yield ContactList.model_validate({name: row.get(name) for name in ContactList.model_fields})
        except ValidationError:
            continue


def _fields(answer: Response, kind: str) -> Iterator[ContactField]:
    for row in _rows(answer, kind):
        try:
            field = ContactField(id=row["id"], name=row["name"], type=row.get("field_type"))
        except (KeyError, ValidationError):
            continue
        yield field.model_copy(update={"max_length": _max_length(field, kind)})


def _max_length(field: ContactField, kind: str) -> int | None:
    if kind == "reserved_fields":
        return FIELD_LENGTHS.get(field.name)
    return CUSTOM_TEXT_MAX if field.type == "Text" else None


def _next_token(answer: Response) -> str | None:
    """What to ask for the next page with; of the address that SendGrid gives nothing else is used."""
    document = answer.json()
    metadata = document.get("_metadata") if isinstance(document, dict) else None
    address = metadata.get("next") if isinstance(metadata, dict) else None
    if not isinstance(address, str):
        return None
    return next(iter(parse_qs(urlsplit(address).query).get("page_token", [])), None)
