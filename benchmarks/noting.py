"""The commands that note members: `child.py` runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from shared.limits import CONTACTS_PER_REQUEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from shared.planning.members import Arrivals

FIRST_RUN: Final = "20260101T000000Z-scheduled"
NEXT_RUN: Final = "20260102T000000Z-scheduled"
FEW: Final = 100
"""One of so many is different."""


def note_first(path: Path, rows: int) -> Callable[[], dict[str, Any]]:
    """Note the members of a first run."""
    return lambda: _note(path, None, rows, FIRST_RUN)


def note_few(path: Path, rows: int) -> Callable[[], dict[str, Any]]:
    """Note the members after a run that sent one of a hundred."""
    return lambda: _note(path, rows, rows // FEW, NEXT_RUN)


def note_all(path: Path, rows: int) -> Callable[[], dict[str, Any]]:
    """Note the members after a run that sent everybody again."""
    return lambda: _note(path, rows, rows, NEXT_RUN)


def _note(path: Path, before: int | None, sent: int, run: str) -> dict[str, Any]:
    from benchmarks.local_file import LocalFile
    from shared.planning.members import RunOutcome, next_generation

    path.touch()
    outcome = RunOutcome(run=run, arrivals=_arrivals(sent, run), gone=(), missing=None)
    if before is None:
        data, change = next_generation(None, outcome, blobs=LocalFile(path).as_blobs())
        path.write_bytes(data)
    else:
        with LocalFile(path) as file:
            data, change = next_generation(file.membership(), outcome, blobs=file.as_blobs())
    if change.after != (before or sent):
        raise RuntimeError(f"There are {change.after:,} members.")
    return {"bytes": len(data)}


def _arrivals(number: int, run: str) -> Iterator[Arrivals]:
    """Chunks of contacts that exist only while they are looked at, as they come from storage."""
    from shared.planning.members import Arrivals

    for start in range(0, number, CONTACTS_PER_REQUEST):
        numbers = range(start, min(start + CONTACTS_PER_REQUEST, number))
        lines = (
            f'{{"email":"first{each}.last{each % 977}@example{each % 50}.com","first_name":"{run}"}}\n'
            for each in numbers
        )
        yield Arrivals(lines="".join(lines).encode(), absent=frozenset(), certain=True)
