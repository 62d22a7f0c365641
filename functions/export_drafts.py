"""Exports as callers write them down: the list may be named instead of its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from pydantic import Field

from functions import bodies
from shared.definitions import manage
from shared.definitions.choices import find_list
from shared.errors import FieldError, InvalidInputError
from shared.model.definitions import Export, Identifier, Text

if TYPE_CHECKING:
    from functions.authorisation import Call

UNTOLD: Final = UUID(int=0)
"""In place of the id of a list that is told by its name."""


def _without_default(schema: dict[str, Any]) -> None:
    del schema["default"]


class WrittenExport(Export):
    """An export as somebody writes it down: that it has no connection has to be said."""

    connection: Identifier | None


class ExportDraft(WrittenExport):
    """An export as somebody writes it down; it names its list by `list_id` or by `list_name`."""

    list_id: UUID = Field(default=UNTOLD, json_schema_extra=_without_default)
    """SendGrid's id of the list; needed unless `list_name` tells which it is."""
    list_name: Text | None = None
    """SendGrid's name of the list, in place of its id: it is looked up as the export is saved, and not kept."""


def parse_export(call: Call, document: dict[str, Any], *, export: str | None) -> Export:
    """The export of a body, of that id if it has one. Raises InvalidInputError, and what lists raise."""
    if document.get("list_name") is None:
        told = {name: value for name, value in document.items() if name != "list_name"}
        return _as_export(bodies.validate(WrittenExport, told))
    if document.get("list_id") is not None:
        problem = FieldError(field="list_name", message="and list_id exclude each other", pointer="/list_name")
        raise InvalidInputError("The body is not valid.", problem)
    draft = bodies.validate(ExportDraft, {**document, "list_id": str(UNTOLD)})
    named = _as_export(draft)
    manage.require_usable(call.services, export, named, caller=call.caller)
    if named.connection is None:
        problem = FieldError(
            field="list_name", message="needs a connection to be looked up in", pointer="/list_name"
        )
        raise InvalidInputError("The list cannot be told by its name.", problem)
    list_id = find_list(call.services, named.connection, str(draft.list_name))
    return named.model_copy(update={"list_id": list_id})


def _as_export(written: WrittenExport) -> Export:
    return Export.model_validate({name: getattr(written, name) for name in Export.model_fields})
