"""The extract of a segment by the layout that its export declares: the template is believed."""

from __future__ import annotations

import os.path
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from shared.extracts.extract import ExtractIncompleteError, ambiguous, make_extract
from shared.extracts.names import why_no_data
from shared.model.layout import Layout
from shared.model.runs import PassedOver

if TYPE_CHECKING:
    import re

    from shared.extracts.extract import Extract
    from shared.model.definitions import SourceOptions
    from shared.model.layout import FileName
    from shared.storage.interfaces import BlobItem, ReadableBlobs

PASSED_OVER_SHOWN: Final = 20
"""So many files that do not fit the template are named."""
KEPT: Final = 3
"""So many of the newest deliveries are kept while names are listed."""


def find_by_layout(
    blobs: ReadableBlobs, root: str, segment: str, options: SourceOptions, template: str
) -> Extract | None:
    """The newest delivery below `root` whose names are as the template says; None when there is none.

    Raises RunEndError when several deliveries are the newest, and ExtractIncompleteError.
    """
    layout = Layout(template)
    found, passed_over = _listed(blobs, root, segment, layout)
    if not found:
        return None
    incomplete = None
    for date in sorted(found, key=_time, reverse=True):
        items = _only_run(segment, found[date])
        _require_single(segment, layout, items)
        problem = _problem(blobs, items, options)
        if problem is None:
            version = f"{date:%Y-%m-%dT%H:%M:%SZ}" if date else ""
            files = [(item, options) for item in items]
            return make_extract(
                segment, files, version=version, declared=options, passed_over=passed_over, incomplete=incomplete
            )
        passed_over.append(PassedOver(name=items[0].name, why=f"is not complete: {problem}"))
        incomplete = incomplete or f"The newest delivery of {segment} is not complete: {problem}."
    raise ExtractIncompleteError(f"{incomplete} No earlier one that is complete was found.")


def _only_run(segment: str, runs: dict[str, list[BlobItem]]) -> list[BlobItem]:
    """The files of the one run of a time."""
    if len(runs) > 1:
        places = [items[0].name for items in runs.values()]
        advice = "Remove those that do not count."
        raise ambiguous(segment, "are of several runs of one time", places, advice=advice)
    return next(iter(runs.values()))


def _listed(
    blobs: ReadableBlobs, root: str, segment: str, layout: Layout
) -> tuple[dict[Any, dict[str, list[BlobItem]]], list[PassedOver]]:
    """The newest deliveries by time and run, and what does not fit."""
    pattern = layout.pattern(segment)
    found: dict[Any, dict[str, list[BlobItem]]] = defaultdict(lambda: defaultdict(list))
    passed_over: list[PassedOver] = []
    for item in blobs.list_blobs(root + layout.prefix(segment)):
        name = item.name.removeprefix(root)
        why = why_no_data(name.rpartition("/")[2])
        read = _read(layout, pattern.fullmatch(name))
        if item.is_folder:
            continue
        if read is None or (why and why.startswith("is unfinished")):
            if len(passed_over) < PASSED_OVER_SHOWN:
                passed_over.append(PassedOver(name=item.name, why=why or "does not fit the declared layout"))
            continue
        found[read.date][read.run].append(item)
        if len(found) > KEPT:
            del found[min(found, key=_time)]
    return found, passed_over


def _read(layout: Layout, match: re.Match[str] | None) -> FileName | None:
    return layout.read(match) if match else None


def _time(date: datetime | None) -> datetime:
    return date or datetime.min.replace(tzinfo=UTC)


def _require_single(segment: str, layout: Layout, items: list[BlobItem]) -> None:
    if len(items) > 1 and not layout.has_parts:
        advice = "Put {part} into the layout if all of them count."
        raise ambiguous(segment, "are several of one time", [item.name for item in items], advice=advice)


def _problem(blobs: ReadableBlobs, items: list[BlobItem], options: SourceOptions) -> str | None:
    """Why a delivery is not complete; None if nothing says so."""
    if options.success_marker is None:
        return None
    folders = {item.name.rpartition("/")[0] for item in items}
    folder = os.path.commonpath(folders) + "/" if all(folders) else ""
    marker = folder + options.success_marker
    if any(item.name == marker for item in blobs.list_blobs(marker)):
        return None
    return f"the marker {marker} is missing"
