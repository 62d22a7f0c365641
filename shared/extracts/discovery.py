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
from shared.extracts.listed_layout import find_by_model
from shared.extracts.model_json import list_models, list_tables
from shared.extracts.names import read_data_name, why_no_data, why_no_delivery
from shared.extracts.parts import read_name
from shared.model.definitions import SourceOptions
from shared.model.reasons import Reason, ReasonCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.extracts.extract import Extract
    from shared.storage.interfaces import BlobItem, ReadableBlobs

CUSTOMER_INSIGHTS_FOLDER: Final = "CustomerInsights_"


def find_extract(
    blobs: ReadableBlobs, segment: str, *, prefix: str = "", source: SourceOptions | None = None
) -> Extract:
    """The newest complete extract of `segment`.

    Raises RunEndError when there is none or it is not certain which files it is, and ExtractIncompleteError.
    """
    options = source or SourceOptions()
    root = _folder(prefix)
    if options.layout is not None:
        found = find_by_layout(blobs, root, segment, options, options.layout)
        if found is None:
            raise _missing(blobs, root, segment, options)
        return found
    extracts = {root: extract for root in _roots(blobs, root) if (extract := _find(blobs, root, segment, options))}
    if len(extracts) > 1:
        advice = "Set EXTRACT_PREFIX to the folder that is meant."
        raise ambiguous(segment, "lie in several places", [_place(each) for each in extracts], advice=advice)
    if not extracts:
        raise _missing(blobs, root, segment, options)
    return next(iter(extracts.values()))


def _find(blobs: ReadableBlobs, root: str, segment: str, options: SourceOptions) -> Extract | None:
    return find_by_model(blobs, root, segment, options) or find_by_names(blobs, root, segment, options)


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


def list_extracts(blobs: ReadableBlobs, *, prefix: str = "") -> list[Listed]:
    """Every segment found, by name, with its newest extract or why that cannot be told.

    Raises RunEndError when a model.json beside the segments cannot be read.
    """
    names = {name for root in _roots(blobs, _folder(prefix)) for name in _segments(blobs, root)}
    found = (_list(blobs, name, prefix) for name in sorted(names))
    return [listed for listed in found if listed]


def _list(blobs: ReadableBlobs, segment: str, prefix: str) -> Listed | None:
    try:
        return Listed(segment=segment, extract=find_extract(blobs, segment, prefix=prefix), problem=None)
    except RunEndError as end:
        is_none = end.reason.code in {ReasonCode.EXTRACT_MISSING, ReasonCode.EXTRACT_UNSUPPORTED}
        return None if is_none else Listed(segment=segment, extract=None, problem=end.reason)


def _folder(prefix: str) -> str:
    return prefix if not prefix or prefix.endswith("/") else prefix + "/"


def _roots(blobs: ReadableBlobs, prefix: str) -> Iterator[str]:
    """The prefix, and the folders that Customer Insights makes below it for its exports."""
    yield prefix
    for instance in blobs.list_level(prefix + CUSTOMER_INSIGHTS_FOLDER).folders:
        for export in blobs.list_level(instance + "/").folders:
            yield export + "/"


def _segments(blobs: ReadableBlobs, root: str) -> set[str]:
    """Names that may be segments: of a model, of folders, of files."""
    level = blobs.list_level(root)
    names = {name for model in list_models(blobs, root) for name in list_tables(blobs, model)}
    folders = [folder.removeprefix(root) for folder in level.folders]
    names |= {
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
