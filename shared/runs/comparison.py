"""What a plan is compared with: whom it need not send, who has left, and whether those are taken off the list."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.limits import LIST_COUNT_LAG, LIST_DRIFT_MAX
from shared.model.members import Leavers
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shared.definitions.resolve import ExportWithConnection
    from shared.extracts.extract import Extract
    from shared.model.definitions import CustomField, FieldMapping
    from shared.model.members import Membership
    from shared.model.runs import Counts
    from shared.planning.members import Members
    from shared.services import Services


def digest_of(mapping: FieldMapping, fields: Mapping[str, CustomField]) -> str:
    """Of what decides how a contact is written."""
    known = [f"{name} {field.id} {field.type}" for name, field in sorted(fields.items())]
    return hashlib.sha256("\n".join([mapping.model_dump_json(), *known]).encode()).hexdigest()


@dataclass(kw_only=True)
class Comparison:
    """How a plan is compared with the members: whom it sends, and what becomes of leavers."""

    services: Services
    job: ExportWithConnection
    extracts: Sequence[Extract]
    own: Membership | None
    others: Sequence[Membership]
    """Of the other exports to the same list."""
    mapping_digest: str
    force: bool
    list_count: int | None
    """Contacts on the list, by SendGrid's count."""
    withheld: Reason | None = field(default=None, init=False)
    """Why nobody is taken off although somebody has left."""
    tells_missing: bool = field(default=True, init=False)
    """Whether members that are in no extract are really missing there."""

    @property
    def members(self) -> Members | None:
        """What the plan is compared with; None when there is nothing to compare with."""
        from shared.planning.members import Members

        if self.own is None:
            return None
        return Members(
            own=self.own,
            others=self.others,
            blobs=self.services.store.blobs,
            leave_out_unchanged=not self.sends_all,
            after_missing_runs=self.job.export.after_missing_runs,
        )

    @property
    def sends_all(self) -> bool:
        """Whether unchanged contacts are sent, too: by wish, or since SendGrid may not have them just so."""
        own, export = self.own, self.job.export
        if export.changes == "all" or self.force or own is None or own.mapping_digest != self.mapping_digest:
            return True
        now = self.services.clock()
        if now - own.sent_all_at > timedelta(days=export.resend_every):
            return True
        if now - own.noted_at < timedelta(seconds=LIST_COUNT_LAG):
            return False
        return self.list_count is None or self.list_count < own.change.after * (1 - LIST_DRIFT_MAX)

    def judge_leavers(self, counts: Counts, leavers: int) -> Leavers:
        """What becomes of so many leavers; where they do not go, `withheld` says why."""
        doubt = next(self._doubts(counts), None)
        self.tells_missing = doubt is None
        if leavers == 0 or self.job.export.leavers == "keep":
            return Leavers.STAY
        if doubt is not None:
            self._withhold(leavers, doubt)
            return Leavers.STAY
        if excess := self._excess(leavers):
            self._withhold(leavers, excess)
            return Leavers.WAIT
        return Leavers.GO

    def _withhold(self, leavers: int, why: str) -> None:
        message = f"{leavers:,} members are in no extract any more, and none was taken off the list: {why}"
        self.withheld = Reason(code=ReasonCode.REMOVALS_WITHHELD, message=message)

    def _excess(self, leavers: int) -> str | None:
        """The limit that so many leavers go beyond, as the end of a sentence."""
        limit, members = self.job.export.max_removals, self.own.change.after if self.own else 0
        most = int(limit.share * members)
        if limit.number is not None:
            most = min(most, limit.number)
        if leavers <= most:
            return None
        return f"max_removals of the export allows {most:,} of its {members:,} members."

    def _doubts(self, counts: Counts) -> Iterator[str]:
        """Why somebody may be in the segment whom the extracts do not show; each the end of a sentence."""
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
