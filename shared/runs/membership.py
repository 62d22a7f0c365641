"""Who an export has brought onto its list: what runs leave, one generation each.

The members are those who arrived: accepted, and not refused or failed. A run notes a whole new generation, and the
document that names it last; one that is cut off leaves the old one.
"""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from shared.errors import BlobChangedError, BlobExistsError
from shared.model.definitions import Export, Saved
from shared.model.members import Membership
from shared.model.runs import ChunkStatus, Delivery, MembershipChange, ParquetBlob
from shared.runs.refused import absent_addresses
from shared.storage.layout import export_blob, members_blob, members_folder, membership_blob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from uuid import UUID

    from shared.definitions.resolve import ExportWithConnection
    from shared.model.runs import ChunkResult, Plan, Run
    from shared.planning.members import Arrivals
    from shared.services import Services
    from shared.storage.layout import RunBlobs

_ONE_AT_A_TIME: Final = threading.Lock()
"""A generation of ten million members takes 700 MB to make, and a run's last chunks may end at the same moment."""


def current_membership(services: Services, job: ExportWithConnection) -> Membership | None:
    """The members of the export's list; None where it has brought nobody to this list yet."""
    found = services.store.find(membership_blob(job.id), Membership)
    if found is None or not found.document.is_of(job.uid, job.connection_id, job.export.list_id):
        return None
    return found.document


def other_memberships(services: Services, export: str, list_id: UUID) -> list[Membership]:
    """The members of the other exports to the same list, as far as they ran.

    What a deleted export has left behind, since its deletion was cut off, brings nobody.
    """
    found = []
    for item in services.store.blobs.list_blobs("members/"):
        other = item.name.removeprefix("members/").removesuffix(".json")
        if not item.name.endswith(".json") or other == export:
            continue
        membership = services.store.find(item.name, Membership)
        if membership is None or membership.document.list_id != list_id:
            continue
        if _is_there(services, other, membership.document.export_uid):
            found.append(membership.document)
    return found


def _is_there(services: Services, export: str, uid: str) -> bool:
    """Whether an export is the one of that uid; one that cannot be read may be, and its members are safe."""
    try:
        saved = services.store.find(export_blob(export), Saved[Export])
    except ValidationError:
        return True
    return saved is not None and saved.document.uid == uid


def later_run(services: Services, run: Run) -> str | None:
    """A run of the same export that noted members after `run` was over."""
    found = services.store.find(membership_blob(run.export), Membership)
    if found is None or found.document.export_uid != run.export_uid:
        return None
    if run.finished_at is None or found.document.noted_at <= run.finished_at:
        return None
    return found.document.run


def commit_members(
    services: Services, blobs: RunBlobs, plan: Plan, results: Mapping[int, ChunkResult]
) -> MembershipChange:
    """Note who is a member after the run, and how that changed.

    A step that is repeated finds what was noted, and notes nothing twice. Of an export that is deleted by now
    nothing is noted, also where another one has its id.
    """
    if not _is_there(services, blobs.export, plan.export_uid):
        return MembershipChange()
    return _commit(services, blobs, lambda last: _next_membership(services, blobs, plan, results, last)).change


def commit_adoption(services: Services, blobs: RunBlobs, membership: Membership) -> None:
    """Note who is a member after an adoption; a step that is repeated notes nothing twice."""
    _commit(services, blobs, lambda _last: membership)


def _commit(services: Services, blobs: RunBlobs, make: Callable[[Membership | None], Membership]) -> Membership:
    """Name the generation that `make` gives the current one, unless the run has done that; the one that counts."""
    with _ONE_AT_A_TIME:
        return _commit_alone(services, blobs, make)


def _commit_alone(
    services: Services, blobs: RunBlobs, make: Callable[[Membership | None], Membership]
) -> Membership:
    name = membership_blob(blobs.export)
    found = services.store.find(name, Membership)
    if found is not None and found.document.run == blobs.run:
        return found.document
    membership = make(found.document if found else None)
    try:
        if found is None:
            services.store.create(name, membership)
        else:
            services.store.replace(name, membership, etag=found.etag)
    except (BlobExistsError, BlobChangedError):  # the same step on another instance was faster
        return services.store.get(name, Membership).document
    for item in services.store.blobs.list_blobs(members_folder(blobs.export)):
        if item.name != membership.generation.blob:
            services.store.blobs.delete(item.name)
    return membership


def _next_membership(
    services: Services,
    blobs: RunBlobs,
    plan: Plan,
    results: Mapping[int, ChunkResult],
    last: Membership | None,
) -> Membership:
    """Write the members after the run; nobody reads them before a document names them."""
    from shared.planning.members import RunOutcome, next_generation

    old = last if last and last.is_of(plan.export_uid, plan.connection, plan.list_id) else None
    outcome = RunOutcome(
        run=blobs.run,
        arrivals=_arrivals(services, blobs, plan, results),
        gone=_gone(services, blobs, plan, results),
        missing=plan.missing,
    )
    data, change = next_generation(old, outcome, blobs=services.store.blobs)
    blob = members_blob(blobs.export, blobs.run, uuid.uuid4().hex[:12])
    return Membership(
        export_uid=plan.export_uid,
        connection=plan.connection,
        list_id=plan.list_id,
        run=blobs.run,
        noted_at=services.clock(),
        generation=ParquetBlob(blob=blob, etag=services.store.blobs.upsert(blob, data), size=len(data)),
        change=change,
        mapping_digest=plan.mapping_digest,
        sent_all_at=plan.committed_at if plan.sends_all or old is None else old.sent_all_at,
    )


def _arrivals(
    services: Services, blobs: RunBlobs, plan: Plan, results: Mapping[int, ChunkResult]
) -> Iterator[Arrivals]:
    from shared.planning.members import Arrivals

    for chunk in plan.chunks:
        if chunk.removal:
            continue
        delivery = services.store.get(blobs.delivery(chunk.number), Delivery).document
        lines = services.store.blobs.get(blobs.chunk(plan.attempt, chunk.number)).data.splitlines(keepends=True)
        taken = b"".join(
            line
            for accepted in delivery.accepted
            for line in lines[accepted.first : accepted.first + accepted.contacts]
        )
        if taken:
            result = results[chunk.number]
            absent = absent_addresses(services, blobs, plan, chunk.number, result)
            is_certain = (
                result.status is not ChunkStatus.UNCONFIRMED and not result.errored and not result.not_sent
            )
            yield Arrivals(lines=taken, absent=frozenset(absent), certain=is_certain)


def _gone(services: Services, blobs: RunBlobs, plan: Plan, results: Mapping[int, ChunkResult]) -> Iterator[bytes]:
    for chunk in plan.chunks:
        if chunk.removal and results[chunk.number].status is ChunkStatus.COMPLETED:
            yield services.store.blobs.get(blobs.chunk(plan.attempt, chunk.number)).data
