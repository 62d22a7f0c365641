"""Take over a list that another tool has filled: make members of those on it who are in the extracts.

Nothing is sent, and nobody removed. Who is on the list SendGrid tells in an export of its own (`list_export.py`).
What is found is committed before anybody is made a member, so a step that is repeated comes to the same end.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from shared.errors import FileGoneError, RunEndError
from shared.limits import LIST_EXPORT_TRIES
from shared.model.adoption import Adopted
from shared.model.members import Adoption, Membership
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import Reason, RunStatus
from shared.model.runs import ParquetBlob, Run, RunKind
from shared.runs.finish import end_adoption
from shared.runs.found_extracts import complete_extracts
from shared.runs.job import load_job
from shared.runs.list_export import AskedExport
from shared.runs.membership import commit_adoption, current_membership, other_memberships
from shared.runs.outcomes import with_warnings
from shared.runs.plan_warnings import no_valid_contact, plan_warnings
from shared.runs.planner_lock import one_planner
from shared.runs.run_locks import acquire_export_lock, acquire_list_lock
from shared.runs.start import asked_run, start
from shared.runs.start_once import is_over, one_at_a_time
from shared.storage.layout import RunBlobs, adoption_request_blob, members_blob

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.definitions.resolve import ExportWithConnection
    from shared.extracts.extract import Extract
    from shared.model.definitions import Actor
    from shared.planning.adoption import AdoptedList
    from shared.services import Services

EXTRACT_EMPTY: Final = "The extract has no rows; nobody was made a member."
EXPIRED: Final = Reason(
    code=ReasonCode.LIST_EXPORT_EXPIRED,
    message=f"The files of SendGrid's export of the list could not be had, {LIST_EXPORT_TRIES} times.",
)


def start_adoption(services: Services, job: ExportWithConnection, *, by: Actor, run_id: str) -> Run:
    """Start a run that adopts the export's list; asked again before that is over, it is the same run.

    Raises ExportUnavailableError.
    """
    job.require_runnable()
    run = asked_run(
        services,
        job,
        by=by,
        run_id=one_at_a_time(services, job.id, adoption_request_blob(job.id, job.uid), run_id),
    )
    return start(services, run.model_copy(update={"kind": RunKind.ADOPTION}))


def adopt_list(services: Services, blobs: RunBlobs, run: Run, tries: int) -> None:
    """Make members of those on the list who are in the extracts, and end the run.

    Raises:
        ListExportPendingError: SendGrid's export is not ready.
        RunEndError: The list cannot be adopted.

    And what locks, `complete_extracts`, the planner and SendGrid's gateway raise.
    """
    committed = services.store.find(blobs.adoption, Adoption)
    if committed is None:
        adoption = services.store.create_or_get(blobs.adoption, _find(services, blobs, run, tries))
    else:
        adoption = committed.document
    _finish(services, blobs, adoption)


def _finish(services: Services, blobs: RunBlobs, adoption: Adoption) -> None:
    """Note the members and end the run; a run that is over may have been followed by others, and notes nothing."""
    if is_over(services, blobs.export, blobs.run):
        return
    commit_adoption(services, blobs, adoption.membership)
    adopted = adoption.adopted
    done = Reason(
        code=ReasonCode.ADOPTED,
        message=f"Of {adopted.on_list:,} contacts on the list {adopted.made:,} were made members,"
        f" {adopted.known:,} were members already, and {adopted.others:,} are in no extract. Nothing was sent, and"
        " nobody removed.",
    )
    status, reason = with_warnings(RunStatus.SUCCEEDED, done, adoption.warnings)
    changes = {
        "extracts": adoption.extracts,
        "adopted": adopted,
        "members": adoption.membership.change,
        "warnings": tuple(warning.message for warning in adoption.warnings),
    }
    end_adoption(services, blobs, status, reason, changes)


# --- what is there to be found ------------------------------------------------------------------------------


def _find(services: Services, blobs: RunBlobs, run: Run, tries: int) -> Adoption:
    if run.stop is not None:
        raise RunEndError(run.stop.reason.code, run.stop.reason.message, status=run.stop.status)
    job = load_job(services, run)
    job.require_runnable()
    acquire_export_lock(services, run, job.export)
    extracts = complete_extracts(services, job, run)
    acquire_list_lock(services, run, job.export.list_id)
    asked = AskedExport(services=services, blobs=blobs, job=job, tries=tries)
    urls = asked.urls()
    try:
        with one_planner(wait=False):
            return _read(services, blobs, job, extracts, urls)
    except FileGoneError:
        problem = EXPIRED
    except RunEndError as end:
        if end.reason.code != ReasonCode.LIST_EXPORT_DAMAGED:
            raise
        problem = end.reason
    raise asked.ask_again(problem)


def _read(
    services: Services,
    blobs: RunBlobs,
    job: ExportWithConnection,
    extracts: Sequence[Extract],
    urls: Sequence[str],
) -> Adoption:
    from shared.planning.adoption import ListToAdopt, adopt

    attempt = uuid.uuid4().hex[:12]
    own = current_membership(services, job)
    found = adopt(
        extracts,
        job.export.mapping.email,
        ListToAdopt(
            files=(services.sendgrid.read_file(url) for url in urls),
            own=own,
            others=other_memberships(services, job.id, job.export.list_id),
            blobs=services.store.blobs,
        ),
        run=blobs.run,
        blobs=services.extracts,
        write_others=_others_writer(services, blobs, attempt),
    )
    counts = found.counts
    if counts.rows_read == 0:
        raise RunEndError(ReasonCode.EXTRACT_EMPTY, EXTRACT_EMPTY, status=RunStatus.SKIPPED)
    if counts.sent == 0:
        reason = no_valid_contact(counts)
        raise RunEndError(reason.code, reason.message)
    share = job.export.source.max_rejected_share
    return Adoption(
        membership=_membership(services, blobs, job, found, own),
        adopted=Adopted(
            on_list=found.made + found.known + found.others,
            made=found.made,
            known=found.known,
            others=found.others,
            attempt=attempt,
        ),
        extracts=tuple(extract.summary() for extract in extracts),
        warnings=plan_warnings(counts, extracts, max_rejected_share=share),
    )


def _others_writer(services: Services, blobs: RunBlobs, attempt: str) -> Callable[[bytes], None]:
    written = 0

    def write(csv_part: bytes) -> None:
        nonlocal written
        written += 1
        services.store.blobs.upsert(blobs.others(attempt, written), csv_part)

    return write


def _membership(
    services: Services, blobs: RunBlobs, job: ExportWithConnection, found: AdoptedList, own: Membership | None
) -> Membership:
    """Write the members; nobody reads them before a document names them."""
    blob, now = members_blob(blobs.export, blobs.run, uuid.uuid4().hex[:12]), services.clock()
    etag = services.store.blobs.upsert(blob, found.generation)
    return Membership(
        export_uid=job.uid,
        connection=job.connection_id,
        list_id=job.export.list_id,
        run=blobs.run,
        noted_at=now,
        generation=ParquetBlob(blob=blob, etag=etag, size=len(found.generation)),
        change=found.change,
        mapping_digest=own.mapping_digest if own else "",
        sent_all_at=own.sent_all_at if own else now,
    )
