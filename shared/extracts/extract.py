"""What is read of a segment: one delivery, its files, and what lies beside them and is not read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from shared.errors import RunEndError
from shared.model.definitions import SourceOptions
from shared.model.reason_codes import ReasonCode
from shared.model.runs import ExtractSummary, PassedOver

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.storage.interfaces import BlobItem

NAMES_SHOWN: Final = 3
"""So many files or folders are named in a sentence."""
NAMES_KEPT: Final = 20
"""So many are named in a document."""


@dataclass(frozen=True, kw_only=True)
class ExtractFile:
    """One file of an extract, pinned by its ETag."""

    name: str
    size: int
    """Bytes."""
    etag: str
    source: SourceOptions = field(default_factory=SourceOptions)
    """How it is written, as far as its model.json or the export says."""


@dataclass(frozen=True, kw_only=True)
class Extract:
    """One delivered version of a segment."""

    segment: str
    version: str
    """The delivery's own name, such as its dated folder; without one, the time of its last file."""
    delivered_at: datetime
    """When its last file was written."""
    empty_since: datetime | None = None
    """When the last of those files that hold nothing was written; None if all hold something."""
    files: tuple[ExtractFile, ...]
    """By name."""
    columns: tuple[str, ...] | None = None
    """Declared by model.json or by the export; None means that the files say."""
    passed_over: tuple[PassedOver, ...] = ()
    incomplete: str | None = None
    """Which newer delivery is not complete, and why, as a sentence; None if this one is the newest."""

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(file.size for file in self.files)

    @property
    def identity(self) -> str:
        """Equal for equal content: names and ETags of the files."""
        return "\n".join(f"{file.name} {file.etag}" for file in self.files)

    def settled_at(self, source: SourceOptions) -> datetime:
        """From when on nobody is taken to be writing it any more, if nothing changes until then.

        A file in a hierarchical namespace is there before what is written into it, and may hold nothing for long.
        """
        settled = self.delivered_at + source.settle
        if self.empty_since is None or not source.settle:
            return settled
        return max(settled, self.empty_since + timedelta(minutes=source.wait_minutes))

    def summary(self) -> ExtractSummary:
        """What documents tell of it."""
        return ExtractSummary(
            segment=self.segment,
            version=self.version,
            delivered_at=self.delivered_at,
            files=len(self.files),
            bytes=self.bytes,
            file_names=tuple(file.name for file in self.files[:NAMES_KEPT]),
            passed_over=self.passed_over[:NAMES_KEPT],
            passed_over_more=max(len(self.passed_over) - NAMES_KEPT, 0),
            incomplete=self.incomplete,
        )


class ExtractIncompleteError(RunEndError):
    """The newest delivery is not complete, and which earlier one is complete is not certain."""

    def __init__(self, message: str) -> None:
        super().__init__(ReasonCode.EXTRACT_INCOMPLETE, message)


def ambiguous(segment: str, why: str, candidates: Iterable[str], *, advice: str = "") -> RunEndError:
    """Nobody but the writer knows which files are meant.

    Args:
        segment: whose files they are.
        why: in words that go on after "they".
        candidates: files or folders that may be meant.
        advice: what to declare; by default the layout.
    """
    declare = advice or (
        "Declare source.layout, such as {segment}/{date:%Y-%m-%d}/{part}, or remove what is not to be read."
    )
    message = (
        f"Which files are the extract of {segment} is not certain: they {why}: {shown(candidates)}. {declare}"
    )
    return RunEndError(ReasonCode.EXTRACT_AMBIGUOUS, message)


def shown(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    listed = sorted(names)
    more = f" and {len(listed) - NAMES_SHOWN} more" if len(listed) > NAMES_SHOWN else ""
    return ", ".join(listed[:NAMES_SHOWN]) + more


def make_extract(
    segment: str,
    items: Iterable[tuple[BlobItem, SourceOptions]],
    *,
    version: str,
    declared: SourceOptions,
    passed_over: Iterable[PassedOver] = (),
    incomplete: str | None = None,
) -> Extract:
    """An extract of these blobs, each with how it is written."""
    files = sorted(items, key=lambda file: file[0].name)
    delivered_at = max(item.modified for item, _ in files)
    empty_since = max((item.modified for item, _ in files if not item.size), default=None)
    return Extract(
        segment=segment,
        version=version or f"{delivered_at:%Y-%m-%dT%H:%M:%SZ}",
        delivered_at=delivered_at,
        empty_since=empty_since,
        files=tuple(
            ExtractFile(name=item.name, size=item.size, etag=item.etag, source=source) for item, source in files
        ),
        columns=declared.columns or None,
        passed_over=tuple(passed_over),
        incomplete=incomplete,
    )
