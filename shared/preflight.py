"""Ask SendGrid, before anything is sent, whether it can work: the key's scopes, the list, the custom fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import RunEndError
from shared.records import Reason, RunStatus
from shared.sendgrid import (
    contact_count,
    custom_fields,
    get_field_definitions,
    get_list,
    get_scopes,
    has_marketing_scope,
)
from shared.services import ask

if TYPE_CHECKING:
    from shared.model import CustomField, Export
    from shared.services import Account, Services


@dataclass(frozen=True, kw_only=True)
class Clearance:
    """What SendGrid told."""

    fields: dict[str, CustomField]
    """The custom fields of the mapping, by the mapping's names."""
    list_count: int | None
    """Contacts on the list now."""


def check_sendgrid(services: Services, account: Account, export: Export, *, attempt: int) -> Clearance:
    """Raises RunEndError with what to change, TransientError when SendGrid does not answer now."""
    check_key(services, account, attempt=attempt)
    found = ask(services, account, get_list(export.list_id), endpoint="lists", attempt=attempt)
    fields = _custom_fields(services, account, export.mapping.custom_fields, attempt)
    return Clearance(fields=fields, list_count=contact_count(found))


def check_key(services: Services, account: Account, *, attempt: int) -> None:
    """Raises RunEndError unless the key is there, is accepted, and may use Marketing Campaigns."""
    if not has_marketing_scope(ask(services, account, get_scopes(), endpoint="scopes", attempt=attempt)):
        raise _failed(
            "scope_missing",
            "The API key may not use Marketing Campaigns; give it the scopes marketing.* (in SendGrid's API key "
            "settings: Marketing, full access).",
        )


def _custom_fields(
    services: Services, account: Account, wanted: dict[str, str], attempt: int
) -> dict[str, CustomField]:
    if not wanted:
        return {}
    known = custom_fields(ask(services, account, get_field_definitions(), endpoint="fields", attempt=attempt))
    if missing := sorted(name for name in wanted if name.lower() not in known):
        raise _failed(
            "custom_field_missing",
            f"SendGrid has no custom field named {', '.join(missing)}; create it there or change the mapping.",
        )
    return {name: known[name.lower()] for name in wanted}


def _failed(code: str, message: str) -> RunEndError:
    return RunEndError(RunStatus.FAILED, Reason(code=code, message=message))
