"""SendGrid's exports of contacts: start one, see how far it is, learn where its files are.

https://www.twilio.com/docs/sendgrid/api-reference/contacts/export-contacts
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from shared.errors import RunEndError, TransientError
from shared.model.reason_codes import ReasonCode
from shared.sendgrid.api import Request, contact_count
from shared.sendgrid.file_addresses import known_file_address
from shared.sendgrid.gateway import Endpoint

if TYPE_CHECKING:
    from uuid import UUID

    from shared.sendgrid.api import Response
    from shared.sendgrid.gateway import Account, SendGridGateway

PATH: Final = "/v3/marketing/contacts/exports"
EXPORT_ID: Final = re.compile(r"[\w-]{1,100}")


class ExportState(StrEnum):
    """State of an export; other words than those of import jobs. A word that is not known counts as pending."""

    PENDING = "pending"
    READY = "ready"
    FAILURE = "failure"
    UNKNOWN = "unknown"
    """SendGrid knows no such export, or not yet."""


@dataclass(frozen=True, kw_only=True)
class ContactExport:
    """SendGrid's report on an export; `repr` hides the addresses of its files, for who has one can read it."""

    state: ExportState
    urls: tuple[str, ...] = field(default=(), repr=False)
    contacts: int | None = None
    """In the files, by SendGrid's count."""


def start_list_export(gateway: SendGridGateway, account: Account, list_id: UUID, *, attempt: int) -> str:
    """Have SendGrid export a list as CSV, and mail nobody about it; the id of the export.

    Raises RunEndError, and TransientError when SendGrid does not answer now.
    """
    wish = {"list_ids": [str(list_id)], "file_type": "csv", "notifications": {"email": False}}
    request = Request(method="POST", path=PATH, body=json.dumps(wish).encode())
    answer = gateway.fetch(account, request, endpoint=Endpoint.CONTACT_EXPORTS, attempt=attempt)
    document = answer.json()
    value = document.get("id") if isinstance(document, dict) else None
    if not isinstance(value, str) or not EXPORT_ID.fullmatch(value):
        raise TransientError("SendGrid names no export")
    return value


def find_list_export(gateway: SendGridGateway, account: Account, export_id: str, *, attempt: int) -> ContactExport:
    """How far an export is. Raises RunEndError, and TransientError when SendGrid does not answer now."""
    request = Request(method="GET", path=f"{PATH}/{export_id}")
    try:
        answer = gateway.fetch(account, request, endpoint=Endpoint.CONTACT_EXPORTS, attempt=attempt)
    except RunEndError as end:
        if end.reason.code != ReasonCode.LIST_MISSING:  # what 404 means elsewhere
            raise
        return ContactExport(state=ExportState.UNKNOWN)
    return contact_export(answer)


def contact_export(answer: Response) -> ContactExport:
    """Decipher `GET …/exports/{id}`. Without files it is not ready, unless nobody is on the list.

    Raises RunEndError when a file has an address that is not followed, for the others are not the whole list.
    """
    document = answer.json()
    document = document if isinstance(document, dict) else {}
    urls = document.get("urls")
    urls = urls if isinstance(urls, list) else []
    export = ContactExport(
        state=_state(document.get("status")),
        urls=tuple(map(_followed, urls)),
        contacts=contact_count(answer),
    )
    is_empty = export.state is ExportState.READY and not export.urls and export.contacts != 0
    return ContactExport(state=ExportState.PENDING) if is_empty else export


def _followed(url: object) -> str:
    known = known_file_address(url)
    if known is None:
        raise RunEndError(
            ReasonCode.LIST_EXPORT_FAILED,
            "SendGrid offers a file of the list's export at an address that is none of SendGrid's, Twilio's or "
            "Amazon S3's over HTTPS, so it was not fetched. Ask SendGrid's support where its exports lie, and "
            "tell that host to those who maintain this app.",
        )
    return known


def _state(word: object) -> ExportState:
    return next((state for state in ExportState if state == word), ExportState.PENDING)
