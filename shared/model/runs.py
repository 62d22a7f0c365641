"""What is written down about runs: the run, its plan, and what happened to each chunk."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.model.adoption import Adopted
from shared.model.definitions import Actor, Identifier, Region, RunId
from shared.model.documents import Document
from shared.model.forecast import Forecast
from shared.model.list_ready import ListReady, NotConfirmed
from shared.model.reasons import Reason, RunStatus


class Trigger(StrEnum):
    """What started a run."""

    SCHEDULED = "scheduled"
    ARRIVAL = "arrival"
    """Its extract has arrived."""
    ON_DEMAND = "on_demand"


class RunKind(StrEnum):
    """What a run is for."""

    SEND = "send"
    DRY_RUN = "dry_run"
    """Plans everything and sends nothing."""
    ADOPTION = "adoption"
    """Makes members of those on the list who are in the extracts; sends and removes nobody."""


class Counts(Document):
    """What became of the rows: rows_read = sent + unchanged + duplicate + rejected + not_sent + pending."""

    rows_read: int = 0
    sent: int = 0
    """Contacts that SendGrid took in."""
    unchanged: int = 0
    """Contacts that SendGrid has from an earlier run just as they are; they were not sent."""
    duplicate: int = 0
    """Rows whose e-mail address another row brought already."""
    rejected: int = 0
    """Rows that were not sent, or that SendGrid refused, because of what is in them."""
    not_sent: int = 0
    """Contacts that were ready but did not get there: see the run's reason."""
    pending: int = 0
    """Contacts on their way, of which SendGrid has not told the end; none when the run is over."""
    rejected_by_reason: dict[str, int] = Field(default_factory=dict)
    """Adds up to `rejected`."""
    cut: dict[str, int] = Field(default_factory=dict)
    """SendGrid field → values shortened to its limit; those rows were sent."""
    unusable: dict[str, int] = Field(default_factory=dict)
    """Custom field → values left out because they are no number or date; those rows were sent."""
    rejected_not_listed: int = 0
    """Rejected rows that are counted only, for the list has its end."""
    removed: int = 0
    """Leavers that were taken off the list, or were no longer on it."""
    not_removed: int = 0
    """Leavers that should have been taken off and are not: see the run's reason."""
    created: int = 0
    """Contacts new to SendGrid, by its own count."""
    updated: int = 0
    """Contacts SendGrid knew already, by its own count."""

    @property
    def adds_up(self) -> bool:
        """Whether every row has exactly one outcome."""
        done = self.sent + self.unchanged + self.duplicate + self.rejected
        outcomes = done + self.not_sent + self.pending
        return self.rows_read == outcomes and self.rejected == sum(self.rejected_by_reason.values())


class PassedOver(Document):
    """A file or folder beside an extract that was not read."""

    name: str
    why: str
    """Goes on after "it"."""


class ExtractSummary(Document):
    """Which delivery of a segment a run has read."""

    segment: str
    version: str
    """The delivery's own name, such as its dated folder."""
    delivered_at: AwareDatetime | None = None
    """When its last file was written."""
    files: int
    bytes: int
    file_names: tuple[str, ...] = ()
    """The first ones, by name."""
    passed_over: tuple[PassedOver, ...] = ()
    """The first files and folders that were not read."""
    passed_over_more: int = 0
    """How many more there were."""
    incomplete: str | None = None
    """Which newer delivery was not complete, and why."""


class MembershipChange(Document):
    """How a run changed who the export has brought: before + joined - left = after."""

    before: int = 0
    joined: int = 0
    left: int = 0
    after: int = 0


class ParquetBlob(Document):
    """A blob of Parquet in a certain version."""

    blob: str
    """Its name."""
    etag: str
    size: int
    """Bytes."""


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
    kind: RunKind = RunKind.SEND
    force: bool = False
    """Run even if nothing changed since the last success."""
    retry_of: RunId | None = None
    """Send only what this earlier run did not bring to its end."""
    confirms: RunId | None = None
    """Only take off the list whom this earlier run has found to have left, and was not allowed to remove."""
    export_uid: str
    """Which export of that id it belongs to."""
    connection: Identifier
    """Which connection it goes through; whoever may use that may see it."""
    connection_uid: str | None = None
    """Which connection of that id; None where there was none when a schedule started the run."""
    requested_by: str
    """For people to read."""
    acts_for: Actor
    """Whose right to use the connection it needs: who started it, or who saved the export last."""
    created_at: AwareDatetime
    trace_id: str | None = None
    """By W3C Trace Context; every line about the run has it."""
    due_at: AwareDatetime | None = None
    """When a schedule wanted it, or its extract was there."""
    status: RunStatus = RunStatus.QUEUED
    reason: Reason | None = None
    stop: Stop | None = None
    warnings: tuple[str, ...] = ()
    waits_for: str | None = None
    """What is missing of the newest delivery, or at SendGrid, while the run waits for it."""
    looked_at: AwareDatetime | None = None
    """When the run last looked whether the delivery is complete."""
    message_token: str | None = None
    """Which message plans the run; None means any."""
    planner: str | None = None
    """Which process makes the plan right now, or died doing so."""
    waits_until: AwareDatetime | None = None
    """When the message that plans the run comes back; None while it is not waiting."""
    planning_at: AwareDatetime | None = None
    uploading_at: AwareDatetime | None = None
    importing_at: AwareDatetime | None = None
    """When SendGrid had accepted the last chunk."""
    finished_at: AwareDatetime | None = None
    extracts: tuple[ExtractSummary, ...] = ()
    extract_delivered_at: AwareDatetime | None = None
    """When the newest extract was delivered; of several segments, the oldest of their newest."""
    extract_looked_at: AwareDatetime | None = None
    """When the run has looked for it; None of one that sends what an earlier run has read."""
    counts: Counts = Counts()
    chunks: ChunkProgress = ChunkProgress()
    members: MembershipChange | None = None
    """None until the run is over, and where it sent nothing."""
    removals_to_confirm: int = 0
    """Leavers that were more than the export's `max_removals`."""
    forecast: Forecast | None = None
    """Of a dry run that is over."""
    adopted: Adopted | None = None
    """Of an adoption that is over."""
    list_name: str | None = None
    """SendGrid's name of the list, as it was when the run was planned."""
    list_count_before: int | None = None
    """Contacts on the list before the run, by SendGrid's count."""
    list_count_after: int | None = None
    """Contacts on the list when the run ended; SendGrid's count may lag behind its imports."""
    list_ready: ListReady | None = None
    """Whether the list is known to hold what the run has left on it; None where it is not looked after."""
    list_ready_at: AwareDatetime | None = None
    """When SendGrid's count was found to be steady and what was expected."""
    list_count_settled: int | None = None
    """Contacts on the list by SendGrid's count at the last look after it."""
    list_not_confirmed: NotConfirmed | None = None
    """Why the list is not known to be ready."""

    @property
    def extract_age_s(self) -> float | None:
        """How old the newest extract was when the run looked for it, in seconds."""
        if self.extract_delivered_at is None or self.extract_looked_at is None:
            return None
        return round(max((self.extract_looked_at - self.extract_delivered_at).total_seconds(), 0), 1)

    @property
    def submitted_by(self) -> str | None:
        """The id of who asked for it; None where nobody did."""
        return self.acts_for.id if self.trigger is Trigger.ON_DEMAND else None


class ChunkInfo(Document):
    """A slice of the plan that fits one request."""

    number: int
    """From 1."""
    contacts: int
    bytes: int
    """Of the contacts' lines; the request body is REQUEST_OVERHEAD_BYTES longer at most."""
    removal: bool = False
    """Whether its contacts are taken off the list; only their addresses are in it."""


class Plan(Document):
    """What a run will send, decided before anything is sent."""

    attempt: str
    """Folder of the planning attempt that won; losers are garbage."""
    fingerprint: str
    """Of extract, definition and connection; equal fingerprints mean nothing to do."""
    export_uid: str
    connection: Identifier
    connection_uid: str
    list_id: UUID
    secret_name: str
    region: Region
    chunks: tuple[ChunkInfo, ...]
    counts: Counts
    """As planned: `sent` is what the chunks hold."""
    missing: ParquetBlob | None = None
    """`address` of each member that is in no extract; None when the plan cannot tell."""
    held: tuple[ChunkInfo, ...] = ()
    """Removals that somebody has to confirm."""
    confirms: RunId | None = None
    """The run of which this plan takes up what was held."""
    warnings: tuple[Reason, ...] = ()
    """What people must hear although everything is sent, the gravest first."""
    list_name: str | None = None
    """SendGrid's name of the list."""
    list_count: int | None = None
    """Contacts on the list before anything was sent, by SendGrid's count."""
    mapping_digest: str = ""
    """Of what decides how a contact is written; with another one all are sent."""
    sends_all: bool = True
    """Whether unchanged contacts are sent, too."""
    committed_at: AwareDatetime

    def chunk(self, number: int) -> ChunkInfo:
        """The chunk of that number, from 1."""
        return self.chunks[number - 1]


class ContactRange(Document):
    """Consecutive contacts of a chunk."""

    first: int
    """From 0."""
    contacts: int


class AcceptedRange(ContactRange):
    """A range that SendGrid took, but for contacts it had refused before, or, of a removal, did not find."""

    job_id: str
    accepted_at: AwareDatetime


class Claim(Document):
    """Somebody is sending a range of the chunk right now, or died doing so."""

    message: str
    """Id of the queue message that is being worked on."""
    process: str = ""
    """Which process works on it."""
    since: AwareDatetime


class PollToken(Document):
    """Which message polls the import jobs."""

    token: str
    """The newest one goes on, older ones end."""
    polled_at: AwareDatetime
    next_at: AwareDatetime | None = None
    """When the jobs are looked at next."""
    ran_at: AwareDatetime | None = None
    """When SendGrid last said of some job that it runs."""
    expected_s: float | None = None
    """Seconds that the jobs will likely take, as far as it was known when the last one was accepted."""


class Delivery(Document):
    """How far the delivery of a chunk is. Every contact is pending, accepted, refused or given up."""

    pending: tuple[ContactRange, ...]
    accepted: tuple[AcceptedRange, ...] = ()
    refused: tuple[int, ...] = ()
    """Positions of the contacts that SendGrid refused by name, or that no smaller request could save."""
    absent: int = 0
    """Leavers that are not on the list, and need not be taken off."""
    not_found: int = 0
    """Leavers of accepted removals that were not on the list either."""
    given_up: int = 0
    """Contacts that will not be sent; `reason` says why."""
    reason: Reason | None = None
    requests: int = 0
    """Upserts that SendGrid has answered with a decision."""
    waits_until: AwareDatetime | None = None
    """When the chunk's message comes back; None while it is not waiting."""
    waits: int = 0
    """How often the chunk had to wait: for the rate limit, or for SendGrid to answer again."""
    waited_s: float = 0
    """Seconds it had to wait in all."""
    resends: int = 0
    """How often ranges were sent again because their import job failed or vanished."""
    repeats: int = 0
    """How often a range was sent again because whoever sent it died before the answer was written down."""
    claim: Claim | None = None
    poll: PollToken | None = None


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
    removal: bool = False
    """Whether they were to be taken off the list."""
    refused: int = 0
    """Contacts that SendGrid refused before it accepted the rest."""
    errored: int = 0
    """Contacts the import job refused."""
    not_sent: int = 0
    """Contacts that were given up."""
    absent: int = 0
    """Leavers that were not on the list any more."""
    jobs: tuple[str, ...] = ()
    requests: int = 0
    requested: int | None = None
    """Contacts that the import jobs were about, by SendGrid's count; None when it does not say."""
    created: int = 0
    updated: int = 0
    reason: Reason | None = None


class RunLock(Document):
    """Which run of an export, or on a list, may go on; the others wait or are skipped."""

    export: Identifier
    run: RunId


class Success(Document):
    """The last run that succeeded, and what it was made from."""

    run: RunId
    fingerprint: str


class StartedRequest(Document):
    """Which run a request stands for that may be sent twice."""

    run: RunId
    force: bool = False
    """What release 0.1 compared instead of `request`."""
    request: str = ""
    """Digest of the request that had the Idempotency-Key first, where there is one."""
    asked_at: AwareDatetime | None = None
    """When that was."""


class ScheduleState(Document):
    """Up to when the timer has looked for due exports."""

    looked_until: AwareDatetime


class CleaningState(Document):
    """When old chunks were last deleted."""

    cleaned_at: AwareDatetime
