"""Try an export's plan on the first rows of its extracts: nothing is sent, nothing is stored."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from shared.definitions.manage import get_connection
from shared.definitions.resolve import ExportWithConnection
from shared.errors import ExtractChangedError, PlannerBusyError, TooManyRequestsError, TransientError
from shared.limits import PREVIEW_BYTES, PREVIEW_RETRY_AFTER, PREVIEW_SECONDS, PREVIEW_WAIT
from shared.model.definitions import Export, Saved
from shared.model.documents import Document
from shared.model.runs import ChunkInfo, Counts, ExtractSummary
from shared.planning.mask import mask
from shared.runs.found_extracts import find_extracts
from shared.runs.planner_lock import one_planner
from shared.sendgrid.preflight import check_sendgrid, look_at_sendgrid
from shared.storage.bounded import BoundedBlobs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from shared.model.definitions import Actor, FieldMapping
    from shared.planning.fields import Field
    from shared.planning.plan import PlanOutcome
    from shared.services import Services

FEWER_ROWS: Final = "Ask for fewer rows; a dry run (POST …/plan) has no such bounds."
CONTACTS_SHOWN: Final = 10
REJECTIONS_SHOWN: Final = 20


class FieldVerdict(Document):
    """What became of the values of one mapped field."""

    field: str
    """SendGrid's name."""
    column: str
    is_custom: bool
    type: str | None
    """What SendGrid takes: text, phone, number, date; null where it has no such field."""
    limit: int | None
    """Most characters of a text."""
    filled: int
    """Contacts that would have a value in it."""
    empty: int
    """Contacts that would have none."""
    cut: int
    """Values shortened to the limit."""
    unusable: int
    """Values left out, since they are not of the field's type."""
    rejected: int
    """Rows rejected for their value, as the mapping wants it."""
    is_missing: bool = False
    """Of a draft: SendGrid has no such custom field, so a run would end; the column was not looked at."""


class Preview(Document):
    """What a run would do with the first rows."""

    extracts: tuple[ExtractSummary, ...]
    counts: Counts
    fields: tuple[FieldVerdict, ...]
    """Of each single-valued field but the address: reserved ones, custom ones, those that are missing."""
    contacts: tuple[dict[str, Any], ...]
    """The first contacts as SendGrid would get them, their values masked."""
    rejections: tuple[dict[str, str], ...]
    """The first rows that would not be sent, without their values."""


class FirstRows:
    """Keeps the beginning of a plan in memory."""

    def __init__(self) -> None:
        self.contacts: list[bytes] = []
        self.rejected = b""
        self.filled: Counter[str] = Counter()

    def write_chunk(self, info: ChunkInfo, lines: bytes) -> None:
        """Keep the first contacts, and count by member how many have a value."""
        del info
        contacts = lines.splitlines()
        self.contacts += contacts[: CONTACTS_SHOWN - len(self.contacts)]
        for line in contacts:
            contact = json.loads(line)
            self.filled.update(contact.keys())
            self.filled.update(f"custom_fields.{key}" for key in contact.get("custom_fields", ()))

    def write_rejected(self, csv_part: bytes) -> None:
        """Keep the first part."""
        self.rejected = self.rejected or csv_part


def preview_export(services: Services, job: ExportWithConnection, *, rows: int, is_draft: bool = False) -> Preview:
    """Plan the first `rows` rows; of a draft, a custom field that SendGrid has not costs itself only.

    Raises:
        RunEndError: A run would end with this reason.
        TransientError: Something outside does not answer now, or the extract was replaced meanwhile.
        TooManyRequestsError: Another plan is being made on this instance.
        ConflictError: The rows take too many bytes or seconds.
    """
    from shared.planning.fields import fields_of
    from shared.planning.plan import plan

    sink = FirstRows()
    job.require_consent()
    extracts = find_extracts(services, job)
    ask = look_at_sendgrid if is_draft else check_sendgrid
    preflight = ask(services.sendgrid, job.account, job.export, attempt=1)
    mapping = _without(job.export.mapping, preflight.missing)
    try:
        with one_planner(wait=PREVIEW_WAIT):
            outcome = plan(
                extracts,
                mapping,
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
        fields=(
            *_verdicts(fields_of(mapping, preflight.fields), sink, outcome),
            *_missing(job.export.mapping, preflight.missing),
        ),
        contacts=tuple(mask(json.loads(line)) for line in sink.contacts),
        rejections=tuple(csv.DictReader(io.StringIO(sink.rejected.decode())))[:REJECTIONS_SHOWN],
    )


def _without(mapping: FieldMapping, missing: Collection[str]) -> FieldMapping:
    """The mapping without some custom fields."""
    left = {name: column for name, column in mapping.custom_fields.items() if name not in missing}
    return mapping.model_copy(update={"custom_fields": left})


def _missing(mapping: FieldMapping, missing: Iterable[str]) -> Iterator[FieldVerdict]:
    nothing = dict.fromkeys(("filled", "empty", "cut", "unusable", "rejected"), 0)
    for name in missing:
        column = mapping.custom_fields[name]
        yield FieldVerdict(
            field=name, column=column, is_custom=True, type=None, limit=None, is_missing=True, **nothing
        )


def _verdicts(fields: Iterable[Field], sink: FirstRows, outcome: PlanOutcome) -> Iterator[FieldVerdict]:
    counts = outcome.counts
    for field in fields:
        filled = sink.filled[f"custom_fields.{field.key}" if field.custom else field.key]
        yield FieldVerdict(
            field=field.name,
            column=field.column,
            is_custom=field.custom,
            type=field.kind,
            limit=field.limit or None,
            filled=filled,
            empty=counts.sent - filled,
            cut=counts.cut.get(field.name, 0),
            unusable=counts.unusable.get(field.name, 0),
            rejected=outcome.rejected_by_field.get(field.name, 0),
        )


def as_if_saved(services: Services, export: Export, connection: str, *, by: Actor) -> ExportWithConnection:
    """An export as a preview takes one, without its being saved. Raises NotFoundError."""
    now = services.clock()
    saved = Saved[Export](
        id="draft",
        uid="draft",
        definition=export,
        created_at=now,
        created_by=by,
        updated_at=now,
        updated_by=by,
    )
    return ExportWithConnection(saved=saved, through=get_connection(services, connection).document)
