"""The documents: connections, exports, runs, plans, and what happened to each chunk.

Every document is frozen, refuses unknown members, and is the JSON that rests in the store.
The words are those of docs/architecture.md.
"""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final, Literal
from uuid import UUID

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from shared.limits import ALTERNATE_EMAILS_MAX, DEFAULT_MAX_CONTACTS

CRON_FIELDS: Final = 5


class Document(BaseModel):
    """Base of all documents: frozen, and nothing unknown gets in."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)


def _known_time_zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise ValueError("must be an IANA time zone, such as Europe/Stockholm")
    return name


def _valid_cron(expression: str) -> str:
    if len(expression.split()) != CRON_FIELDS:
        raise ValueError("must have five fields: minute hour day month weekday")
    try:
        CronSim(expression, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError("must be a cron expression, such as 30 6 * * MON-FRI") from error
    return expression


def _unique[T](values: tuple[T, ...]) -> tuple[T, ...]:
    if len(set(values)) != len(values):
        raise ValueError("must not name anything twice")
    return values


Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$")]
"""Name of a connection or export in URLs and blob names: lower-case letters, digits and inner hyphens."""

RunId = Annotated[str, StringConstraints(pattern=r"^\d{8}T\d{6}Z-[a-z0-9]{1,16}$")]
"""`{due or request time, UTC}-{scheduled | random}`: sorts by time."""

SegmentName = Annotated[str, StringConstraints(pattern=r"^\w[\w .-]{0,126}$")]
"""Name of a segment in the source; no path separators."""

Column = Annotated[str, StringConstraints(min_length=1, max_length=256)]
"""Name of a column of the extract."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Cron = Annotated[str, AfterValidator(_valid_cron)]
TimeZone = Annotated[str, AfterValidator(_known_time_zone)]


class Consent(Document):
    """Who agreed, when, and to which text, that people's data goes to SendGrid."""

    given_by: Text
    given_at: AwareDatetime
    text: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]


class Region(StrEnum):
    """Where the SendGrid account lives; decides the API host."""

    GLOBAL = "global"
    EU = "eu"


class Connection(Document):
    """A SendGrid account that may be written to."""

    display_name: Text
    secret_name: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,127}$")]
    """Name of the Key Vault secret that holds the API key; never the key."""
    region: Region = Region.GLOBAL
    consent: Consent | None = None
    """Without it no run starts."""
    users: Annotated[tuple[Text, ...], AfterValidator(_unique)] = ()
    """Names or object IDs of those who, beside administrators, may export through this connection."""


class FollowRefresh(Document):
    """The export runs with every scheduled refresh of the environment."""

    kind: Literal["refresh"] = "refresh"


class OwnSchedule(Document):
    """The export runs on its own cron expression."""

    kind: Literal["cron"]
    cron: Cron
    time_zone: TimeZone = "UTC"


class Off(Document):
    """The export runs on demand only."""

    kind: Literal["off"]


Schedule = Annotated[FollowRefresh | OwnSchedule | Off, Field(discriminator="kind")]


class SourceOptions(Document):
    """How the files of the extract are written, where they or their model.json do not say it themselves.

    Whatever is set here is believed; `auto` means: find out from what is there.
    """

    format: Literal["auto", "csv", "jsonl", "parquet"] = "auto"
    header: Literal["auto", "present", "absent"] = "auto"
    """Whether the first record of a CSV file names the columns."""
    delimiter: Literal["auto", "comma", "semicolon", "tab", "pipe"] = "auto"
    quoting: Literal["auto", "none"] = "auto"
    """`none`: a quotation mark is a character like any other."""
    encoding: Literal["auto", "utf-8", "utf-16", "windows-1252"] = "auto"
    """Windows-1252 is never guessed."""
    columns: tuple[Annotated[str, StringConstraints(min_length=1, max_length=256)], ...] = ()
    """Names of the columns, in order, for CSV files without a header."""
    success_marker: Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,100}$")] | None = None
    """Name of the file that completes a delivery, such as _SUCCESS; folders without it are passed over."""
    date_order: Literal["auto", "day_first", "month_first"] = "auto"
    """How dates with slashes are meant; without it they are rejected, for 01/02/2026 may be either."""
    decimal_separator: Literal["point", "comma"] = "point"


class FieldMapping(Document):
    """Which column of the extract feeds which SendGrid field.

    Mapping `phone_number_id`, `external_id` or `anonymous_id` makes them identifiers of the contact: SendGrid
    then wants all of them in every later update of it.
    """

    email: Column
    first_name: Column | None = None
    last_name: Column | None = None
    country: Column | None = None
    state_province_region: Column | None = None
    city: Column | None = None
    postal_code: Column | None = None
    address_line_1: Column | None = None
    address_line_2: Column | None = None
    phone_number: Column | None = None
    whatsapp: Column | None = None
    line: Column | None = None
    facebook: Column | None = None
    unique_name: Column | None = None
    phone_number_id: Column | None = None
    external_id: Column | None = None
    anonymous_id: Column | None = None
    alternate_emails: Annotated[tuple[Column, ...], Field(max_length=ALTERNATE_EMAILS_MAX)] = ()
    custom_fields: dict[Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w{0,99}$")], Column] = {}
    """Custom field's name at SendGrid → column."""
    over_long: dict[str, Literal["cut", "reject"]] = {}
    """SendGrid field, reserved or custom → what to do with a value longer than its limit; `cut` if not named."""

    def reserved(self) -> dict[str, str]:
        """Single-valued reserved fields that are mapped: SendGrid field → column, e-mail first."""
        multiple = {"alternate_emails", "custom_fields", "over_long"}
        return {
            name: column
            for name in type(self).model_fields
            if name not in multiple and (column := getattr(self, name)) is not None
        }


class Export(Document):
    """The standing wish: these segments, through this connection, to this list."""

    name: Text
    connection: Identifier
    list_id: UUID
    segments: Annotated[tuple[SegmentName, ...], Field(min_length=1), AfterValidator(_unique)]
    """In order of precedence: a person in several segments is taken from the first."""
    mapping: FieldMapping
    source: SourceOptions = SourceOptions()
    max_contacts: Annotated[int, Field(ge=1, strict=True)] = DEFAULT_MAX_CONTACTS
    """A run that would send more contacts than this sends none and is skipped."""
    schedule: Schedule = FollowRefresh()
    overlap: Literal["wait", "skip"] = "wait"
    """What a run does while another run of the export is not over."""
    enabled: Annotated[bool, Field(strict=True)] = True


class Saved[D: Document](Document):
    """A definition as it rests in the store."""

    id: Identifier
    definition: D
    created_at: AwareDatetime
    updated_at: AwareDatetime
    updated_by: str


class CustomField(Document):
    """A custom field as SendGrid knows it."""

    id: str
    type: Literal["Text", "Number", "Date"]


class Trigger(StrEnum):
    """What started a run."""

    SCHEDULED = "scheduled"
    ON_DEMAND = "on_demand"


class RunStatus(StrEnum):
    """Where a run is; the last five are terminal."""

    QUEUED = "queued"
    """Waits for a planner."""
    PLANNING = "planning"
    """The extract is being read; nothing was sent yet."""
    UPLOADING = "uploading"
    """Chunks are on their way to SendGrid."""
    IMPORTING = "importing"
    """SendGrid accepted every chunk and works through its import jobs."""
    SUCCEEDED = "succeeded"
    COMPLETED_WITH_WARNINGS = "completed_with_warnings"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether the run is over."""
        return self not in {self.QUEUED, self.PLANNING, self.UPLOADING, self.IMPORTING}


class Reason(Document):
    """Why a run ended as it did, in words a person can act on."""

    code: str
    """Stable, for programs; docs/operations.md lists them."""
    message: str


class Counts(Document):
    """What became of the rows: rows_read = sent + duplicate + rejected + not_sent."""

    rows_read: int = 0
    sent: int = 0
    """Contacts that SendGrid took in."""
    duplicate: int = 0
    """Rows whose e-mail address another row brought already."""
    rejected: int = 0
    """Rows that were not sent, or that SendGrid refused, because of what is in them."""
    not_sent: int = 0
    """Contacts that were ready but did not get there: see the run's reason."""
    rejected_by_reason: dict[str, int] = {}
    """Adds up to `rejected`."""
    cut: dict[str, int] = {}
    """SendGrid field → values shortened to its limit; those rows were sent."""
    created: int = 0
    """Contacts new to SendGrid, by its own count."""
    updated: int = 0
    """Contacts SendGrid knew already, by its own count."""

    @property
    def adds_up(self) -> bool:
        """Whether every row has exactly one outcome."""
        outcomes = self.sent + self.duplicate + self.rejected + self.not_sent
        return self.rows_read == outcomes and self.rejected == sum(self.rejected_by_reason.values())


class ExtractSummary(Document):
    """Which delivery of a segment a run has read."""

    segment: str
    version: str
    """The delivery's own name, such as its dated folder."""
    files: int
    bytes: int


class ChunkProgress(Document):
    """How far the chunks of a run are."""

    planned: int = 0
    accepted: int = 0
    """SendGrid took them, as far as it would; the import may still be under way."""
    finished: int = 0
    contacts_planned: int = 0
    contacts_accepted: int = 0


class Stop(Document):
    """The run takes no further chunk to SendGrid; it is over when those under way are."""

    status: RunStatus
    reason: Reason


class Run(Document):
    """One execution of an export."""

    id: RunId
    export: Identifier
    trigger: Trigger
    force: bool = False
    """Run even if nothing changed since the last success."""
    retry_of: RunId | None = None
    """Send only what this earlier run did not bring to its end."""
    requested_by: str
    created_at: AwareDatetime
    due_at: AwareDatetime | None = None
    status: RunStatus = RunStatus.QUEUED
    reason: Reason | None = None
    stop: Stop | None = None
    warnings: tuple[str, ...] = ()
    planning_at: AwareDatetime | None = None
    uploading_at: AwareDatetime | None = None
    importing_at: AwareDatetime | None = None
    """When SendGrid had accepted the last chunk."""
    finished_at: AwareDatetime | None = None
    extracts: tuple[ExtractSummary, ...] = ()
    counts: Counts = Counts()
    chunks: ChunkProgress = ChunkProgress()
    list_count_before: int | None = None
    """Contacts on the list before the run, by SendGrid's count."""
    list_count_after: int | None = None
    """Contacts on the list when the run ended; SendGrid's count may lag behind its imports."""


class ChunkInfo(Document):
    """A slice of the plan that fits one request."""

    number: int
    """From 1."""
    contacts: int
    bytes: int
    """Of the contacts' lines; the request body is REQUEST_OVERHEAD_BYTES longer at most."""


class Plan(Document):
    """What a run will send, decided before anything is sent."""

    attempt: str
    """Folder of the planning attempt that won; losers are garbage."""
    fingerprint: str
    """Of extract, definition and connection; equal fingerprints mean nothing to do."""
    connection: Identifier
    list_id: UUID
    secret_name: str
    region: Region
    chunks: tuple[ChunkInfo, ...]
    counts: Counts
    """As planned: `sent` is what the chunks hold."""
    list_count: int | None = None
    """Contacts on the list before anything was sent, by SendGrid's count."""
    committed_at: AwareDatetime

    def chunk(self, number: int) -> ChunkInfo:
        """The chunk of that number, from 1."""
        return self.chunks[number - 1]


class Portion(Document):
    """Consecutive contacts of a chunk."""

    first: int
    """From 0."""
    contacts: int


class AcceptedPortion(Portion):
    """A portion that SendGrid took, but for contacts it had refused before."""

    job_id: str
    accepted_at: AwareDatetime


class Claim(Document):
    """Somebody is sending a portion of the chunk right now, or died doing so."""

    message: str
    """Id of the queue message that is being worked on."""
    since: AwareDatetime


class Watch(Document):
    """Who looks after the import jobs."""

    token: str
    """The newest one goes on, older ones end."""
    looked_at: AwareDatetime


class Delivery(Document):
    """How far the delivery of a chunk is. Every contact is pending, accepted, refused or given up."""

    pending: tuple[Portion, ...]
    accepted: tuple[AcceptedPortion, ...] = ()
    refused: tuple[int, ...] = ()
    """Positions of the contacts that SendGrid refused by name, or that no smaller request could save."""
    given_up: int = 0
    """Contacts that will not be sent; `reason` says why."""
    reason: Reason | None = None
    requests: int = 0
    """Upserts that SendGrid has answered with a decision."""
    waits: int = 0
    """How often the chunk had to wait: for the rate limit, or for SendGrid to answer again."""
    waited_s: float = 0
    """Seconds it had to wait in all."""
    resends: int = 0
    """How often portions were sent again because their import job failed or vanished."""
    claim: Claim | None = None
    watch: Watch | None = None


class ChunkStatus(StrEnum):
    """How a chunk ended."""

    COMPLETED = "completed"
    """All contacts are in."""
    ERRORED = "errored"
    """Some contacts were refused by the import job."""
    FAILED = "failed"
    """No contact got in."""
    UNCONFIRMED = "unconfirmed"
    """Accepted, but the import job never came to an end we could see."""


class ChunkResult(Document):
    """The terminal outcome of a chunk."""

    status: ChunkStatus
    finished_at: AwareDatetime
    contacts: int
    """Contacts in the chunk."""
    refused: int = 0
    """Contacts that SendGrid refused before it accepted the rest."""
    errored: int = 0
    """Contacts the import job refused."""
    not_sent: int = 0
    """Contacts that were given up."""
    jobs: tuple[str, ...] = ()
    requests: int = 0
    requested: int | None = None
    """Contacts that the import jobs were about, by SendGrid's count; None when it does not say."""
    created: int = 0
    updated: int = 0
    reason: Reason | None = None


class Turn(Document):
    """Which run of an export may go on; the others wait or are skipped."""

    run: RunId


class Success(Document):
    """The last run that succeeded, and what it was made from."""

    run: RunId
    fingerprint: str


class StartedRequest(Document):
    """Which run an Idempotency-Key stands for."""

    run: RunId


class ScheduleState(Document):
    """Up to when the timer has looked for due exports."""

    looked_until: AwareDatetime


class CleaningState(Document):
    """When old chunks were last deleted."""

    cleaned_at: AwareDatetime
