"""From extracts to chunks, rejections and counts.

One contact per e-mail address: of several rows with the same address the first one that may be sent wins, in the
order of the segments in the export, of the files by name, and of the rows in the file. Neither the order in which
files are listed nor the number of cores has a say.

Every row that is read has exactly one outcome: it is sent, a duplicate, or rejected with a reason.

Files are read once, piece by piece, and contacts go on as they are found; alternate addresses need a look at
everything first, for an address belongs to one contact only.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from shared.limits import REMOVALS_PER_REQUEST
from shared.model.members import Leavers
from shared.planning.chunks import Chunker, PartWriter
from shared.planning.engine import open_engine
from shared.planning.fields import fields_of
from shared.planning.ledger import Sinks
from shared.planning.members import CONTACT, RAW_LINES, begin_differences, find_missing, load_known, write_missing
from shared.planning.planner import Planner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future

    from shared.extracts.extract import Extract
    from shared.model.definitions import CustomField, FieldMapping
    from shared.model.runs import ChunkInfo, Counts
    from shared.planning.differences import Differences
    from shared.planning.members import Members
    from shared.storage.interfaces import ReadableBlobs

WRITES_AHEAD: Final = 2
"""Chunks that may wait to be written while planning goes on."""


class PlanSink(Protocol):
    """Where a plan goes. Each of the two is called from one thread only, but not from the same."""

    def write_chunk(self, info: ChunkInfo, lines: bytes) -> None:
        """Take a chunk: NDJSON, one contact a line."""

    def write_rejected(self, csv_part: bytes) -> None:
        """Take a piece of rejected.csv, whole lines; the first one begins with the header."""


@dataclass(frozen=True, kw_only=True)
class PlanOutcome:
    """What was planned."""

    chunks: tuple[ChunkInfo, ...]
    counts: Counts
    """`sent` is what the chunks hold that are no removals."""
    rejected_by_field: Mapping[str, int] = field(default_factory=dict)
    """Rows that are rejected for a value, by the name of its field."""
    leavers: int = 0
    """Members who have left, whatever becomes of them."""
    held: tuple[ChunkInfo, ...] = ()
    """Removals that are not to be done unless somebody confirms them."""
    missing: bytes | None = field(default=None, repr=False)
    """Members that are in no extract, as Parquet; None without members to compare with."""


def plan(
    extracts: Sequence[Extract],
    mapping: FieldMapping,
    *,
    blobs: ReadableBlobs,
    sink: PlanSink,
    custom_fields: Mapping[str, CustomField] | None = None,
    max_contacts: int | None = None,
    rows: int | None = None,
    members: Members | None = None,
    judge_leavers: Callable[[Counts, int], Leavers] = lambda _counts, _leavers: Leavers.STAY,
    differences: Differences | None = None,
) -> PlanOutcome:
    """Plan what the extracts send.

    Args:
        extracts: in order of precedence.
        mapping: which column feeds which field.
        blobs: where the extracts lie.
        sink: takes chunks and rejections while planning goes on; they count only if this function returns.
        custom_fields: SendGrid's custom fields by the names used in the mapping.
        max_contacts: a plan of more contacts ends the run as skipped.
        rows: read so many rows only, as a preview.
        members: who was brought before: who is in no extract any more has left, who is unchanged is not sent.
        judge_leavers: told counts and the number of leavers; what becomes of them.
        differences: looks at what the plan would change.

    Raises RunEndError, and ExtractChangedError when a file was replaced in the meantime.
    """
    fields = fields_of(mapping, custom_fields or {})
    rejected = PartWriter(sink.write_rejected)
    with open_engine() as engine, ThreadPoolExecutor(max_workers=1, thread_name_prefix="write-chunks") as pool:
        write = _Background(pool, sink.write_chunk)
        chunker = Chunker(write)
        planner = Planner(engine=engine, blobs=blobs, mapping=mapping, fields=fields, most=rows)
        planner.finds_leavers = members is not None
        if members and members.leave_out_unchanged:
            load_known(engine, members)
            planner.leave_out_unchanged = True
        if differences:
            begin_differences(engine, differences, members)
            planner.differences = differences
        if mapping.alternate_emails:
            planner.collect_alternates(extracts)
            planner.choose_alternates()
        sinks = Sinks(lines=chunker.take, rejected=rejected.take, max_contacts=max_contacts)
        counts = planner.plan(extracts, sinks)
        chunker.close()
        rejected.close()
        removals = Chunker(write, contacts=REMOVALS_PER_REQUEST, first=len(chunker.chunks) + 1, removal=True)
        fate, leavers = Leavers.STAY, 0
        if members:
            leavers = find_missing(engine, members)
            fate = judge_leavers(counts, leavers)
            if differences:
                differences.end(engine)
        if fate is not Leavers.STAY:
            engine.copy(CONTACT, removals.take, RAW_LINES)
            removals.close()
        write.finish()
        missing = write_missing(engine) if members else None
    done, held = (removals.chunks, []) if fate is Leavers.GO else ([], removals.chunks)
    return PlanOutcome(
        chunks=(*chunker.chunks, *done),
        counts=counts,
        rejected_by_field=dict(planner.tally.rejected_by_field),
        leavers=leavers,
        held=tuple(held),
        missing=missing,
    )


class _Background:
    """Calls a function on a thread of its own, in order; an error comes out at a later call, or at the end."""

    def __init__(self, pool: ThreadPoolExecutor, function: Callable[..., None]) -> None:
        self._pool = pool
        self._function = function
        self._waiting: deque[Future[None]] = deque()

    def __call__(self, *args: object) -> None:
        while len(self._waiting) >= WRITES_AHEAD:
            self._waiting.popleft().result()
        self._waiting.append(self._pool.submit(self._function, *args))

    def finish(self) -> None:
        """Wait until everything is done."""
        while self._waiting:
            self._waiting.popleft().result()
