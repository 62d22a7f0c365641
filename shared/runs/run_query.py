"""Which runs are asked for, across exports, and where a page of the answer ends. Pure."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import ConfigDict, Field, ValidationError

from shared.audit.query import A_CURSOR, A_TIME, AN_ID, LATEST, OF_THE_HOST, Asked, Position, parse_cursor
from shared.errors import FieldError, InvalidInputError
from shared.model.definitions import Identifier
from shared.model.documents import Document
from shared.model.reasons import RunStatus
from shared.model.runs import RunKind, Trigger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from shared.model.runs import Run

RUNS_PAGE_DEFAULT: Final = 20
RUNS_PAGE_MAX: Final = 100
ADVICE: Final[Mapping[str, str]] = {
    "status": f"must be one of {', '.join(RunStatus)}",
    "trigger": f"must be one of {', '.join(Trigger)}",
    "kind": f"must be one of {', '.join(RunKind)}",
    "export": AN_ID,
    "connection": AN_ID,
    "since": A_TIME,
    "until": A_TIME,
    "limit": f"must be a whole number from 1 to {RUNS_PAGE_MAX}",
    "cursor": A_CURSOR,
}
"""How to correct each parameter; none repeats what was sent."""


class RunQuery(Document):
    """Which runs are asked for; what is None does not matter."""

    model_config = ConfigDict(extra="forbid")

    status: RunStatus | None = None
    trigger: Trigger | None = None
    kind: RunKind | None = None
    export: Identifier | None = None
    connection: Identifier | None = None
    since: Asked | None = None
    """No runs that were asked for, or due, before this moment, to the second."""
    until: Asked | None = None
    """Only runs that were asked for, or due, before this moment, to the second."""
    limit: Annotated[int, Field(ge=1, le=RUNS_PAGE_MAX)] = RUNS_PAGE_DEFAULT
    cursor: str | None = None
    """Where the page before ended."""

    def may_have(self, run: str) -> bool:
        """Whether a run of that id, which begins with its time, may be one of those."""
        if self.since is not None and run < _second(self.since):
            return False
        return self.trigger in {None, trigger_of(run)}

    @property
    def end(self) -> Position:
        """All runs that are asked for come before this one, by id and export. Raises InvalidInputError."""
        until = (_second(self.until), "") if self.until else LATEST
        return min(until, parse_cursor(self.cursor)) if self.cursor else until

    def asks_for(self, run: Run) -> bool:
        """Whether the run is one of those, times apart."""
        names = ("status", "trigger", "kind", "export", "connection")
        return all(getattr(self, name) in {None, getattr(run, name)} for name in names)


def trigger_of(run: str) -> Trigger:
    """What started a run, by the end of its id; those that somebody asked for have hexadecimal digits there."""
    end = run.rpartition("-")[2]
    if end == Trigger.SCHEDULED:
        return Trigger.SCHEDULED
    return Trigger.ARRIVAL if end.startswith(Trigger.ARRIVAL) else Trigger.ON_DEMAND


def _second(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def parse_run_query(parameters: Mapping[str, str]) -> RunQuery:
    """The parameters of a request. Raises InvalidInputError naming each that has to change."""
    asked = {name: value for name, value in parameters.items() if name not in OF_THE_HOST}
    try:
        query = RunQuery.model_validate(asked)
    except ValidationError as error:
        wrong = sorted({str(each["loc"][0]) for each in error.errors()})
        problems = [FieldError(field=name, message=ADVICE[name]) for name in wrong if name in ADVICE]
        raise InvalidInputError("The parameters are not valid.", *problems) from None
    _ = query.end
    return query
