"""Who an export has brought onto its list: what plans are compared with, when nobody is removed, what runs leave.

The members are those who arrived: accepted, and not refused or failed. A run notes a whole new generation, and the
document that names it last; one that is cut off leaves the old one.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.errors import BlobChangedError, BlobExistsError
from shared.limits import LIST_DRIFT_MAX
from shared.model.definitions import Export, Saved
from shared.model.members import Membership
from shared.model.reasons import Reason, ReasonCode
from shared.model.runs import ChunkStatus, Delivery, MembershipChange
from shared.runs.refused import absent_addresses
from shared.storage.layout import members_blob, members_folder, membership_blob

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from uuid import UUID

    from shared.definitions.resolve import ExportWithConnection
    from shared.extracts.extract import Extract
    from shared.model.definitions import CustomField, FieldMapping
    from shared.model.runs import ChunkResult, Counts, Plan
    from shared.planning.members import Arrivals, Members
    from shared.services import Services
    from shared.storage.layout import RunBlobs


def current_membership(services: Services, export: str, connection: str, list_id: UUID) -> Membership | None:
    """The members of the export's list; None where it has brought nobody to this list yet."""
    found = services.store.find(membership_blob(export), Membership)
    if found is None or not found.document.is_of(connection, list_id):
        return None
    return found.document


def digest_of(mapping: FieldMapping, fields: Mapping[str, CustomField]) -> str:
    """Of what decides how a contact is written."""
    known = [f"{name} {field.id} {field.type}" for name, field in sorted(fields.items())]
    return hashlib.sha256("\n".join([mapping.model_dump_json(), *known]).encode()).hexdigest()


def other_exports(services: Services, export: str, list_id: UUID) -> list[str]:
    """Other exports that bring people to the same list."""
    return [
        saved.id
        for item in services.store.blobs.list_blobs("exports/")
        if (found := services.store.find(item.name, Saved[Export])) is not None
        and (saved := found.document).id != export
        and saved.definition.list_id == list_id
    ]


@dataclass(kw_only=True)
class Comparison:
    """How a plan is compared with the members: whom it sends, and whether it may take leavers off the list."""

    services: Services
    job: ExportWithConnection
    extracts: Sequence[Extract]
    own: Membership | None
    mapping_digest: str
    force: bool
    list_count: int | None
    """Contacts on the list, by SendGrid's count."""
    withheld: Reason | None = field(default=None, init=False)
    """Why nobody is taken off although somebody has left."""

    @property
    def members(self) -> Members | None:
        """What the plan is compared with; None when there is nothing to compare with, or no wish to."""
        from shared.planning.members import Members

        export = self.job.export
        if self.own is None or not (export.leavers == "remove" or not self.sends_all):
            return None
        return Members(
            own=self.own,
            blobs=self.services.store.blobs,
            leave_out_unchanged=not self.sends_all,
            find_leavers=export.leavers == "remove",
        )

    @property
    def sends_all(self) -> bool:
        """Whether unchanged contacts are sent, too: by wish, or since SendGrid may not have them just so."""
        own, export = self.own, self.job.export
        if export.changes == "all" or self.force or own is None or own.mapping_digest != self.mapping_digest:
            return True
        if self.services.clock() - own.sent_all_at > timedelta(days=export.resend_every):
            return True
        return self.list_count is None or self.list_count < own.change.after * (1 - LIST_DRIFT_MAX)

    def may_remove(self, counts: Counts, leavers: int) -> bool:
        """Whether so many leavers are taken off; if not, `withheld` says why."""
        why = self._objection(counts, leavers)
        if why is not None:
            message = f"{leavers:,} members are in no extract any more, and none was taken off the list: {why}"
            self.withheld = Reason(code=ReasonCode.REMOVALS_WITHHELD, message=message)
        return why is None

    def _objection(self, counts: Counts, leavers: int) -> str | None:
        """Why nobody is taken off, as the end of a sentence; the first reason there is."""
        export = self.job.export
        objections = [
            *self._about_extracts(counts),
            *(
                f"other exports bring people to the same list ({other})."
                for other in other_exports(self.services, self.job.id, export.list_id)
            ),
        ]
        members = self.own.change.after if self.own else 0
        most = int(export.max_removals.share * members)
        if export.max_removals.number is not None:
            most = min(most, export.max_removals.number)
        if leavers > most:
            objections.append(f"max_removals of the export allows {most:,} of its {members:,} members.")
        return next(iter(objections), None)

    def _about_extracts(self, counts: Counts) -> Iterator[str]:
        unread = {
            reason: number for reason, number in counts.rejected_by_reason.items() if reason.startswith("row_")
        }
        if counts.sent + counts.unchanged == 0:
            yield "the extracts have nobody who can be sent."
        if any(extract.incomplete for extract in self.extracts):
            yield "the newest delivery is not complete."
        if unread:
            words = ", ".join(f"{number:,} {reason}" for reason, number in sorted(unread.items()))
            yield f"rows could not be read ({words}), and who is in them has perhaps not left."
        if counts.rejected > self.job.export.source.max_rejected_share * counts.rows_read:
            yield f"{counts.rejected:,} of {counts.rows_read:,} rows were rejected."


def commit_members(
    services: Services, blobs: RunBlobs, plan: Plan, results: Mapping[int, ChunkResult]
) -> MembershipChange | None:
    """Note who is a member after the run, and how that changed; None where members are not kept.

    A step that is repeated finds what was noted, and notes nothing twice.
    """
    if not plan.keeps_members:
        return None
    name = membership_blob(blobs.export)
    found = services.store.find(name, Membership)
    if found is not None and found.document.run == blobs.run:
        return found.document.change
    membership = _next_membership(services, blobs, plan, results, found.document if found else None)
    try:
        if found is None:
            services.store.create(name, membership)
        else:
            services.store.replace(name, membership, etag=found.etag)
    except (BlobExistsError, BlobChangedError):  # the same step on another instance was faster
        return services.store.get(name, Membership).document.change
    for item in services.store.blobs.list_blobs(members_folder(blobs.export)):
        if item.name != membership.blob:
            services.store.blobs.delete(item.name)
    return membership.change


def _next_membership(
    services: Services,
    blobs: RunBlobs,
    plan: Plan,
    results: Mapping[int, ChunkResult],
    last: Membership | None,
) -> Membership:
    """Write the members after the run; nobody reads them before a document names them."""
    from shared.planning.members import next_generation

    old = last if last and last.is_of(plan.connection, plan.list_id) else None
    data, change = next_generation(
        old,
        _arrivals(services, blobs, plan, results),
        _gone(services, blobs, plan, results),
        blobs=services.store.blobs,
    )
    blob = members_blob(blobs.export, blobs.run, uuid.uuid4().hex[:12])
    return Membership(
        connection=plan.connection,
        list_id=plan.list_id,
        run=blobs.run,
        blob=blob,
        etag=services.store.blobs.upsert(blob, data),
        size=len(data),
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
