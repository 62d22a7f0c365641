"""Which files are the extract of a segment. Decided from names, markers and ETags alone.

In this order: the layout that the export declares; the model.json that lists the segment; what the names of files
and folders tell. docs/extracts.md has the grammar. Where two readings are left, nothing is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.errors import RunEndError
from shared.extracts.declared_layout import find_by_layout
from shared.extracts.extract import ambiguous, shown
from shared.extracts.found_layout import find_by_names
from shared.extracts.listed_blobs import NOTHING, ListedBlobs
from shared.extracts.listed_layout import find_by_model
from shared.extracts.model_json import ModelUnreadableError, list_models, list_tables
from shared.extracts.names import read_data_name, why_no_data, why_no_delivery
from shared.extracts.parts import read_name
from shared.model.definitions import SourceOptions
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.extracts.extract import Extract
    from shared.storage.interfaces import BlobItem, ReadableBlobs

CUSTOMER_INSIGHTS_FOLDER: Final = "CustomerInsights_"


def find_extract(
    blobs: ReadableBlobs,
    segment: str,
    *,
    prefix: str = "",
    source: SourceOptions | None = None,
    place: str | None = None,
) -> Extract:
    """The newest complete extract of `segment`.

    Args:
        blobs: where extracts lie.
        segment: its name.
        prefix: EXTRACT_PREFIX, below which all files must lie.
        source: what the export declares.
        place: account and container of the blobs, as `account/container`, to tell when a model means others.

    Raises RunEndError when there is none or it is not certain which files it is, and ExtractIncompleteError.
    """
    options = source or SourceOptions()
    root = _folder(prefix)
    if options.layout is not None:
        found = find_by_layout(blobs, root, segment, options, options.layout)
        if found is None:
            raise _missing(blobs, root, segment, options)
        return found
    extracts = _find_all(blobs, root, segment, options, place)
    if len(extracts) > 1:
        advice = "Set EXTRACT_PREFIX to the folder that is meant."
        raise ambiguous(segment, "lie in several places", [_place(each) for each in extracts], advice=advice)
    if not extracts:
        raise _missing(blobs, root, segment, options)
    return next(iter(extracts.values()))


def _find_all(
    blobs: ReadableBlobs, wall: str, segment: str, options: SourceOptions, place: str | None
) -> dict[str, Extract]:
    """The extracts of the segment by the folder that they were found in.

    A model.json that cannot be read costs its own folder: where nothing there begins with the segment's name, and
    the segment is found elsewhere, it is passed over.
    """
    found: dict[str, Extract] = {}
    unread: dict[str, ModelUnreadableError] = {}
    for root in _roots(blobs, wall):
        try:
            extract = find_by_model(blobs, root, segment, options, wall=wall, place=place)
        except ModelUnreadableError as unreadable:
            unread[root] = unreadable
            continue
        if extract := extract or find_by_names(blobs, root, segment, options):
            found[root] = extract
    for root, error in unread.items():
        if not found or blobs.list_level(root + segment) != NOTHING:
            raise error
    return found


def _place(root: str) -> str:
    return root or "the container"


def _missing(blobs: ReadableBlobs, root: str, segment: str, options: SourceOptions) -> RunEndError:
    """No file is named after the segment; the message tells those whose names hold its name."""
    below = f"below {root}" if root else "in the container"
    if options.layout is not None:
        message = f"No files of the segment {segment} were found {below} by the layout {options.layout}."
        return RunEndError(ReasonCode.EXTRACT_MISSING, message)
    alike = [item.name for item in blobs.list_level(root).blobs if segment in item.name]
    hint = f" Not named after it, but alike: {shown(alike)}; source.layout declares such names." if alike else ""
    return RunEndError(ReasonCode.EXTRACT_MISSING, f"No files of the segment {segment} were found {below}.{hint}")


# --- all segments -------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A segment that was found."""

    segment: str
    extract: Extract | None
    problem: Reason | None
    """Why there is no extract of it that would be read."""


def list_extracts(
    blobs: ReadableBlobs,
    *,
    prefix: str = "",
    place: str | None = None,
    is_late: Callable[[], bool] = lambda: False,
) -> Iterator[Listed]:
    """Every segment found, by name, with its newest extract or why that cannot be told.

    Args:
        blobs: where extracts lie; every folder is listed once.
        prefix: EXTRACT_PREFIX.
        place: account and container of the blobs, as `account/container`.
        is_late: whether the caller cannot wait longer; the segments left are named and not looked for.

    Raises RunEndError when nothing is found but a model.json that cannot be read, or finding the names took too
    long.
    """
    listed_blobs = ListedBlobs(blobs)
    for name in _names(listed_blobs, _folder(prefix), is_late):
        if is_late():
            yield Listed(segment=name, extract=None, problem=LATE)
        elif listed := _list(listed_blobs, name, prefix, place):
            yield listed


LATE: Final = Reason(
    code=ReasonCode.LISTING_CUT,
    message="There are too many segments, folders or files to look at all of them in one answer.",
)


def _names(blobs: ReadableBlobs, root: str, is_late: Callable[[], bool]) -> list[str]:
    """All names that may be segments. A model.json that cannot be read hides its own tables only."""
    names: set[str] = set()
    unread: ModelUnreadableError | None = None
    for each in _roots(blobs, root):
        if is_late():
            raise RunEndError(LATE.code, LATE.message)
        names |= _segments(blobs, each)
        try:
            names |= {name for model in list_models(blobs, each) for name in list_tables(blobs, model)}
        except ModelUnreadableError as unreadable:
            unread = unreadable
    if unread and not names:
        raise unread
    return sorted(names)


def _list(blobs: ReadableBlobs, segment: str, prefix: str, place: str | None) -> Listed | None:
    try:
        extract = find_extract(blobs, segment, prefix=prefix, place=place)
    except RunEndError as end:
        is_none = end.reason.code in {ReasonCode.EXTRACT_MISSING, ReasonCode.EXTRACT_UNSUPPORTED}
        return None if is_none else Listed(segment=segment, extract=None, problem=end.reason)
    return Listed(segment=segment, extract=extract, problem=None)


def _folder(prefix: str) -> str:
    return prefix if not prefix or prefix.endswith("/") else prefix + "/"


def _roots(blobs: ReadableBlobs, prefix: str) -> Iterator[str]:
    """The prefix, and the folders that Customer Insights makes below it for its exports."""
    yield prefix
    for instance in blobs.list_level(prefix + CUSTOMER_INSIGHTS_FOLDER).folders:
        for export in blobs.list_level(instance + "/").folders:
            yield export + "/"


def _segments(blobs: ReadableBlobs, root: str) -> set[str]:
    """Names that may be segments: of folders, of files."""
    level = blobs.list_level(root)
    folders = [folder.removeprefix(root) for folder in level.folders]
    names = {
        _segment_of(_stem(folder) or folder, parts=False)
        for folder in folders
        if not folder.startswith(CUSTOMER_INSIGHTS_FOLDER) and not why_no_delivery(folder)
    }
    return names | {_segment_of(stem, parts=True) for item in level.blobs if (stem := _stem_of(item, root))}


def _stem_of(item: BlobItem, root: str) -> str | None:
    name = item.name.removeprefix(root)
    return None if why_no_data(name) else _stem(name)


def _stem(name: str) -> str | None:
    data = read_data_name(name, any_suffix=False)
    return data.stem if data else None


def _segment_of(stem: str, *, parts: bool) -> str:
    """The name without version and, where it may have one, part."""
    fronts = [reading.before for reading in read_name(stem) if reading.before and (parts or not reading.part)]
    return min(fronts, key=len, default=stem)
