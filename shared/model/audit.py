"""What the audit log holds: a line for each change, start, denial and reading of people's data.

The members are those of Customer Insights' own diagnostics, so that one query reads both:
https://learn.microsoft.com/dynamics365/customer-insights/data/diagnostics
Names of people, addresses they call from and values of fields are no members, here or anywhere below.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, ConfigDict, Field, PlainSerializer, StringConstraints
from pydantic.alias_generators import to_camel, to_pascal

from shared.model.definitions import Identifier, RunId, SegmentName
from shared.model.documents import Document

TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%S.%fZ"
"""Of the same length always, so that times sort as text."""

OperationName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]{0,39}\.[A-Z][A-Za-z]{0,39}$")]
"""`{what}.{deed}`, such as `Exports.Save`; docs/audit.md has them."""

CallerId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._~-]{1,128}$")]
"""Object id of a person or application in Entra, or the name of a key; an e-mail address is none."""

Word = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._-]{1,64}$")]

FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.]{1,128}$")]
"""Dotted path of a field of a definition, such as `mapping.email`; never its value."""


def as_text(moment: datetime) -> str:
    """The moment as the log writes it."""
    return moment.astimezone(UTC).strftime(TIME_FORMAT)


Moment = Annotated[AwareDatetime, PlainSerializer(as_text, return_type=str)]


class CallerKind(StrEnum):
    """What a caller is."""

    PERSON = "person"
    APPLICATION = "application"
    KEY = "key"
    NOBODY = "nobody"
    """Nobody that the app knows: the request came without proof, or with a bad one."""


class AuditedCaller(Document):
    """Who asks, as far as it is written down."""

    id: CallerId
    kind: CallerKind
    roles: tuple[Word, ...] = ()


NOBODY: Final = AuditedCaller(id="nobody", kind=CallerKind.NOBODY)


class AuditedRequest(Document):
    """What is asked for over HTTP, and by whom."""

    operation: OperationName
    caller: AuditedCaller
    method: Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,10}$")]
    path: Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9{}/_-]{0,127}$")]
    """The route as declared, such as `/api/exports/{id}`: what a caller writes into an address is not kept."""
    correlation_id: Word
    """The same for all entries of the request."""
    connection: Identifier | None = None
    export: Identifier | None = None
    run: RunId | None = None
    segment: SegmentName | None = None
    notification: Identifier | None = None
    """A notification target."""
    required_roles: tuple[Word, ...] = ()
    """Roles one of which the operation asks for."""


class Category(StrEnum):
    """Customer Insights' names of the two logs."""

    AUDIT = "Audit"
    """Requests over HTTP."""
    OPERATIONAL = "Operational"
    """Runs."""


class ResultType(StrEnum):
    """How it ended; Customer Insights' words, which differ between requests and runs."""

    RUNNING = "Running"
    """It was about to be done when this was written; an entry of the same correlationId tells how it ended."""
    SUCCESS = "Success"
    CLIENT_ERROR = "ClientError"
    """The request was at fault, or the caller was not allowed."""
    FAILURE = "Failure"
    SUCCESSFUL = "Successful"
    """Of a run."""
    SKIPPED = "Skipped"
    """Of a run that sent nothing or was cancelled."""


class Level(StrEnum):
    """How severe it is."""

    INFORMATIONAL = "Informational"
    WARNING = "Warning"
    ERROR = "Error"


class _Written(Document):
    """Written with the names of Customer Insights, and read by them."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True)


class _Authorization(_Written):
    model_config = ConfigDict(alias_generator=to_pascal)

    user_role: str
    """All roles of the caller, with commas."""
    required_roles: tuple[str, ...] = ()


class Identity(_Written):
    """What the caller was allowed."""

    model_config = ConfigDict(alias_generator=to_pascal)

    authorization: _Authorization


class ApiProperties(_Written):
    """Of a request over HTTP."""

    event_type: Literal["ApiEvent"] = "ApiEvent"
    method: str
    path: str
    operation_status: Literal["Success", "ClientError", "Error"] | None = None
    """None while the operation runs."""
    caller_object_id: str
    caller_type: CallerKind
    """Ours; in Customer Insights all callers are Entra's."""
    connection: str | None = None
    export: str | None = None
    run: str | None = None
    made: str | None = None
    """The export that was made as a duplicate of `export`; ours."""
    segment: str | None = None
    """Ours."""
    notification: str | None = None
    """Ours."""
    denied: Literal[True] | None = None
    """Set where the caller was not allowed; ours."""
    count: Annotated[int, Field(ge=2)] | None = None
    """How many like requests this entry stands for, where they are several; ours."""
    fields_before: tuple[FieldName, ...] | None = None
    """Names of the fields that were there before and are not, or not with the same value, afterwards; ours."""
    fields_after: tuple[FieldName, ...] | None = None
    """Names of the fields that are there afterwards and were not, or not with the same value, before; ours."""


class AdditionalInfo(_Written):
    """Of an export's run."""

    model_config = ConfigDict(alias_generator=to_pascal)

    kind: str
    """What the run is for: send, dry_run, adoption."""
    message_code: str | None = None
    """The reason's code; docs/operations.md has them."""


class WorkflowProperties(_Written):
    """Of a run."""

    event_type: Literal["WorkflowEvent"] = "WorkflowEvent"
    workflow_job_id: str
    """The run."""
    operation_type: Literal["Export"] = "Export"
    submitted_by: str | None = None
    """Id of the caller who started it; None for a schedule."""
    workflow_submission_kind: Literal["OnDemand", "Scheduled"]
    workflow_status: str
    """The run's status in our words."""
    submitted_timestamp: Moment
    start_timestamp: Moment | None = None
    end_timestamp: Moment | None = None
    identifier: str
    """The export."""
    connection: str | None = None
    """Ours."""
    additional_info: AdditionalInfo


class AuditEntry(_Written):
    """One line of the log."""

    time: Moment
    """When it was written down."""
    resource_id: str | None = None
    """The app's address in Azure, where it is known."""
    operation_name: str
    category: Category
    result_type: ResultType
    result_signature: str | None = None
    """HTTP status of the answer."""
    duration_ms: int | None = None
    level: Level = Level.INFORMATIONAL
    correlation_id: str
    identity: Identity | None = None
    properties: Annotated[ApiProperties | WorkflowProperties, Field(discriminator="event_type")]
