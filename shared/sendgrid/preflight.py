"""Ask SendGrid, before anything is sent, whether it can work: the key's scopes, the list, the custom fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import KeyNotAcceptedError, RunEndError
from shared.model.reason_codes import ReasonCode
from shared.sendgrid.api import (
    contact_count,
    custom_fields,
    get_field_definitions,
    get_list,
    get_scopes,
    has_marketing_scope,
    list_name,
)
from shared.sendgrid.gateway import Endpoint

if TYPE_CHECKING:
    from pydantic import SecretStr

    from shared.model.definitions import CustomField, Export
    from shared.sendgrid.api import Response
    from shared.sendgrid.gateway import Account, SendGridGateway


@dataclass(frozen=True, kw_only=True)
class PreflightResult:
    """What SendGrid told."""

    fields: dict[str, CustomField]
    """The custom fields of the mapping, by the mapping's names."""
    list_name: str | None
    list_count: int | None
    """Contacts on the list now."""


def check_sendgrid(gateway: SendGridGateway, account: Account, export: Export, *, attempt: int) -> PreflightResult:
    """Raises RunEndError with what to change, TransientError when SendGrid does not answer now."""
    check_key(gateway, account, attempt=attempt)
    found = gateway.fetch(account, get_list(export.list_id), endpoint=Endpoint.LISTS, attempt=attempt)
    fields = _custom_fields(gateway, account, export.mapping.custom_fields, attempt)
    return PreflightResult(fields=fields, list_name=list_name(found), list_count=contact_count(found))


def check_key(gateway: SendGridGateway, account: Account, *, attempt: int) -> None:
    """Raises RunEndError unless the key is there, is accepted, and may use Marketing Campaigns."""
    _require_marketing(gateway.fetch(account, get_scopes(), endpoint=Endpoint.SCOPES, attempt=attempt))


def check_new_key(gateway: SendGridGateway, account: Account, key: SecretStr) -> None:
    """The same of a key that is not stored yet. Raises KeyNotAcceptedError where SendGrid does not know it."""
    try:
        scopes = gateway.try_key(account, get_scopes(), key)
    except RunEndError as error:
        if error.reason.code != ReasonCode.KEY_REFUSED:
            raise
        message = f"SendGrid does not take this API key in the region {account.region}; nothing was stored."
        raise KeyNotAcceptedError(message) from None
    _require_marketing(scopes)


def _require_marketing(scopes: Response) -> None:
    if not has_marketing_scope(scopes):
        raise RunEndError(
            ReasonCode.SCOPE_MISSING,
            "The API key may not use Marketing Campaigns; give it the scopes marketing.* (in SendGrid's API key "
            "settings: Marketing, full access).",
        )


def _custom_fields(
    gateway: SendGridGateway, account: Account, wanted: dict[str, str], attempt: int
) -> dict[str, CustomField]:
    if not wanted:
        return {}
    found = gateway.fetch(account, get_field_definitions(), endpoint=Endpoint.FIELDS, attempt=attempt)
    known = custom_fields(found)
    if missing := sorted(name for name in wanted if name.lower() not in known):
        raise RunEndError(
            ReasonCode.CUSTOM_FIELD_MISSING,
            f"SendGrid has no custom field named {', '.join(missing)}; create it there or change the mapping.",
        )
    return {name: known[name.lower()] for name in wanted}
