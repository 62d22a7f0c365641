"""Try an export's plan on the first rows of its extracts: nothing is sent, nothing is stored."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any, Final

from shared.errors import ExtractChangedError, PlannerBusyError, TooManyRequestsError, TransientError
from shared.limits import PREVIEW_BYTES, PREVIEW_RETRY_AFTER, PREVIEW_SECONDS, PREVIEW_WAIT
from shared.model.documents import Document
from shared.model.runs import ChunkInfo, Counts, ExtractSummary
from shared.runs.found_extracts import find_extracts
from shared.runs.planner_lock import one_planner
from shared.sendgrid.preflight import check_sendgrid
from shared.storage.bounded import BoundedBlobs

if TYPE_CHECKING:
    from shared.definitions.resolve import ExportWithConnection
    from shared.services import Services

FEWER_ROWS: Final = "Ask for fewer rows; a dry run (POST …/plan) has no such bounds."
CONTACTS_SHOWN: Final = 10
REJECTIONS_SHOWN: Final = 20
SHOWN_CHARACTERS: Final = 1
"""Of every value, the rest is masked."""


class Preview(Document):
    """What a run would do with the first rows."""

    extracts: tuple[ExtractSummary, ...]
    counts: Counts
    contacts: tuple[dict[str, Any], ...]
    """The first contacts as SendGrid would get them, their values masked."""
    rejections: tuple[dict[str, str], ...]
    """The first rows that would not be sent, without their values."""


class FirstRows:
    """Keeps the beginning of a plan in memory."""

    def __init__(self) -> None:
        self.contacts: list[bytes] = []
        self.rejected = b""

    def write_chunk(self, info: ChunkInfo, lines: bytes) -> None:
        """Keep the first contacts."""
        del info
        self.contacts += lines.splitlines()[: CONTACTS_SHOWN - len(self.contacts)]

    def write_rejected(self, csv_part: bytes) -> None:
        """Keep the first part."""
        self.rejected = self.rejected or csv_part


def preview_export(services: Services, job: ExportWithConnection, *, rows: int) -> Preview:
    """Plan the first `rows` rows.

    Raises:
        RunEndError: A run would end with this reason.
        TransientError: Something outside does not answer now, or the extract was replaced meanwhile.
        TooManyRequestsError: Another plan is being made on this instance.
        ConflictError: The rows take too many bytes or seconds.
    """
    from shared.planning.plan import plan

    sink = FirstRows()
    job.require_consent()
    extracts = find_extracts(services, job)
    preflight = check_sendgrid(services.sendgrid, job.account, job.export, attempt=1)
    try:
        with one_planner(wait=PREVIEW_WAIT):
            outcome = plan(
                extracts,
                job.export.mapping,
                blobs=BoundedBlobs(
                    services.extracts, size=PREVIEW_BYTES, seconds=PREVIEW_SECONDS, advice=FEWER_ROWS
                ),
                sink=sink,
                custom_fields=preflight.fields,
                rows=rows,
            )
    except PlannerBusyError:
        message = "A plan is being made on this instance; ask again soon."
        raise TooManyRequestsError(message, retry_after=PREVIEW_RETRY_AFTER) from None
    except ExtractChangedError:
        raise TransientError("The extract was replaced while it was read") from None
    return Preview(
        extracts=tuple(extract.summary() for extract in extracts),
        counts=outcome.counts,
        contacts=tuple(mask(json.loads(line)) for line in sink.contacts),
        rejections=tuple(csv.DictReader(io.StringIO(sink.rejected.decode())))[:REJECTIONS_SHOWN],
    )


def mask(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """A value of the same shape that shows no more than its beginning and its length."""
    match value:
        case str():
            return value[:SHOWN_CHARACTERS] + "*" * max(len(value) - SHOWN_CHARACTERS, 0)
        case dict():
            return {name: mask(member) for name, member in value.items()}
        case list():
            return [mask(member) for member in value]
        case _:
            return "*"
