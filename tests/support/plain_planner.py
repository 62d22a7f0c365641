"""A planner in plain Python for small extracts: slow with many rows, quick with few.

The tests of runs use it where the planner itself is not the point, in the place of `shared.planning.plan.plan`.
"""

from __future__ import annotations

import csv
import io
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from shared.errors import RunEndError
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import RunStatus
from shared.model.runs import ChunkInfo, Counts, MembershipChange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.extracts.extract import Extract
    from shared.model.definitions import FieldMapping
    from shared.model.members import Membership
    from shared.model.runs import ParquetBlob
    from shared.planning.members import RunOutcome
    from shared.storage.interfaces import Blobs, ReadableBlobs


def plan(
    extracts: Sequence[Extract],
    mapping: FieldMapping,
    *,
    blobs: Blobs,
    sink: Any,  # noqa: ANN401 - shared.planning.planner.PlanSink, which would import DuckDB
    max_contacts: int,
    **_: object,
) -> SimpleNamespace:
    """Plan CSV files with a header; every address with an @ is valid."""
    contacts: dict[str, bytes] = {}
    counts = {"rows_read": 0, "duplicate": 0, "rejected": 0}
    for row in _rows(extracts, blobs):
        counts["rows_read"] += 1
        email = row[mapping.email].strip().lower()
        outcome = "rejected" if "@" not in email else "duplicate" if email in contacts else ""
        if outcome:
            counts[outcome] += 1
        else:
            contacts[email] = json.dumps({"email": email}, separators=(",", ":")).encode() + b"\n"
    if len(contacts) > max_contacts:
        raise RunEndError(ReasonCode.TOO_MANY_CONTACTS, f"{len(contacts)} contacts", status=RunStatus.SKIPPED)
    sink.write_rejected(b"segment,file,row,customer_id,column,reason\n")
    lines = b"".join(contacts.values())
    chunks = (ChunkInfo(number=1, contacts=len(contacts), bytes=len(lines)),) if contacts else ()
    for chunk in chunks:
        sink.write_chunk(chunk, lines)
    by_reason = {"email_invalid": counts["rejected"]} if counts["rejected"] else {}
    return SimpleNamespace(
        chunks=chunks,
        counts=Counts(sent=len(contacts), rejected_by_reason=by_reason, **counts),
        held=(),
        missing=None,
    )


def next_generation(
    old: Membership | None, outcome: RunOutcome, *, blobs: ReadableBlobs
) -> tuple[bytes, MembershipChange]:
    """Note the members as JSON; nobody leaves, for these plans take nobody off."""
    before = set(json.loads(blobs.get_range(**_whole(old.generation)))) if old else set()
    arrived: set[str] = set()
    for chunk in outcome.arrivals:
        arrived |= {json.loads(line)["email"] for line in chunk.lines.splitlines()} - chunk.absent
    after = sorted(before | arrived)
    change = MembershipChange(before=len(before), joined=len(after) - len(before), after=len(after))
    return json.dumps(after).encode(), change


def _whole(blob: ParquetBlob) -> dict[str, Any]:
    return {"name": blob.blob, "offset": 0, "length": blob.size, "etag": blob.etag}


def _rows(extracts: Sequence[Extract], blobs: Blobs) -> list[dict[str, str]]:
    texts = [blobs.get(file.name).data.decode() for extract in extracts for file in extract.files]
    return [row for text in texts for row in csv.DictReader(io.StringIO(text))]
