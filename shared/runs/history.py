"""Runs of all exports, newest first, by pages.

The ids of runs begin with their time, so the newest are found by listing names; documents are read for those only
that a page may show, some at a time, and for at most RUNS_SCANNED_MAX of them. A page may be short, even empty,
and go on.
"""

from __future__ import annotations

import heapq
import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.audit.query import make_cursor
from shared.limits import RUNS_SCANNED_MAX
from shared.runs.views import READERS, find_run, with_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.audit.query import Position
    from shared.model.runs import Run
    from shared.runs.run_query import RunQuery
    from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class HistoryPage:
    """Some runs, newest first."""

    runs: tuple[Run, ...]
    cursor: str | None
    """Where to go on; None at the end."""


def list_history(services: Services, query: RunQuery, *, shown: Callable[[Run], bool]) -> HistoryPage:
    """Those runs of all exports that are asked for and `shown`."""
    found: list[Run] = []
    last: Position | None = None
    with ThreadPoolExecutor(READERS) as pool:
        positions = _positions(services, query, pool)

        def read(position: Position) -> Run | None:
            run, export = position
            return _find(services, query, export, run, shown)

        scanned = 0
        for some in itertools.batched(positions, READERS, strict=False):
            for position, run in zip(some, pool.map(read, some), strict=True):
                if len(found) == query.limit or scanned == RUNS_SCANNED_MAX:
                    return HistoryPage(runs=tuple(found), cursor=make_cursor(last) if last else None)
                last, scanned = position, scanned + 1
                if run is not None:
                    found.append(run)
    return HistoryPage(runs=tuple(found), cursor=None)


def _positions(services: Services, query: RunQuery, pool: ThreadPoolExecutor) -> Iterator[Position]:
    """Ids and exports of the runs that may be asked for, newest first."""
    blobs, end = services.store.blobs, query.end

    def of_export(folder: str) -> list[Position]:
        names = (each.rpartition("/")[2] for each in blobs.list_level(f"{folder}/").folders)
        export = folder.rpartition("/")[2]
        return sorted(
            ((run, export) for run in names if query.may_have(run) and (run, export) < end), reverse=True
        )

    folders = (f"runs/{query.export}",) if query.export else blobs.list_level("runs/").folders
    return heapq.merge(*pool.map(of_export, folders), reverse=True)


def _find(services: Services, query: RunQuery, export: str, run: str, shown: Callable[[Run], bool]) -> Run | None:
    """The run as far as it is, if it is asked for and shown."""
    found = find_run(services, export, run)
    if found is None or not shown(found):
        return None
    found = with_progress(services, found)
    return found if query.asks_for(found) else None
