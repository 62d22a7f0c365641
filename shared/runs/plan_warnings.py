"""What people must hear about a plan although it was sent: too many rows rejected, or an older delivery. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.model.reason_codes import ReasonCode
from shared.model.reasons import Reason
from shared.model.rejections import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.extracts.extract import Extract
    from shared.model.runs import Counts

REASONS_TOLD: Final = 2
PHRASES: Final = {str(reason): reason.meaning for reason in Rejected}


def plan_warnings(counts: Counts, extracts: Sequence[Extract], *, max_rejected_share: float) -> tuple[Reason, ...]:
    """What to warn of, the gravest first."""
    found = [
        Reason(code=ReasonCode.OLDER_DELIVERY, message=f"{extract.incomplete} The one before it was read.")
        for extract in extracts
        if extract.incomplete
    ]
    if undecodable := counts.rejected_by_reason.get(Rejected.ROW_UNDECODABLE):
        message = f"{undecodable:,} of {counts.rows_read:,} rows are not valid in their file's encoding."
        found.append(Reason(code=ReasonCode.ROWS_UNDECODABLE, message=message))
    if counts.rejected > max_rejected_share * counts.rows_read:
        message = f"{counts.rejected:,} of {counts.rows_read:,} rows were rejected: {largest_reasons(counts)}"
        found.append(Reason(code=ReasonCode.MANY_REJECTED, message=message))
    return tuple(found)


def no_valid_contact(counts: Counts) -> Reason:
    """Why a plan of rows has no contact."""
    message = f"Not one of {counts.rows_read:,} rows can be sent: {largest_reasons(counts)}"
    return Reason(code=ReasonCode.NO_VALID_CONTACT, message=message)


def largest_reasons(counts: Counts) -> str:
    """The largest reasons of rejections, with what each means."""
    ordered = sorted(counts.rejected_by_reason.items(), key=lambda item: (-item[1], item[0]))[:REASONS_TOLD]
    return " ".join(f"{number:,} {reason}: {PHRASES.get(reason, '')}".rstrip(": ") for reason, number in ordered)
