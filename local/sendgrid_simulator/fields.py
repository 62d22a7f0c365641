"""Field definitions: SendGrid's reserved fields, and the account's custom fields."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from local.sendgrid_simulator import limits
from local.sendgrid_simulator.answers import Json

FIELD_TYPES: Final = {"Text": "T", "Number": "N", "Date": "D"}

_WRITABLE: Final = (
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
)
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
_IDENTIFIERS: Final = ("phone_number_id", "external_id", "anonymous_id")
_MEMBERSHIPS: Final = ("list_ids", "segment_ids")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_AMERICAN_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


@dataclass(frozen=True, kw_only=True)
class CustomField:
    """A field the account has defined; contacts carry its value under the id."""

    id: str
    name: str
    type: str


def reserved_fields() -> list[Json]:
    """Lists the reserved fields, in the order and with the ids recorded in 2026: memberships have the last ids."""
    names = [*_WRITABLE, *_READ_ONLY, *_IDENTIFIERS, *_MEMBERSHIPS]
    order = [*_WRITABLE, *_MEMBERSHIPS, *_READ_ONLY, *_IDENTIFIERS]
    return [_reserved(names.index(name), name) for name in order]


def importable_fields() -> dict[str, str]:
    """Gives the names of the reserved fields that a client may write, by their ids."""
    written = {*_WRITABLE, *_IDENTIFIERS}
    return {each["id"]: each["name"] for each in reserved_fields() if each["name"] in written}


def _reserved(number: int, name: str) -> Json:
    kind = _READ_ONLY.get(name, "Text")
    field = {"id": f"_rf{number}_{FIELD_TYPES[kind]}", "name": name, "field_type": kind}
    return field | ({"read_only": True} if name in _READ_ONLY else {})


class CustomFields:
    """The custom fields of one account."""

    def __init__(self) -> None:
        self._by_id: dict[str, CustomField] = {}
        self._created = 0

    def __contains__(self, field_id: object) -> bool:
        return field_id in self._by_id

    def list_all(self) -> list[CustomField]:
        """Lists the fields in the order of their creation."""
        return list(self._by_id.values())

    def create(self, name: object, kind: object) -> CustomField:
        """Defines a field; raises ValueError, with a reason for the user, when the rules forbid it."""
        if not isinstance(kind, str) or kind not in FIELD_TYPES:
            raise ValueError("field_type must be Text, Number or Date")
        if len(self._by_id) >= limits.MAX_CUSTOM_FIELDS:
            raise ValueError("the account has as many custom fields as it may")
        name = self._checked_name(name)
        self._created += 1
        field = CustomField(id=f"e{self._created}_{FIELD_TYPES[kind]}", name=name, type=kind)
        self._by_id[field.id] = field
        return field

    def rename(self, field_id: str, name: object) -> CustomField | None:
        """Gives a field another name, or nothing for an unknown field; raises ValueError as `create` does."""
        field = self._by_id.get(field_id)
        if field is None:
            return None
        self._by_id[field_id] = replace(field, name=self._checked_name(name))
        return self._by_id[field_id]

    def delete(self, field_id: str) -> bool:
        """Forgets a field, whose values are shown no more; says whether it was there."""
        return self._by_id.pop(field_id, None) is not None

    def shown(self, values: Json) -> Json:
        """Shows custom values as they come back: by name, numbers as numbers, dates in ISO 8601."""
        return {
            field.name: _shown(field.type, value)
            for field_id, value in values.items()
            if (field := self._by_id.get(field_id))
        }

    def problem_with(self, field_id: str, value: object) -> str | None:
        """Says what is wrong with a value for a defined field, or nothing."""
        kind = self._by_id[field_id].type
        if kind == "Number":
            return None if _is_number(value) else f"custom field '{field_id}' is not a number"
        if kind == "Date":
            return None if _is_date(value) else f"custom field '{field_id}' is not a date"
        too_long = len(str(value)) > limits.MAX_CUSTOM_TEXT_LENGTH
        return f"custom field '{field_id}' is too long" if too_long else None

    def _checked_name(self, name: object) -> str:
        if not isinstance(name, str) or len(name) > limits.MAX_NAME_LENGTH or not _NAME.fullmatch(name):
            raise ValueError("name must be 1-100 letters, digits or underscores and not begin with a digit")
        taken = {field["name"] for field in reserved_fields()} | {field.name for field in self._by_id.values()}
        if name.casefold() in {each.casefold() for each in taken}:
            raise ValueError("name is already in use")
        return name


def _is_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return True


def _is_date(value: object) -> bool:
    try:
        _parse_date(value)
    except ValueError:
        return False
    return True


def _parse_date(value: object) -> datetime:
    """Reads MM/DD/YYYY and ISO 8601: clients in use send the one or the other."""
    if not isinstance(value, str):
        raise ValueError("a date is a string")  # noqa: TRY004 - as for a string that is none
    american = _AMERICAN_DATE.fullmatch(value)
    parsed = datetime.fromisoformat("{2}-{0:0>2}-{1:0>2}".format(*american.groups()) if american else value)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _shown(kind: str, value: object) -> object:
    if kind == "Number":
        number = float(str(value))
        return int(number) if number.is_integer() else number
    if kind == "Date":
        return _parse_date(value).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)
