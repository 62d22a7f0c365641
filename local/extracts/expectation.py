"""What must become of an extract's rows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from local.extracts.folder import FolderBlobs
from shared.errors import RunEndError
from shared.extracts.extract import Extract, make_extract
from shared.planning.plan import plan
from shared.runs.plan import EXTRACT_EMPTY
from shared.runs.plan_warnings import no_valid_contact

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from shared.model.definitions import FieldMapping, SourceOptions
    from shared.model.reasons import Reason
    from shared.model.runs import ChunkInfo


class UnsuitableFileError(Exception):
    """A file that the demo cannot use; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What must become of an extract's rows."""

    rows: int
    contacts: int
    """Distinct valid e-mail addresses of people who are new or different."""
    duplicates: int
    rejected: int
    cut: Mapping[str, int] | None = None
    """SendGrid field → values of them that are too long for it; None where nobody counted."""
    unchanged: int = 0
    """Distinct valid e-mail addresses of the others."""

    def after(self, before: Expectation) -> Expectation:
        """What becomes of the rows when those of `before`, which are among them, were sent."""
        cut = None
        if self.cut is not None and before.cut is not None:
            counted = {name: many - before.cut.get(name, 0) for name, many in self.cut.items()}
            cut = {name: many for name, many in counted.items() if many}
        return replace(self, contacts=self.contacts - before.contacts, unchanged=before.contacts, cut=cut)


@dataclass
class Addresses:
    """Keeps the addresses of a plan."""

    emails: set[str] = field(default_factory=set, repr=False)

    def write_chunk(self, info: ChunkInfo, lines: bytes) -> None:
        """Keep the addresses of a chunk."""
        del info
        self.emails.update(json.loads(line)["email"] for line in lines.splitlines())

    def write_rejected(self, csv_part: bytes) -> None:
        """Pass over: the counts tell."""


def expect_file(path: Path, mapping: FieldMapping, source: SourceOptions) -> tuple[Expectation, set[str]]:
    """What a plan makes of somebody's own file, in any format, and the addresses that must get onto the list.

    Raises UnsuitableFileError with one sentence when a run would send nothing of it.
    """
    blobs, addresses = FolderBlobs(path.parent), Addresses()
    try:
        counts = plan([_extract(blobs, path, source)], mapping, blobs=blobs, sink=addresses).counts
    except RunEndError as end:
        raise UnsuitableFileError(_sentence(end.reason)) from None
    if not counts.sent:
        raise UnsuitableFileError(_sentence(no_valid_contact(counts) if counts.rows_read else EXTRACT_EMPTY))
    found = Expectation(
        rows=counts.rows_read, contacts=counts.sent, duplicates=counts.duplicate, rejected=counts.rejected
    )
    return found, addresses.emails


def _sentence(reason: Reason) -> str:
    return f"{reason.message} {reason.advice}"


def _extract(blobs: FolderBlobs, path: Path, source: SourceOptions) -> Extract:
    (item,) = (item for item in blobs.list_level(path.name).blobs if item.name == path.name)
    return make_extract("own", [(item, source)], version="", declared=source)
