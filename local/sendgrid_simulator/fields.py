"""Field definitions: SendGrid's reserved fields, and the account's custom fields."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from local.sendgrid_simulator import limits
from local.sendgrid_simulator.answers import Json

FIELD_TYPES: Final = {"Text": "T", "Number": "N", "Date": "D"}

_WRITABLE: Final = [
    "first_name",
    "last_name",
    "email",
    "alternate_emails",
    "address_line_1",
    "address_line_2",
    "city",
    "state_province_region",
    "postal_code",
    "country",
    "phone_number",
    "whatsapp",
    "line",
    "facebook",
    "unique_name",
]
_READ_ONLY: Final = {
    "email_domains": "Text",
    "last_clicked": "Date",
    "last_opened": "Date",
    "last_emailed": "Date",
    "singlesend_id": "Text",
    "automation_id": "Text",
    "created_at": "Date",
    "updated_at": "Date",
    "contact_id": "Text",
}
_IDENTIFIER_FIELDS: Final = ("phone_number_id", "external_id", "anonymous_id")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_AMERICAN_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


@dataclass(frozen=True, kw_only=True)
class CustomField:
    """A field the account has defined; contacts carry its value under the id."""

    id: str
    name: str
    type: str


def reserved_fields() -> list[Json]:
    """Lists the reserved fields, in the order and form of the specification's example.

    The three newer identifiers are not in that example; their ids are our choice.
    """
    writable = [_reserved(number, name, "Text") for number, name in enumerate(_WRITABLE)]
    read_only = [
        _reserved(number, name, kind) | {"read_only": True}
        for number, (name, kind) in enumerate(_READ_ONLY.items(), start=len(writable))
    ]
    first_free = len(writable) + len(read_only)
    return (
        writable
        + read_only
        + [_reserved(number, name, "Text") for number, name in enumerate(_IDENTIFIER_FIELDS, start=first_free)]
    )


def _reserved(number: int, name: str, kind: str) -> Json:
    return {"id": f"_rf{number}_{FIELD_TYPES[kind]}", "name": name, "field_type": kind}


class CustomFields:
    """The custom fields of one account."""

    def __init__(self) -> None:
        self._by_id: dict[str, CustomField] = {}

    def __contains__(self, field_id: object) -> bool:
        return field_id in self._by_id

    def list_all(self) -> list[CustomField]:
        """Lists the fields in the order of their creation."""
        return list(self._by_id.values())

    def create(self, name: object, kind: object) -> CustomField:
        """Defines a field; raises ValueError, with a reason for the user, when the rules forbid it."""
        name, kind = self._checked(name, kind)
        field = CustomField(id=f"e{len(self._by_id) + 1}_{FIELD_TYPES[kind]}", name=name, type=kind)
        self._by_id[field.id] = field
        return field

    def name_of(self, field_id: str) -> str:
        """Gives the name of a defined field."""
        return self._by_id[field_id].name

    def problem_with(self, field_id: str, value: object) -> str | None:
        """Says what is wrong with a value for a defined field, or nothing."""
        kind = self._by_id[field_id].type
        if kind == "Number":
            return None if _is_number(value) else f"custom field '{field_id}' is not a number"
        if kind == "Date":
            return None if _is_date(value) else f"custom field '{field_id}' is not a date"
        too_long = len(str(value)) > limits.MAX_CUSTOM_TEXT_LENGTH
        return f"custom field '{field_id}' is too long" if too_long else None

    def _checked(self, name: object, kind: object) -> tuple[str, str]:
        if not isinstance(kind, str) or kind not in FIELD_TYPES:
            raise ValueError("field_type must be Text, Number or Date")
        if not isinstance(name, str) or len(name) > limits.MAX_NAME_LENGTH or not _NAME.fullmatch(name):
            raise ValueError("name must be 1-100 letters, digits or underscores and not begin with a digit")
        taken = {field["name"] for field in reserved_fields()} | {field.name for field in self._by_id.values()}
        if name.casefold() in {each.casefold() for each in taken}:
            raise ValueError("name is already in use")
        if len(self._by_id) >= limits.MAX_CUSTOM_FIELDS:
            raise ValueError("the account has as many custom fields as it may")
        return name, kind


def _is_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return True


def _is_date(value: object) -> bool:
    """Accepts MM/DD/YYYY and ISO 8601: clients in use send the one or the other."""
    if not isinstance(value, str):
        return False
    american = _AMERICAN_DATE.fullmatch(value)
    try:
        datetime.fromisoformat("{2}-{0:0>2}-{1:0>2}".format(*american.groups()) if american else value)
    except ValueError:
        return False
    return True
