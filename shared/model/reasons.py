"""How a run ends, why, and what to do next; docs/operations.md says more about each reason."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.model.documents import Document
from shared.model.reason_codes import AGAIN, NEW_RUN, ReasonCode


class RunStatus(StrEnum):
    """Where a run is; the last five are terminal."""

    QUEUED = "queued"
    """Waits for a planner."""
    WAITING_FOR_EXTRACT = "waiting_for_extract"
    """The newest delivery is not complete yet; the run looks again from time to time."""
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
        return self not in {
            self.QUEUED,
            self.WAITING_FOR_EXTRACT,
            self.PLANNING,
            self.UPLOADING,
            self.IMPORTING,
        }


class Reason(Document):
    """Why a run ended as it did, in words a person can act on."""

    code: Annotated[ReasonCode | str, Field(union_mode="left_to_right")]
    """A newer version of the app may have written a code that this one does not know."""
    message: str

    @property
    def advice(self) -> str:
        """What to do next, by a new run if need be; empty where the code is not known."""
        return self.advice_for(left_over=False)

    def advice_for(self, *, left_over: bool) -> str:
        """What to do next when chunks are left over that a retry would send, or when none are."""
        advice = self.code.advice if isinstance(self.code, ReasonCode) else ""
        return advice.replace(AGAIN, "retry the run" if left_over else NEW_RUN)
