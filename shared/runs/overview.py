"""Exports by pages, each with how it went last.

Of each export that is looked at its definition is read, and of each that is shown the names of its runs and the
newest of them, some at a time. A page ends with an export that is shown: no other's id is told.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.definitions.manage import list_export_ids, read_listed_export
from shared.runs.outlook import find_last_run
from shared.runs.views import READERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.model.definitions import Export, Saved
    from shared.model.runs import Run
    from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Some exports, by id."""

    exports: tuple[tuple[Saved[Export], Run | None], ...]
    """Each with its newest run that is shown, dry runs and adoptions apart."""
    after: str | None
    """The export after which the next page begins; None at the end."""


def list_overview(
    services: Services,
    *,
    limit: int,
    after: str | None,
    shown: Callable[[Saved[Export]], bool],
    shown_run: Callable[[Run], bool],
) -> Overview:
    """The exports after one that are `shown`."""
    ids = list_export_ids(services, after=after)
    found: list[Saved[Export]] = []
    with ThreadPoolExecutor(READERS) as pool:
        for some in itertools.batched(ids, READERS, strict=False):
            read = pool.map(lambda each: read_listed_export(services, each), some)
            found += [saved for saved in read if saved is not None and shown(saved)]
            if len(found) > limit:
                break

        def last_run(saved: Saved[Export]) -> Run | None:
            return find_last_run(
                services, saved.id, shown=lambda run: run.export_uid == saved.uid and shown_run(run)
            )

        page = found[:limit]
        exports = tuple(zip(page, pool.map(last_run, page), strict=True))
    return Overview(exports=exports, after=page[-1].id if len(found) > limit else None)
