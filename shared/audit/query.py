"""What is asked of the audit log, and where a page of the answer ends."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from shared.errors import FieldError, InvalidInputError
from shared.limits import AUDIT_PAGE_MAX
from shared.model.audit import ApiProperties, CallerId, CallerKind, OperationName, ResultType, as_text
from shared.model.definitions import Identifier, RunId
from shared.model.documents import Document

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from shared.model.audit import AuditEntry

type Position = tuple[str, str]
"""Where an entry is: its time, as the log writes it, and its blob. No two entries share one; later is greater."""

PAGE_DEFAULT: Final = 100
OF_THE_HOST: Final = frozenset({"code", "clientId"})
"""Parameters in which the host takes keys; https://learn.microsoft.com/azure/azure-functions/function-keys-how-to"""
YEARS: Final = range(2000, 9000)
"""What times may be asked for: in any zone they can be told in UTC."""
LATEST: Final[Position] = ("9", "")
"""After every entry."""
FILTERS: Final = ("caller", "caller_type", "operation", "connection", "export", "run", "result", "denied")
A_TIME: Final = "must be a time with its zone, such as 2026-03-01T00:00:00Z"
AN_ID: Final = "must be 1 to 63 lower-case letters, digits and inner hyphens"
A_CURSOR: Final = "must be the cursor that came with the page before"
ADVICE: Final[Mapping[str, str]] = {
    "since": A_TIME,
    "until": A_TIME,
    "caller": "must be the object id of a person or application, or the name of a key",
    "caller_type": f"must be one of {', '.join(CallerKind)}",
    "operation": "must be the name of an operation, such as Exports.Save",
    "connection": AN_ID,
    "export": AN_ID,
    "run": "must be the id of a run, such as 20260101T060000Z-scheduled",
    "result": f"must be one of {', '.join(ResultType)}",
    "denied": "must be true or false",
    "limit": f"must be a whole number from 1 to {AUDIT_PAGE_MAX}",
    "cursor": A_CURSOR,
}
"""How to correct each parameter; none repeats what was sent."""
_POSITION: Final[TypeAdapter[Position]] = TypeAdapter(tuple[str, str])


def _within_reach(moment: datetime) -> datetime:
    if moment.year not in YEARS:
        raise ValueError
    return moment


def _by_word(value: object) -> object:
    """Pydantic would take 0, off and no, too."""
    if isinstance(value, str) and value not in {"true", "false"}:
        raise ValueError
    return value


Asked = Annotated[AwareDatetime, AfterValidator(_within_reach)]


class AuditQuery(Document):
    """Which entries are asked for; what is None does not matter."""

    model_config = ConfigDict(extra="forbid")

    since: Asked | None = None
    """No entries before this moment."""
    until: Asked | None = None
    """Only entries before this moment."""
    caller: CallerId | None = None
    caller_type: CallerKind | None = None
    operation: OperationName | None = None
    connection: Identifier | None = None
    export: Identifier | None = None
    run: RunId | None = None
    result: ResultType | None = None
    denied: Annotated[bool | None, BeforeValidator(_by_word)] = None
    """Only denials, or all but these."""
    limit: Annotated[int, Field(ge=1, le=AUDIT_PAGE_MAX)] = PAGE_DEFAULT
    """Most entries of the page."""
    cursor: str | None = None
    """Where the page before ended."""

    @property
    def begin(self) -> str:
        """The earliest time that is asked for, as the log writes it."""
        return as_text(self.since) if self.since else ""

    @property
    def end(self) -> Position:
        """All entries that are asked for come before this one. Raises InvalidInputError."""
        until = (as_text(self.until), "") if self.until else LATEST
        return min(until, parse_cursor(self.cursor)) if self.cursor else until

    def asks_for(self, entry: AuditEntry) -> bool:
        """Whether the entry is one of those, times apart."""
        facts = _facts(entry)
        return all(getattr(self, name) in {None, *facts[name]} for name in FILTERS)


def _facts(entry: AuditEntry) -> Mapping[str, tuple[str | bool | None, ...]]:
    """What can be filtered by; an entry about a duplicate is about both exports."""
    of = entry.properties
    facts: dict[str, tuple[str | bool | None, ...]] = {
        "operation": (entry.operation_name,),
        "result": (entry.result_type,),
        "connection": (of.connection,),
    }
    if isinstance(of, ApiProperties):
        facts |= {"caller": (of.caller_object_id,), "caller_type": (of.caller_type,), "denied": (bool(of.denied),)}
        return facts | {"export": (of.export, of.made), "run": (of.run,)}
    facts |= {"caller": (of.submitted_by,), "caller_type": (None,), "denied": (False,)}
    return facts | {"export": (of.identifier,), "run": (of.workflow_job_id,)}


def parse_query(parameters: Mapping[str, str]) -> AuditQuery:
    """The parameters of a request. Raises InvalidInputError naming each that has to change."""
    try:
        query = AuditQuery.model_validate(
            {name: value for name, value in parameters.items() if name not in OF_THE_HOST}
        )
    except ValidationError as error:
        wrong = sorted({str(each["loc"][0]) for each in error.errors()})
        problems = [
            FieldError(field=name, message=ADVICE.get(name, "is not known; remove it or correct its name"))
            for name in wrong
        ]
        raise InvalidInputError("The parameters are not valid.", *problems) from None
    _ = query.end
    return query


def make_cursor(position: Position) -> str:
    """The position as callers carry it."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def parse_cursor(cursor: str) -> Position:
    """The position in a cursor. Raises InvalidInputError."""
    try:
        return _POSITION.validate_json(base64.b64decode(cursor, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise InvalidInputError(
            "The parameters are not valid.", FieldError(field="cursor", message=A_CURSOR)
        ) from None
