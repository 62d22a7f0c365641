"""The extract of a segment by the model.json beside it: exactly the files that it lists, or none."""

from __future__ import annotations

import os.path
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from shared.errors import RunEndError
from shared.extracts.extract import ExtractIncompleteError, ambiguous, make_extract
from shared.extracts.found_layout import deliveries_in
from shared.extracts.model_json import list_models, read_table
from shared.model.runs import PassedOver

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shared.extracts.extract import Extract
    from shared.extracts.model_json import ModelTable
    from shared.model.definitions import SourceOptions
    from shared.storage.interfaces import BlobItem, ReadableBlobs

_DATED: Final = re.compile(r"(?P<home>(?:.*?/)??)(?P<version>\d[\dTZ._-]*(?:/\d[\dTZ._-]*)*)")
FOLDERS_LISTED: Final = 20
"""Up to so many folders are listed one by one, more of them all at once, with what lies between."""
CLOCKS_DIFFER: Final = timedelta(hours=1)
"""A file may be so much older than its model says: some writers note the time at their end."""


def find_by_model(
    blobs: ReadableBlobs,
    root: str,
    segment: str,
    options: SourceOptions,
    *,
    wall: str = "",
    place: str | None = None,
) -> Extract | None:
    """The extract that a model.json in `root` or in the segment's folder lists; None when none does.

    Args:
        blobs: where models and files lie.
        root: folder in which segments are looked for.
        segment: whose extract is wanted.
        options: what the export declares.
        wall: no file is read that does not lie below it, whatever a model says.
        place: account and container of the blobs, as `account/container`; what a model says else is told.

    Raises RunEndError when a model cannot be read or two list the segment, and ExtractIncompleteError.
    """
    tables = [
        table
        for folder in (root, f"{root}{segment}/")
        for model in list_models(blobs, folder)
        if (table := read_table(blobs, model, segment, alone=folder != root, wall=wall)) and table.files
    ]
    if len(tables) > 1:
        advice = "Remove the one that is not kept up to date."
        raise ambiguous(segment, "are listed by several models", [table.model for table in tables], advice=advice)
    if not tables:
        return None
    extract = _read(blobs, segment, tables[0], options, wall)
    elsewhere = _elsewhere(tables[0], place)
    return replace(extract, passed_over=(*elsewhere, *extract.passed_over))


def _elsewhere(table: ModelTable, place: str | None) -> list[PassedOver]:
    """The places that the model names instead of the one that is read; it was copied, or means other files."""
    places = {file.place for file in table.files if file.place is not None}
    return [
        PassedOver(
            name=other, why=f"is where {table.model} says that files lie; those of their names in {place} are read"
        )
        for other in sorted(places)
        if place is not None and other != place
    ]


def _read(blobs: ReadableBlobs, segment: str, table: ModelTable, options: SourceOptions, wall: str) -> Extract:
    listed = {file.name: file for file in table.files}
    items = _items(blobs, list(listed))
    declared = merged(options, table.source)
    problem = _problem(table, items)
    if problem is None:
        files = [(items[name], merged(options, file.source)) for name, file in listed.items()]
        return make_extract(segment, files, version=_dated_folder(list(listed))[1], declared=declared)
    sentence = f"The newest delivery of {segment}, by {table.model}, is not complete: {problem}."
    before = _before(blobs, table, wall)
    if before is None:
        raise ExtractIncompleteError(f"{sentence} No earlier delivery of the same files was found.")
    files = [(item, merged(options, file.source)) for item, file in zip(before, table.files, strict=True)]
    passed_over = [PassedOver(name=name, why=f"is not complete: {problem}") for name in items]
    version = _dated_folder([item.name for item, _ in files])[1]
    return make_extract(
        segment, files, version=version, declared=declared, passed_over=passed_over, incomplete=sentence
    )


def _items(blobs: ReadableBlobs, names: Sequence[str]) -> dict[str, BlobItem]:
    """The blobs of these names that are there."""
    wanted = set(names)
    folders = {name[: name.rfind("/") + 1] for name in wanted}
    found: Iterable[BlobItem]
    if len(folders) <= FOLDERS_LISTED:
        found = (item for folder in sorted(folders) for item in blobs.list_level(folder).blobs)
    else:
        found = blobs.list_blobs(os.path.commonprefix(list(names)))  # noqa: RUF071 - of names, not paths
    return {item.name: item for item in found if item.name in wanted and not item.is_folder}


def _problem(table: ModelTable, items: dict[str, BlobItem]) -> str | None:
    """Why the delivery is not complete; None if it is."""
    for file in table.files:
        item = items.get(file.name)
        if item is None:
            return f"{file.name} is missing"
        if file.refreshed and item.modified < file.refreshed - CLOCKS_DIFFER:
            return f"{file.name} is older than the model says"
    return None


def _before(blobs: ReadableBlobs, table: ModelTable, wall: str) -> list[BlobItem] | None:
    """The same files in the dated folder before the listed one; None if they are not all there."""
    names = [file.name for file in table.files]
    home, version = _dated_folder(names)
    if not version or not home.startswith(wall):
        return None
    wanted = [name.removeprefix(f"{home}{version}/") for name in names]
    try:
        for candidate in deliveries_in(blobs, home, table.source):
            if _numbers("/".join(candidate.version)) < _numbers(version):
                folder = f"{home}{'/'.join(candidate.version)}/"
                items = {item.name.removeprefix(folder): item for item in candidate.items}
                return [items[name] for name in wanted] if set(items) == set(wanted) else None
    except RunEndError:
        return None
    return None


def _dated_folder(names: Sequence[str]) -> tuple[str, str]:
    """The folder that holds the dated folder of these files, and the dated folder; empty if there is none."""
    folders = {name.rpartition("/")[0] for name in names}
    match = _DATED.fullmatch(folders.pop()) if len(folders) == 1 else None
    return (match["home"], match["version"]) if match else ("", "")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def merged(asked: SourceOptions, declared: SourceOptions) -> SourceOptions:
    """What the export asks for, completed by what the model declares."""
    return declared.model_copy(update=asked.model_dump(exclude_defaults=True))
