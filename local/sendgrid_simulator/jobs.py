"""Import jobs: what an accepted request will do, when, and what the API tells of it meanwhile."""

import math
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from local.sendgrid_simulator.answers import Json
from local.sendgrid_simulator.configuration import Configuration
from local.sendgrid_simulator.faults import Fault, Outcome
from local.sendgrid_simulator.people import iso

PENDING = "pending"
UNKNOWN_STATUS = "processing"
"""A word that no documentation knows."""


@dataclass(frozen=True, kw_only=True)
class ContactFailure:
    """A contact that the job could not store."""

    index: int
    email: str
    reason: str


@dataclass(kw_only=True)
class JobResult:
    """What a finished job did, in SendGrid's counters (`created_count` and so on)."""

    counts: dict[str, int]
    failures: list[ContactFailure] = field(default_factory=list)
    unprocessable: bool = False
    """Whether nothing could be read of what was to be done."""

    def status(self) -> str:
        """Gives the final status: errored after some failures, failed when nothing but failures."""
        if not self.failures:
            return "completed"
        has_failed = self.unprocessable or len(self.failures) == self.counts["requested_count"]
        return "failed" if has_failed else "errored"


type Work = Callable[[], JobResult]


@dataclass(kw_only=True, eq=False)
class Job:
    """One accepted request."""

    id: str
    job_type: str
    work: Work | None
    """What to do when the job is due; gone once done, as it holds a request's body."""
    started: float
    due: float
    requested: int
    """The contacts it is for."""
    fault: Fault | None
    finished: float | None = None
    result: JobResult | None = None
    polls: int = 0
    """The questions that the fault counts."""

    @property
    def outcome(self) -> Outcome | None:
        """The outcome that a fault asks for, if any."""
        return self.fault.outcome if self.fault else None

    def polls_left(self) -> bool:
        """Says whether the fault's questions are not yet used up."""
        return self.fault is not None and self.polls <= self.fault.polls


class Jobs:
    """All jobs of one account; a job is carried out by the first `settle` after it is due."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._waiting: list[Job] = []

    def submit(
        self,
        job_type: str,
        work: Work,
        *,
        now: float,
        due: float,
        requested: int,
        fault: Fault | None = None,
    ) -> str:
        """Accepts work to be done when it is due and gives the job's id."""
        job = Job(
            id=str(uuid.uuid4()),
            job_type=job_type,
            work=work,
            started=now,
            due=due,
            requested=requested,
            fault=fault,
        )
        self._jobs[job.id] = job
        self._waiting.append(job)
        return job.id

    def reserve(self, job_type: str, *, now: float, fault: Fault | None) -> str:
        """Gives the id of a job whose work is still to come; it waits for `begin`."""
        return self.submit(job_type, _nothing, now=now, due=math.inf, requested=0, fault=fault)

    def begin(self, job_id: str, work: Work, *, due: float) -> None:
        """Gives a reserved job its work; one that has it already keeps it."""
        job = self._jobs[job_id]
        if math.isinf(job.due):
            job.work, job.due = work, due

    def settle(self, now: float) -> None:
        """Carries out every job that is due, in the order in which they were accepted."""
        due = [job for job in self._waiting if job.due <= now and job.outcome is not Outcome.PENDING_FOREVER]
        for job in due:
            self._waiting.remove(job)
            if job.work is not None:
                job.result = job.work()
            job.work, job.finished = None, job.due

    def get(self, job_id: str) -> Job | None:
        """Finds a job, unless it has vanished."""
        job = self._jobs.get(job_id)
        return None if job is None or job.outcome is Outcome.VANISHES else job

    def count_by_status(self) -> Counter[str]:
        """Counts the jobs by their true status, whatever a fault makes the API say."""
        return Counter(job.result.status() if job.result else PENDING for job in self._jobs.values())


def _nothing() -> JobResult:
    return JobResult(counts={})


def describe(job: Job, settings: Configuration, now: float) -> Json:
    """Answers one question about a job, in the words of the schema `ContactImport`."""
    if job.result is not None or job.outcome is Outcome.UNKNOWN_STATUS_FIRST:
        job.polls += 1
    ended = None if job.finished is None else job.finished + settings.job_status_lag_seconds
    is_over = ended is not None and ended <= now
    status = job.result.status() if job.result and is_over else PENDING
    results = _counters(job, settings)
    if job.polls_left() and job.outcome is Outcome.UNKNOWN_STATUS_FIRST:
        status, results, is_over = UNKNOWN_STATUS, {}, False
    elif job.polls_left() and job.outcome is Outcome.COUNTERS_BEFORE_STATUS:
        status, is_over = PENDING, False
    elif job.polls_left() and job.outcome is Outcome.STATUS_BEFORE_COUNTERS:
        results = {}
    answer = {"id": job.id, "status": status, "job_type": job.job_type, "results": results}
    return answer | {"started_at": iso(job.started)} | ({"finished_at": iso(ended)} if ended and is_over else {})


def _counters(job: Job, settings: Configuration) -> Json:
    if job.result is None:
        return {"requested_count": job.requested} if settings.counters_from_the_start and job.requested else {}
    counters: Json = dict(job.result.counts)
    if job.result.failures:
        counters["errored_count"] = len(job.result.failures)
        counters["errors_url"] = f"{settings.public_url}/__errors/{job.id}"
    return counters if settings.zero_counters else {name: each for name, each in counters.items() if each}


def error_file(result: JobResult) -> str:
    """Writes the file behind `errors_url`; SendGrid does not document its form, this CSV is our choice."""
    lines = [f"{each.index},{each.email},{each.reason}\n" for each in result.failures]
    return "index,email,message\n" + "".join(lines)
