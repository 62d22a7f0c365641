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
    """The custom fields of the mapping that SendGrid has, by the mapping's names."""
    missing: tuple[str, ...]
    """Names of those that it has not."""
    list_name: str | None
    list_count: int | None
    """Contacts on the list now."""


def check_sendgrid(gateway: SendGridGateway, account: Account, export: Export, *, attempt: int) -> PreflightResult:
    """Raises RunEndError with what to change, TransientError when SendGrid does not answer now."""
    found = look_at_sendgrid(gateway, account, export, attempt=attempt)
    if found.missing:
        names = ", ".join(found.missing)
        message = f"SendGrid has no custom field named {names}; create it there or change the mapping."
        raise RunEndError(ReasonCode.CUSTOM_FIELD_MISSING, message)
    return found


def look_at_sendgrid(
    gateway: SendGridGateway, account: Account, export: Export, *, attempt: int
) -> PreflightResult:
    """The same, but that a custom field is missing is told and not raised."""
    check_key(gateway, account, attempt=attempt)
    found = gateway.fetch(account, get_list(export.list_id), endpoint=Endpoint.LISTS, attempt=attempt)
    wanted = export.mapping.custom_fields
    fields = _custom_fields(gateway, account, wanted, attempt)
    return PreflightResult(
        fields=fields,
        missing=tuple(sorted(wanted.keys() - fields.keys())),
        list_name=list_name(found),
        list_count=contact_count(found),
    )


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
    return {name: known[name.lower()] for name in wanted if name.lower() in known}
