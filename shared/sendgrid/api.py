"""What SendGrid's API means: requests built, answers deciphered. No I/O.

https://www.twilio.com/docs/sendgrid/api-reference/contacts
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from shared.limits import LIST_NAME_MAX
from shared.model.definitions import CustomField, Region
from shared.sendgrid.file_addresses import known_file_address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

HOSTS: Final = {Region.GLOBAL: "https://api.sendgrid.com", Region.EU: "https://api.eu.sendgrid.com"}
"""https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/authentication"""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call, without host and key."""

    method: str
    path: str
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Response:
    """What SendGrid said; `repr` hides the body, which may quote people."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Names in lower case."""
    body: bytes = field(default=b"", repr=False)

    @property
    def ok(self) -> bool:
        """Whether the request was taken."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP's own classes

    def json(self) -> Any:  # noqa: ANN401 - JSON is anything
        """The body as JSON, or None when it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class NoResponse(StrEnum):
    """Why there is no answer."""

    TIMEOUT = "timeout"
    BROKEN = "connection_broken"
    UNREACHABLE = "unreachable"


# --- requests -----------------------------------------------------------------------------------------------


def upsert_contacts(list_id: UUID, lines: bytes) -> Request:
    """Add or update the contacts in `lines` (one JSON object a line, each ended by a newline) on a list."""
    contacts = lines.removesuffix(b"\n").replace(b"\n", b",")
    body = b'{"list_ids":["%s"],"contacts":[%s]}' % (str(list_id).encode(), contacts)
    return Request(method="PUT", path="/v3/marketing/contacts", body=body)


def search_emails(addresses: Sequence[str]) -> Request:
    """Ask which contacts have these addresses, a hundred at most; the answer is 404 where none has."""
    body = json.dumps({"emails": list(addresses)}).encode()
    return Request(method="POST", path="/v3/marketing/contacts/search/emails", body=body)


def remove_from_list(list_id: UUID, contact_ids: Sequence[str]) -> Request:
    """Take contacts off a list; they stay in the account."""
    ids = ",".join(contact_ids)
    return Request(method="DELETE", path=f"/v3/marketing/lists/{list_id}/contacts?contact_ids={ids}")


def get_import(job_id: str) -> Request:
    """Ask how far an import job is."""
    return Request(method="GET", path=f"/v3/marketing/contacts/imports/{job_id}")


def get_list(list_id: UUID) -> Request:
    """Ask for a list."""
    return Request(method="GET", path=f"/v3/marketing/lists/{list_id}")


def get_list_count(list_id: UUID) -> Request:
    """Ask how many contacts a list holds."""
    return Request(method="GET", path=f"/v3/marketing/lists/{list_id}/contacts/count")


def get_contact_count() -> Request:
    """Ask how many contacts the account holds."""
    return Request(method="GET", path="/v3/marketing/contacts/count")


def get_scopes() -> Request:
    """Ask what the key may do."""
    return Request(method="GET", path="/v3/scopes")


def get_field_definitions() -> Request:
    """Ask for all custom and reserved fields."""
    return Request(method="GET", path="/v3/marketing/field_definitions")


# --- answers ------------------------------------------------------------------------------------------------


class JobStatus(StrEnum):
    """State of an import job. An unknown word counts as pending."""

    PENDING = "pending"
    COMPLETED = "completed"
    ERRORED = "errored"
    """Ended, some contacts were refused."""
    FAILED = "failed"
    """Ended, nothing was imported."""


@dataclass(frozen=True, kw_only=True)
class ImportJob:
    """SendGrid's report on an import job. Counters may be absent, and may fill in late."""

    status: JobStatus
    requested: int | None = None
    created: int | None = None
    updated: int | None = None
    errored: int | None = None
    seconds: float | None = None
    """From the job's making to its end, by SendGrid's clock."""
    errors_url: str | None = field(default=None, repr=False)


def import_job(answer: Response) -> ImportJob:
    """Decipher `GET …/imports/{id}`; https://www.twilio.com/docs/sendgrid/api-reference/contacts/import-contacts-status."""
    document = answer.json()
    document = document if isinstance(document, dict) else {}
    results = document.get("results")
    results = results if isinstance(results, dict) else {}
    return ImportJob(
        status=_job_status(document.get("status")),
        requested=_count(results.get("requested_count")),
        created=_count(results.get("created_count")),
        updated=_count(results.get("updated_count")),
        errored=_count(results.get("errored_count")),
        seconds=_seconds_between(document.get("started_at"), document.get("finished_at")),
        errors_url=known_file_address(results.get("errors_url")),
    )


def _job_status(word: object) -> JobStatus:
    return next((status for status in JobStatus if status == word), JobStatus.PENDING)


def _seconds_between(start: object, end: object) -> float | None:
    """Seconds; None where a moment is missing or makes no sense."""
    try:
        seconds = (datetime.fromisoformat(str(end)) - datetime.fromisoformat(str(start))).total_seconds()
    except (ValueError, TypeError):
        return None
    return seconds if seconds >= 0 else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def job_id(answer: Response) -> str | None:
    """The import job of an accepted upsert."""
    document = answer.json()
    value = document.get("job_id") if isinstance(document, dict) else None
    return value if isinstance(value, str) and re.fullmatch(r"[\w-]{1,100}", value) else None


CONTACT_ID: Final = re.compile(r"[0-9a-fA-F-]{1,64}")


def ids_on_list(answer: Response, addresses: Sequence[str], list_id: UUID) -> list[str]:
    """Of the contacts that a search by addresses has found, the ids of those that are on a list.

    A contact is taken only if its own address, and no alternate one, is what was asked for.
    """
    document = answer.json()
    found = document.get("result") if isinstance(document, dict) else None
    if not isinstance(found, dict):
        return []
    ids = []
    for address in addresses:
        entry = found.get(address)
        contact = entry.get("contact") if isinstance(entry, dict) else None
        if not isinstance(contact, dict):
            continue
        is_own = str(contact.get("email", "")).lower() == address
        lists = contact.get("list_ids")
        is_on_list = isinstance(lists, list) and str(list_id) in {str(each).lower() for each in lists}
        contact_id = contact.get("id")
        if is_own and is_on_list and isinstance(contact_id, str) and CONTACT_ID.fullmatch(contact_id):
            ids.append(contact_id)
    return ids


def has_marketing_scope(answer: Response) -> bool:
    """Whether `GET /v3/scopes` lists a scope for Marketing Campaigns."""
    return any(str(scope).startswith("marketing") for scope in _member_list(answer, "scopes"))


def _member_list(answer: Response, name: str) -> list[Any]:
    document = answer.json()
    value = document.get(name) if isinstance(document, dict) else None
    return value if isinstance(value, list) else []


def contact_count(answer: Response) -> int | None:
    """Contacts of a list, from `GET …/lists/{id}` or its `contacts/count`."""
    document = answer.json()
    return _count(document.get("contact_count")) if isinstance(document, dict) else None


def list_name(answer: Response) -> str | None:
    """Name of a list, from `GET …/lists/{id}`."""
    document = answer.json()
    name = document.get("name") if isinstance(document, dict) else None
    return name[:LIST_NAME_MAX] if isinstance(name, str) else None


def billed_contacts(answer: Response) -> int | None:
    """Contacts that count against the account's plan, from `GET …/contacts/count`."""
    document = answer.json()
    billed = _count(document.get("billable_count")) if isinstance(document, dict) else None
    return contact_count(answer) if billed is None else billed


def custom_fields(answer: Response) -> dict[str, CustomField]:
    """Custom fields by name in lower case: SendGrid's names are unique without regard to case.

    Rows without a name, or with an id or a type that is none, are left out.
    """
    fields: dict[str, CustomField] = {}
    for row in _member_list(answer, "custom_fields"):
        if isinstance(row, dict) and row.get("name"):
            with contextlib.suppress(ValidationError):
                field = CustomField.model_validate({"id": row.get("id"), "type": row.get("field_type")})
                fields[str(row["name"]).lower()] = field
    return fields
