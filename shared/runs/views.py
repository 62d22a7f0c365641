"""Runs as the outside sees them: stages with times, every chunk with its tries and jobs, what to do next."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, Self

from pydantic import AwareDatetime

from shared.errors import BlobMissingError, NotFoundError
from shared.model.adoption import Adopted
from shared.model.documents import Document
from shared.model.forecast import Examples, Forecast
from shared.model.list_ready import ListReady, NotConfirmed
from shared.model.reasons import Reason, RunStatus
from shared.model.rejections import REJECTED_COLUMNS
from shared.model.runs import (
    ChunkProgress,
    ChunkResult,
    ChunkStatus,
    Counts,
    Delivery,
    ExtractSummary,
    MembershipChange,
    Plan,
    Run,
    RunKind,
    Trigger,
)
from shared.runs.outcomes import add_up
from shared.runs.progress import measure_progress
from shared.storage.layout import RunBlobs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from shared.services import Services
    from shared.storage.documents import Versioned

READERS: Final = 16
"""Blobs read at a time; a run of ten million contacts has some 360 chunks."""


REFUSED_SHOWN: Final = 100


class Stage(Document):
    """A stretch of a run."""

    name: str
    seconds: float


class ChunkDetails(Document):
    """What became of a chunk so far."""

    number: int
    contacts: int
    bytes: int
    removal: bool = False
    """Whether its contacts are taken off the list."""
    status: str
    """waiting, sending, accepted, or how it ended."""
    requests: int = 0
    """Upserts that SendGrid decided on."""
    waits: int = 0
    waited_s: float = 0
    resends: int = 0
    repeats: int = 0
    """How often it may have been sent twice: whoever sent it died, or storage failed, before that was noted."""
    jobs: tuple[str, ...] = ()
    refused: int = 0
    refused_lines: tuple[int, ...] = ()
    """Lines, from 1, of the chunk's blob with the contacts that SendGrid refused; the first hundred."""
    errored: int = 0
    not_sent: int = 0
    reason: str | None = None


class Throttling(Document):
    """How much the run had to wait for SendGrid."""

    waits: int = 0
    seconds: float = 0


class RunLinks(Document):
    """Addresses of what belongs to a run, below the app."""

    self: str
    report: str
    rejected: str
    export: str

    @classmethod
    def of(cls, run: Run) -> Self:
        """Those of a run."""
        export = f"/api/exports/{run.export}"
        own = f"{export}/runs/{run.id}"
        links = {"self": own, "report": f"{own}/report", "rejected": f"{own}/rejected", "export": export}
        return cls.model_validate(links)


class RunView(Document):
    """A run as the API shows it; what else the stored run holds is the app's own business."""

    id: str
    export: str
    trigger: Trigger
    kind: RunKind
    force: bool
    retry_of: str | None
    confirms: str | None
    """The run whose removals this one does."""
    connection: str
    """Which one it goes through, whatever its export says now."""
    requested_by: str
    trace_id: str | None
    """Every line in the app's log about the run has it."""
    created_at: AwareDatetime
    due_at: AwareDatetime | None
    status: RunStatus
    reason: Reason | None
    warnings: tuple[str, ...]
    waits_for: str | None
    """What is missing of the newest delivery, or at SendGrid, while the run waits for it."""
    planning_at: AwareDatetime | None
    uploading_at: AwareDatetime | None
    importing_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    duration_s: float | None
    """Seconds from its start to its end; null until it is over."""
    extracts: tuple[ExtractSummary, ...]
    extract_delivered_at: AwareDatetime | None
    """When the newest extract was delivered; of several segments, the oldest of their newest."""
    extract_age_s: float | None
    """How old that was when the run looked for it, in seconds."""
    counts: Counts
    chunks: ChunkProgress
    members: MembershipChange | None
    removals_to_confirm: int
    """Leavers that stay on the list until somebody confirms that they are to be taken off."""
    forecast: Forecast | None
    """What a run would do, of a dry run that is over."""
    adopted: Adopted | None
    """Who was on the list, of an adoption that is over."""
    list_name: str | None
    """SendGrid's name of the list, as it was when the run was planned."""
    list_count_before: int | None
    list_count_after: int | None
    list_ready: ListReady | None
    """Whether SendGrid's count of the list is steady and what was expected, so that it can be written to.

    Only of runs that succeeded or completed with warnings, and were no dry run and no adoption.
    """
    list_ready_at: AwareDatetime | None
    """When it was found to be."""
    list_count_settled: int | None
    """Contacts on the list by SendGrid's count at the last look after it."""
    list_not_confirmed: NotConfirmed | None
    """Why the list is not known to be ready."""
    links: RunLinks

    @classmethod
    def of(cls, run: Run, **more: object) -> Self:
        """The view of a stored run, with what a richer view adds."""
        took = run.finished_at - run.created_at if run.finished_at else None
        told = {
            "links": RunLinks.of(run),
            "duration_s": round(took.total_seconds(), 1) if took else None,
            "extract_age_s": run.extract_age_s,
        }
        stored = {name: getattr(run, name) for name in RunView.model_fields if name not in told}
        return cls.model_validate(stored | told | more)


class RunDetails(RunView):
    """A run with everything there is to tell."""

    stages: tuple[Stage, ...] = ()
    deliveries: tuple[ChunkDetails, ...] = ()
    throttling: Throttling = Throttling()
    examples: Examples | None = None
    """Of whom a dry run has met, masked; for seven days."""
    next_step: str = ""


def get_run_details(services: Services, export: str, run: str) -> RunDetails:
    """The details of a run. Raises NotFoundError."""
    document = get_run(services, export, run)
    deliveries = _deliveries(services, RunBlobs(export=export, run=run))
    return RunDetails.of(
        document,
        stages=stages(document, services.clock()),
        deliveries=deliveries,
        throttling=Throttling(
            waits=sum(chunk.waits for chunk in deliveries),
            seconds=round(sum(chunk.waited_s for chunk in deliveries), 1),
        ),
        examples=_find_examples(services, document),
        next_step=_next_step(document, deliveries),
    )


def _find_examples(services: Services, run: Run) -> Examples | None:
    if run.forecast is None:
        return None
    blobs = RunBlobs(export=run.export, run=run.id)
    return _found(services.store.find(blobs.examples(run.forecast.attempt), Examples))


def stages(run: Run, now: datetime) -> tuple[Stage, ...]:
    """The stages a run went through, with their durations; the last one lasts until now or the run's end."""
    begins = [
        ("queued", run.created_at),
        ("planning", run.planning_at),
        ("uploading", run.uploading_at),
        ("importing", run.importing_at),
    ]
    reached = [(name, begin) for name, begin in begins if begin is not None]
    ends = [begin for _, begin in reached[1:]] + [run.finished_at or now]
    return tuple(
        Stage(name=name, seconds=round(max((end - begin).total_seconds(), 0), 1))
        for (name, begin), end in zip(reached, ends, strict=True)
    )


def _next_step(run: Run, deliveries: Sequence[ChunkDetails]) -> str:
    if not run.status.is_terminal:
        return "Wait; the run goes on by itself."
    left_over = any(chunk.not_sent or chunk.status is ChunkStatus.UNCONFIRMED for chunk in deliveries)
    return run.reason.advice_for(left_over=left_over) if run.reason else ""


def _deliveries(services: Services, blobs: RunBlobs) -> tuple[ChunkDetails, ...]:
    found = services.store.find(blobs.plan, Plan)
    if found is None:
        return ()
    plan = found.document
    with ThreadPoolExecutor(READERS) as pool:
        return tuple(pool.map(lambda chunk: _chunk_details(services, blobs, plan, chunk.number), plan.chunks))


def _chunk_details(services: Services, blobs: RunBlobs, plan: Plan, number: int) -> ChunkDetails:
    chunk = plan.chunk(number)
    delivery = _found(services.store.find(blobs.delivery(number), Delivery))
    result = _found(services.store.find(blobs.result(number), ChunkResult))
    details = ChunkDetails(
        number=number,
        contacts=chunk.contacts,
        bytes=chunk.bytes,
        removal=chunk.removal,
        status=_status(delivery, result),
    )
    if delivery is not None:
        details = details.model_copy(
            update={
                "requests": delivery.requests,
                "waits": delivery.waits,
                "waited_s": delivery.waited_s,
                "resends": delivery.resends,
                "repeats": delivery.repeats,
                "jobs": tuple(contact_range.job_id for contact_range in delivery.accepted),
                "refused": len(delivery.refused),
                "refused_lines": tuple(position + 1 for position in delivery.refused[:REFUSED_SHOWN]),
            }
        )
    if result is None:
        return details
    return details.model_copy(
        update={
            "errored": result.errored,
            "not_sent": result.not_sent,
            "reason": result.reason.message if result.reason else None,
        }
    )


def _found[D: Document](versioned: Versioned[D] | None) -> D | None:
    return versioned.document if versioned else None


def _status(delivery: Delivery | None, result: ChunkResult | None) -> str:
    if result is not None:
        return result.status
    if delivery is None:
        return "waiting"
    if not delivery.pending:
        return "accepted"
    return "sending" if delivery.claim else "waiting"


REJECTED_HEADER: Final = ",".join(REJECTED_COLUMNS).encode() + b"\n"


def find_run(services: Services, export: str, run: str) -> Run | None:
    """The stored run; None where there is none."""
    return _found(services.store.find(RunBlobs(export=export, run=run).document, Run))


def load_run(services: Services, export: str, run: str) -> Run:
    """The stored run. Raises NotFoundError."""
    found = find_run(services, export, run)
    if found is None:
        raise NotFoundError(f"The export {export} has no run {run}.")
    return found


def get_run(services: Services, export: str, run: str) -> Run:
    """A run and how far it is. Raises NotFoundError."""
    document = load_run(services, export, run)
    return with_progress(services, document)


def list_runs(
    services: Services, export: str, *, limit: int, before: str | None = None, shown: Callable[[Run], bool]
) -> tuple[list[Run], str | None]:
    """Those runs of an export that are `shown`, newest first, and the run before which the next page begins."""
    folders = services.store.blobs.list_level(f"runs/{export}/").folders
    ids = sorted((folder.rpartition("/")[2] for folder in folders), reverse=True)
    page: list[Run] = []
    for run in ids:
        if before is not None and run >= before:
            continue
        found = find_run(services, export, run)
        if found is None or not shown(found):
            continue
        if len(page) == limit:
            return page, page[-1].id
        page.append(with_progress(services, found))
    return page, None


def get_rejected(services: Services, export: str, run: str, part: int) -> tuple[bytes, bool]:
    """A part, from 1, of the CSV of rejected rows, and whether another part follows. Raises NotFoundError."""
    blobs = RunBlobs(export=export, run=run)
    document = load_run(services, export, run)
    try:
        attempt, planned = _planned(services, document)
        name, following = blobs.rejected(attempt, part), blobs.rejected(attempt, part + 1)
        written = {item.name for item in services.store.blobs.list_blobs(blobs.rejected_folder(attempt))}
        if name not in written and (part == 1 or blobs.rejected(attempt, part - 1) in written):
            name = blobs.refused(attempt)
        if part == 1 and name not in written and planned.rejected == 0:
            return REJECTED_HEADER, False
        data = services.store.blobs.get(name).data
    except BlobMissingError:
        raise NotFoundError(
            f"The run {run} has no list of rejected rows: it is not planned yet, or its retention is over."
        ) from None
    last = blobs.refused(attempt)
    return data, following in written or (last in written and name != last)


def get_others(services: Services, export: str, run: str, part: int) -> tuple[bytes, bool]:
    """A part, from 1, of the CSV of those on an adopted list whom nobody brings, and whether another part follows.

    Raises NotFoundError.
    """
    blobs, adopted = RunBlobs(export=export, run=run), load_run(services, export, run).adopted
    attempt = adopted.attempt if adopted else ""
    written = {item.name for item in services.store.blobs.list_blobs(blobs.others_folder(attempt))}
    if blobs.others(attempt, part) not in written:
        raise NotFoundError(
            f"The run {run} has no such list of others: it adopts no list, is not over, or its retention is."
        )
    data = services.store.blobs.get(blobs.others(attempt, part)).data
    return data, blobs.others(attempt, part + 1) in written


def _planned(services: Services, run: Run) -> tuple[str, Counts]:
    """The attempt that has made the run's plan or forecast, and its counts. Raises BlobMissingError."""
    if run.forecast is not None:
        return run.forecast.attempt, run.counts
    plan = services.store.get(RunBlobs(export=run.export, run=run.id).plan, Plan).document
    return plan.attempt, plan.counts


def with_progress(services: Services, run: Run) -> Run:
    """The run, and as long as it is not over what became of its chunks until now."""
    if run.status.is_terminal:
        return run
    blobs = RunBlobs(export=run.export, run=run.id)
    plan = services.store.find(blobs.plan, Plan)
    if plan is None:
        return run
    progress, accepted_at = measure_progress(services, blobs, plan.document)
    so_far: dict[str, object] = {"chunks": progress, "counts": _counts_so_far(services, blobs, plan.document)}
    if run.status is RunStatus.UPLOADING and progress.accepted >= progress.planned:
        so_far |= {"status": RunStatus.IMPORTING, "importing_at": accepted_at}
    return run.model_copy(update=so_far)


def _counts_so_far(services: Services, blobs: RunBlobs, plan: Plan) -> Counts:
    """What became of the rows until now: what no chunk's result tells is pending, and not called sent."""
    names = [item.name for item in services.store.blobs.list_blobs(blobs.results)]
    results = [services.store.get(name, ChunkResult).document for name in names]
    pending = plan.counts.sent - sum(result.contacts for result in results if not result.removal)
    counts = add_up(plan.counts, results)
    return counts.model_copy(update={"sent": counts.sent - pending, "pending": pending})
