"""The fields that a mapping feeds: what each takes, from which column, and what may go wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from shared.errors import RunEndError
from shared.limits import CUSTOM_TEXT_MAX, FIELD_LENGTHS
from shared.model.reason_codes import ReasonCode
from shared.planning.value_rules import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.model.definitions import CustomField, FieldMapping

IDENTIFIERS: Final = frozenset({"phone_number_id", "external_id", "anonymous_id"})
"""Cut, an identifier would name somebody else; too long, it rejects the row."""
COLUMNS_SHOWN: Final = 40
"""So many columns are named in a message."""


class Kind(StrEnum):
    """What SendGrid takes in a field."""

    TEXT = "text"
    PHONE = "phone"
    NUMBER = "number"
    DATE = "date"


@dataclass(frozen=True, kw_only=True)
class Field:
    """One single-valued field of a contact, other than e-mail."""

    number: int
    """Tells the field from others of the same name in SQL, which does not look at case."""
    name: str
    """SendGrid's name of the field, for counts and messages."""
    key: str
    """Its member in the contact, or in the contact's custom fields."""
    custom: bool
    kind: Kind
    column: str
    """Column of the extract."""
    limit: int = 0
    """Most characters, of a text."""
    reject_over_long: bool = False
    reject_unusable: bool = True
    """Whether a value that is not of its kind rejects the row; otherwise it is left out."""

    @property
    def alias(self) -> str:
        """Name of the value in SQL, quoted."""
        return identifier(f"{self.number} {self.name}")

    @property
    def can_reject(self) -> bool:
        """Whether a value of this field can reject its row."""
        return self.reject_over_long if self.kind is Kind.TEXT else self.reject_unusable


def fields_of(mapping: FieldMapping, custom_fields: Mapping[str, CustomField]) -> tuple[Field, ...]:
    """The mapped fields but e-mail addresses, reserved ones first. Raises RunEndError for unknown fields."""
    reserved = [
        Field(
            number=number,
            name=name,
            key=name,
            custom=False,
            kind=Kind.PHONE if name == "phone_number_id" else Kind.TEXT,
            column=column,
            limit=FIELD_LENGTHS[name],
            reject_over_long=name in IDENTIFIERS or mapping.over_long.get(name) == "reject",
        )
        for number, (name, column) in enumerate(mapping.reserved().items())
        if name != "email"
    ]
    custom = [
        Field(
            number=number,
            name=name,
            key=_known(name, custom_fields).id,
            custom=True,
            kind=Kind(_known(name, custom_fields).type.lower()),
            column=column,
            limit=CUSTOM_TEXT_MAX,
            reject_over_long=mapping.over_long.get(name) == "reject",
            reject_unusable=mapping.unusable.get(name) == "reject",
        )
        for number, (name, column) in enumerate(mapping.custom_fields.items(), len(FIELD_LENGTHS))
    ]
    return (*reserved, *custom)


def _known(name: str, custom_fields: Mapping[str, CustomField]) -> CustomField:
    if name not in custom_fields:
        message = f"SendGrid has no custom field named {name}; create it there or change the mapping."
        raise RunEndError(ReasonCode.CUSTOM_FIELD_MISSING, message)
    return custom_fields[name]


def find_column(names: Sequence[str], wanted: str, *, field: str, file: str) -> int | None:
    """Position of the column `wanted`, if need be in another case; None if there is none.

    Raises RunEndError when there are several.
    """
    exact = [position for position, name in enumerate(names) if name == wanted]
    alike = [position for position, name in enumerate(names) if _folded(name) == _folded(wanted)]
    found = exact or alike
    if len(found) > 1:
        message = f"The mapping takes {field} from {wanted}, but {file} has several columns of that name."
        raise RunEndError(ReasonCode.COLUMN_AMBIGUOUS, message)
    return found[0] if found else None


def missing_column(wanted: str, *, field: str, file: str, names: Sequence[str] | None) -> RunEndError:
    """No part of the extract has the column `wanted`.

    Args:
        wanted: as the mapping has it.
        field: which it feeds.
        file: one of the parts.
        names: its columns; None if they may be somebody's data.
    """
    has = f"The mapping takes {field} from {wanted}, but {file} has no column of that name."
    return RunEndError(ReasonCode.COLUMN_MISSING, f"{has} {_shown(names)}")


def _shown(names: Sequence[str] | None) -> str:
    """The columns as a message tells them, unless they are somebody's data."""
    if names is None:
        return (
            "Its first row may be somebody's data, so it is not shown; declare the export's source.header and,"
            " where there is none, source.columns."
        )
    if any("@" in name for name in names):
        return (
            "Its first row holds an e-mail address, so it seems to have no header; see the export's source.header."
        )
    return f"It has: {', '.join(names[:COLUMNS_SHOWN])}{', …' if len(names) > COLUMNS_SHOWN else ''}."


def optional_column(names: Sequence[str], wanted: str) -> int | None:
    """Position of the column `wanted` in any case; None if there is not exactly one."""
    found = [position for position, name in enumerate(names) if _folded(name) == _folded(wanted)]
    return found[0] if len(found) == 1 else None


def _folded(name: str) -> str:
    return name.strip().casefold()
