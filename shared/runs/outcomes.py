"""From import jobs to a chunk's result, from results to a run's status and counts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from shared.limits import IMPORT_DEADLINE, JOB_PATIENCE, RESENDS
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import Reason, RunStatus
from shared.model.rejections import Rejected
from shared.model.runs import ChunkResult, ChunkStatus
from shared.runs.delivery_state import live_contacts
from shared.runs.job_looks import age_of, next_wait, poll_wait
from shared.sendgrid.api import JobStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from shared.model.runs import AcceptedRange, Counts, Delivery, Stop
    from shared.sendgrid.api import ImportJob

UNCONFIRMED: Final = Reason(
    code=ReasonCode.UNCONFIRMED,
    message="SendGrid accepted the contacts but has not confirmed their import in time.",
)
NOTHING_CHANGED: Final = "SendGrid has every contact of the extracts already, just as they are there."
JOB_FAILED: Final = Reason(
    code=ReasonCode.IMPORT_FAILED, message="SendGrid's import job failed, also when sent again."
)


@dataclass(frozen=True, kw_only=True)
class JobPoll:
    """What one poll of an import job showed."""

    accepted: AcceptedRange
    job: ImportJob | None = None
    """None when SendGrid did not tell."""
    vanished: bool = False
    """SendGrid knows no such job."""
    wait: float = 0
    """Seconds that the response asks to wait."""

    @property
    def ended(self) -> bool:
        """Whether the job has come to its end."""
        return self.job is not None and self.job.status is not JobStatus.PENDING

    @property
    def running(self) -> bool:
        """Whether SendGrid said that the job has not ended."""
        return self.job is not None and self.job.status is JobStatus.PENDING

    @property
    def lost(self) -> bool:
        """Whether sending again may help."""
        return self.vanished or (self.job is not None and self.job.status is JobStatus.FAILED)

    @property
    def outcome(self) -> RangeOutcome:
        """The end of the job, as far as it was seen."""
        return RangeOutcome(accepted=self.accepted, job=self.job if self.ended else None)


@dataclass(frozen=True)
class PollAgain:
    """Some job has not ended: poll all of them again after `wait` seconds."""

    wait: float
    as_expected: bool = False
    """Nothing is amiss: the jobs run, and their time is known."""


@dataclass(frozen=True)
class Resend:
    """Some jobs failed or vanished: send their ranges again."""

    ranges: tuple[AcceptedRange, ...]


@dataclass(frozen=True)
class Finish:
    """The jobs are over, or the run waits no longer: write the chunk's result."""

    outcomes: tuple[RangeOutcome, ...]


def next_step(
    delivery: Delivery,
    polls: Sequence[JobPoll],
    *,
    now: datetime,
    attempt: int,
    stopped: bool,
    removal: bool = False,
) -> PollAgain | Resend | Finish:
    """Decide what follows the `attempt`-th poll of a delivery's jobs; `stopped` means the run sends no more.

    The job of a removal tells no counters that could be waited for.
    """
    patient = attempt <= JOB_PATIENCE
    if any(_is_unsettled(poll, patient=patient, removal=removal) for poll in polls) and not _is_too_late(
        delivery, now
    ):
        return _poll_again(delivery, polls, now, attempt)
    lost = tuple(poll.accepted for poll in polls if poll.lost)
    if lost and delivery.resends < RESENDS and not stopped:
        return Resend(lost)
    return Finish(tuple(poll.outcome for poll in polls))


def _poll_again(delivery: Delivery, polls: Sequence[JobPoll], now: datetime, attempt: int) -> PollAgain:
    asked = max(poll.wait for poll in polls)
    if not all(poll.ended or poll.running for poll in polls) or not any(poll.running for poll in polls):
        return PollAgain(max(poll_wait(attempt), asked))
    expected = delivery.poll.expected_s if delivery.poll else None
    wait = next_wait(expected, age_of(delivery, now), attempt)
    return PollAgain(max(wait, asked), as_expected=expected is not None)


def _is_unsettled(poll: JobPoll, *, patient: bool, removal: bool) -> bool:
    """Whether another poll may show more: the job runs, is not known yet, or its counters are still empty."""
    if poll.vanished or (poll.ended and poll.job is not None and not removal and counters_missing(poll.job)):
        return patient
    return not poll.ended


def _is_too_late(delivery: Delivery, now: datetime) -> bool:
    newest = max(accepted.accepted_at for accepted in delivery.accepted)
    return now >= newest + timedelta(seconds=IMPORT_DEADLINE)


@dataclass(frozen=True, kw_only=True)
class RangeOutcome:
    """An accepted range and the end of its import job; no job means that none was seen to end."""

    accepted: AcceptedRange
    job: ImportJob | None


def counters_missing(job: ImportJob) -> bool:
    """Whether a job that ended does not say yet for how many contacts."""
    if job.status is JobStatus.ERRORED:
        return job.errored is None
    return job.status is JobStatus.COMPLETED and job.created is None and job.updated is None


def chunk_result(
    delivery: Delivery, ended: Sequence[RangeOutcome], *, contacts: int, now: datetime, removal: bool = False
) -> ChunkResult:
    """The result of a chunk of `contacts` contacts: contacts = got in + refused + errored + not sent."""
    live = {end.accepted.job_id: live_contacts(end.accepted, delivery.refused) for end in ended}
    failed = [end for end in ended if _failed(end)]
    errored = sum(min(_errored(end), live[end.accepted.job_id]) for end in ended)
    not_sent = delivery.given_up + sum(live[end.accepted.job_id] for end in failed)
    refused = len(delivery.refused)
    unconfirmed = any(_unconfirmed(end) for end in ended)
    return ChunkResult(
        status=_chunk_status(unconfirmed=unconfirmed, lost=refused + errored + not_sent, contacts=contacts),
        finished_at=now,
        contacts=contacts,
        removal=removal,
        refused=refused,
        errored=errored,
        not_sent=not_sent,
        absent=delivery.absent + delivery.not_found,
        jobs=tuple(end.accepted.job_id for end in ended),
        requests=delivery.requests,
        requested=_requested(ended),
        created=sum(end.job.created or 0 for end in ended if end.job),
        updated=sum(end.job.updated or 0 for end in ended if end.job),
        reason=delivery.reason or (UNCONFIRMED if unconfirmed else JOB_FAILED if failed else None),
    )


def _failed(end: RangeOutcome) -> bool:
    return end.job is not None and end.job.status is JobStatus.FAILED


def _requested(ended: Sequence[RangeOutcome]) -> int | None:
    counts = [end.job.requested if end.job else None for end in ended if not _failed(end)]
    return None if None in counts else sum(count or 0 for count in counts)


def _errored(end: RangeOutcome) -> int:
    return (end.job.errored or 0) if end.job is not None and end.job.status is JobStatus.ERRORED else 0


def _unconfirmed(end: RangeOutcome) -> bool:
    return end.job is None or (end.job.status is JobStatus.ERRORED and end.job.errored is None)


def _chunk_status(*, unconfirmed: bool, lost: int, contacts: int) -> ChunkStatus:
    if unconfirmed:
        return ChunkStatus.UNCONFIRMED
    if lost == 0:
        return ChunkStatus.COMPLETED
    return ChunkStatus.FAILED if lost == contacts else ChunkStatus.ERRORED


def judge(results: Sequence[ChunkResult], stop: Stop | None = None) -> tuple[RunStatus, Reason]:
    """The run's status and reason, from its chunks."""
    if stop is not None:
        return stop.status, stop.reason
    troubled = [result for result in results if _troubled(result) and not result.removal]
    if not troubled:
        if kept := sum(_not_removed(result) for result in results):
            return RunStatus.COMPLETED_WITH_WARNINGS, _removals_failed(results, kept)
        message = "SendGrid has imported every contact of the plan." if results else NOTHING_CHANGED
        return RunStatus.SUCCEEDED, Reason(code=ReasonCode.DONE, message=message)
    warning = Reason(code=_warning_code(troubled), message=_warning(troubled))
    if all(result.status is ChunkStatus.FAILED for result in results if not result.removal):
        return RunStatus.FAILED, next((result.reason for result in results if result.reason), warning)
    return RunStatus.COMPLETED_WITH_WARNINGS, warning


def _not_removed(result: ChunkResult) -> int:
    """Leavers of a chunk of which nobody can say that they are off the list."""
    if not result.removal or result.status is ChunkStatus.COMPLETED:
        return 0
    if result.status is ChunkStatus.UNCONFIRMED:
        return result.contacts
    return result.refused + result.errored + result.not_sent


def _removals_failed(results: Sequence[ChunkResult], kept: int) -> Reason:
    details = {result.reason.message for result in results if result.removal and result.reason}
    words = f"{kept:,} leavers are not known to be off the list."
    return Reason(code=ReasonCode.REMOVALS_FAILED, message=" ".join([words, *sorted(details)[:3]]))


def with_warnings(status: RunStatus, reason: Reason, warnings: Sequence[Reason]) -> tuple[RunStatus, Reason]:
    """The same, unless the run would be called a success although there is something to warn of."""
    if status is RunStatus.SUCCEEDED and warnings:
        return RunStatus.COMPLETED_WITH_WARNINGS, warnings[0]
    return status, reason


def _troubled(result: ChunkResult) -> bool:
    return result.status is not ChunkStatus.COMPLETED or bool(result.refused or result.not_sent)


def _warning_code(troubled: Sequence[ChunkResult]) -> str:
    unconfirmed = all(result.status is ChunkStatus.UNCONFIRMED for result in troubled)
    return ReasonCode.UNCONFIRMED if unconfirmed else ReasonCode.CONTACTS_MISSING


def _warning(troubled: Sequence[ChunkResult]) -> str:
    refused = sum(result.refused + result.errored for result in troubled)
    not_sent = sum(result.not_sent for result in troubled)
    unconfirmed = [result for result in troubled if result.status is ChunkStatus.UNCONFIRMED]
    open_ended = sum(result.contacts - result.refused - result.not_sent for result in unconfirmed)
    words = []
    if refused:
        words.append(f"SendGrid refused {refused} contacts")
    if not_sent:
        words.append(f"{not_sent} contacts were not sent")
    if open_ended:
        words.append(f"{open_ended} contacts were accepted but never confirmed")
    details = {result.reason.message for result in troubled if result.reason}
    return "; ".join(words) + "." + "".join(f" {detail}" for detail in sorted(details)[:3])


def count_differences(
    results: Sequence[ChunkResult], counts: Counts, *, before: int | None, after: int | None
) -> list[str]:
    """What SendGrid's own counters say otherwise, as sentences with figures."""
    results = [result for result in results if not result.removal]
    told = [result for result in results if result.requested is not None]
    requested = sum(result.requested or 0 for result in told)
    accepted = sum(result.contacts - result.refused - result.not_sent for result in told)
    words = []
    if requested != accepted:
        words.append(f"SendGrid's import jobs count {requested} contacts where {accepted} were accepted.")
    if after is not None and after < counts.sent:
        at_first = "" if before is None else f", {before} before the run"
        words.append(
            f"SendGrid counts {after} contacts on the list{at_first}, although {counts.sent} were sent to it; "
            "its count may lag behind its imports."
        )
    return words


def add_up(planned: Counts, results: Sequence[ChunkResult]) -> Counts:
    """The run's counts: what was planned, corrected by what became of it."""
    removals = [result for result in results if result.removal]
    results = [result for result in results if not result.removal]
    refused = sum(result.refused for result in results)
    errored = sum(result.errored for result in results)
    not_sent = sum(result.not_sent for result in results)
    not_removed = sum(_not_removed(result) for result in removals)
    by_sendgrid = {Rejected.REFUSED_BY_SENDGRID: refused, Rejected.SENDGRID_IMPORT_ERROR: errored}
    by_reason = planned.rejected_by_reason | {str(reason): count for reason, count in by_sendgrid.items() if count}
    return planned.model_copy(
        update={
            "sent": planned.sent - refused - errored - not_sent,
            "rejected": planned.rejected + refused + errored,
            "rejected_by_reason": by_reason,
            "not_sent": not_sent,
            "removed": sum(result.contacts for result in removals) - not_removed,
            "not_removed": not_removed,
            "created": sum(result.created for result in results),
            "updated": sum(result.updated for result in results),
        }
    )
