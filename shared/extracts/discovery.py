"""Which files are the extract of a segment. Decided from names, markers and ETags alone.

Three layouts are known, tried in this order:

1. A `model.json` (Common Data Model, what Customer Insights writes), in any case, below the prefix, below
   `CustomerInsights_*/{export}/`, or in the segment's own folder. Its files count if all of them are there.
2. A folder named after the segment: the newest of its dated or numbered sub-folders, however deep
   (`2026/11/21/0630`, `2026-11-21`, `v12`), or else the files in it.
3. Files beside each other, named after the segment: `Name.csv`, partitions `Name_1.csv`, `Name_2.csv`, or one
   file per delivery, `Name_20261121.csv`, `Export_Name_1613059542.csv` (eight digits or more are a date).

Delta and Iceberg tables are refused: their folders hold rows that were deleted, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from shared.errors import RunEndError
from shared.extracts.model_json import MODEL_NAME, ModelFile, list_models
from shared.model.definitions import SourceOptions
from shared.model.reasons import ReasonCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from shared.storage.interfaces import BlobItem, Blobs

DATA_SUFFIXES: Final = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet")
PACKED_SUFFIXES: Final = (".gz", ".zst")
VERSION_FOLDER: Final = re.compile(r"(?:\w*[=_-]|v)?\d[\dTZ:._-]*")
DATE_PART_FOLDER: Final = re.compile(r"(?:\w+=)?(?:\d{2}){1,3}")
"""Below a version folder only a part of its date goes on: month, day, hour, time."""
DELIVERY_DIGITS: Final = 8
"""A number in a file's name with so many digits is a date; with fewer it counts partitions."""
CUSTOMER_INSIGHTS_FOLDER: Final = "CustomerInsights_"


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
    """The delivery's own name, such as its dated folder."""
    delivered_at: datetime
    """When its last file was written."""
    files: tuple[ExtractFile, ...]
    """By name."""
    columns: tuple[str, ...] | None
    """Declared by model.json or by the export; None means that the files say."""

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(file.size for file in self.files)

    @property
    def identity(self) -> str:
        """Equal for equal content: names and ETags of the files."""
        return "\n".join(f"{file.name} {file.etag}" for file in self.files)


def find_extract(blobs: Blobs, segment: str, *, prefix: str = "", source: SourceOptions | None = None) -> Extract:
    """The newest complete extract of `segment`. Raises RunEndError when there is none."""
    options = source or SourceOptions()
    for root in _roots(blobs, _folder(prefix)):
        found = (
            _from_model(blobs, root, segment, options)
            or _from_folder(blobs, root, segment, options)
            or _from_siblings(blobs, root, segment, options)
        )
        if found:
            return found
    marker = f" with the marker {options.success_marker}" if options.success_marker else ""
    raise RunEndError(
        ReasonCode.EXTRACT_MISSING,
        f"No files{marker} of the segment {segment} were found below {prefix or 'the container'}.",
    )


def list_extracts(blobs: Blobs, *, prefix: str = "") -> list[Extract]:
    """The newest extract of every segment found, by name; columns only where a model.json declares them."""
    found: dict[str, Extract] = {}
    for root in _roots(blobs, _folder(prefix)):
        for segment in _segments(blobs, root):
            if segment not in found:
                try:
                    found[segment] = find_extract(blobs, segment, prefix=root)
                except RunEndError:
                    continue
    return [found[segment] for segment in sorted(found)]


def _folder(prefix: str) -> str:
    return prefix if not prefix or prefix.endswith("/") else prefix + "/"


def _roots(blobs: Blobs, prefix: str) -> Iterator[str]:
    """The prefix, and the folders that Customer Insights makes below it for its exports."""
    yield prefix
    for instance in blobs.list_folders(prefix):
        if instance.startswith(CUSTOMER_INSIGHTS_FOLDER):
            for export in blobs.list_folders(f"{prefix}{instance}/"):
                yield f"{prefix}{instance}/{export}/"


def _segments(blobs: Blobs, root: str) -> set[str]:
    """Names that may be segments: of a model, of folders, of files."""
    names = {name for model in list_models(blobs, root) for name in model.tables}
    names |= {
        folder
        for folder in blobs.list_folders(root)
        if not folder.startswith((CUSTOMER_INSIGHTS_FOLDER, "_", "."))
    }
    for item in _direct(blobs.list_blobs(root), root):
        if _is_data(item.name, SourceOptions()):
            names.add(re.sub(r"[._-]\d+$", "", _stem(item.name)))
    return names


# --- model.json ---------------------------------------------------------------------------------------------


def _from_model(blobs: Blobs, root: str, segment: str, options: SourceOptions) -> Extract | None:
    for folder in (root, f"{root}{segment}/"):
        for model in list_models(blobs, folder):
            table = model.table(segment, alone=folder != root)
            if table is None:
                continue
            declared = _merged(options, table.source)
            pinned = [_pin(blobs, file, options) for file in table.files]
            files = [file for file in pinned if file]
            if files and len(files) == len(pinned):
                return _extract(segment, files, _model_version([item for item, _ in files], root), declared)
            return _from_folder(blobs, root, segment, declared)
    return None


def _pin(blobs: Blobs, file: ModelFile, options: SourceOptions) -> tuple[BlobItem, SourceOptions] | None:
    for name in file.candidates:
        for item in blobs.list_blobs(name):
            if item.name == name:
                return item, _merged(options, file.source)
            break
    return None


def _merged(asked: SourceOptions, declared: SourceOptions) -> SourceOptions:
    """What the export asks for, completed by what the model declares."""
    return declared.model_copy(update=asked.model_dump(exclude_defaults=True))


def _model_version(items: list[BlobItem], root: str) -> str:
    """The dated folder that the files lie in, if they do."""
    folder = items[0].name.removeprefix(root).rpartition("/")[0]
    dated = re.search(r"(?:^|/)(\d[\d/TZ:._-]*)$", folder)
    return dated[1] if dated else _newest(items)


# --- folders and files --------------------------------------------------------------------------------------


def _from_folder(blobs: Blobs, root: str, segment: str, options: SourceOptions) -> Extract | None:
    home = f"{root}{segment}/"
    folders = set(blobs.list_folders(home))
    if "_delta_log" in folders or {"metadata", "data"} <= folders:
        raise _unsupported(home)
    for folder in _newest_first(blobs, home, VERSION_FOLDER):
        if items := _data_files(blobs.list_blobs(folder), options):
            version = folder.removeprefix(home).strip("/") or _newest(items)
            return _extract(segment, [(item, options) for item in items], version, options)
    return None


def _newest_first(blobs: Blobs, folder: str, pattern: re.Pattern[str]) -> Iterator[str]:
    """Version folders below `folder`, newest first, innermost only; `folder` itself when it has none."""
    versions = [name for name in blobs.list_folders(folder) if pattern.fullmatch(name)]
    for name in sorted(versions, key=_by_numbers, reverse=True):
        yield from _newest_first(blobs, f"{folder}{name}/", DATE_PART_FOLDER)
    if not versions:
        yield folder


def _data_files(items: Iterable[BlobItem], options: SourceOptions) -> list[BlobItem]:
    """The data files among `items`; none when the marker that was asked for is not with them."""
    listed = list(items)
    marker = options.success_marker
    if marker and not any(item.name.rpartition("/")[2] == marker for item in listed):
        return []
    return [item for item in listed if _is_data(item.name, options)]


def _from_siblings(blobs: Blobs, root: str, segment: str, options: SourceOptions) -> Extract | None:
    own_name = re.compile(rf"(?:.*_)?{re.escape(segment)}(?:[._-](?P<number>\d[\dTZ_-]*))?")
    for listing in (blobs.list_blobs(root + segment), blobs.list_blobs(root)):
        deliveries: dict[str, list[BlobItem]] = {}
        for item in _direct(listing, root):
            if _is_data(item.name, options) and (match := own_name.fullmatch(_stem(item.name))):
                number = match["number"] or ""
                dated = sum(map(str.isdigit, number)) >= DELIVERY_DIGITS
                deliveries.setdefault(number if dated else "", []).append(item)
        if deliveries:
            version = max(deliveries, key=_by_numbers)
            items = deliveries[version]
            return _extract(segment, [(item, options) for item in items], version or _newest(items), options)
    return None


def _newest(items: Iterable[BlobItem]) -> str:
    """Name of a delivery that has none: the time of its last file."""
    return f"{max(item.modified for item in items):%Y-%m-%dT%H:%M:%SZ}"


def _extract(
    segment: str, files: list[tuple[BlobItem, SourceOptions]], version: str, declared: SourceOptions
) -> Extract:
    return Extract(
        segment=segment,
        version=version,
        delivered_at=max(item.modified for item, _ in files),
        files=tuple(
            ExtractFile(name=item.name, size=item.size, etag=item.etag, source=source)
            for item, source in sorted(files, key=lambda file: file[0].name)
        ),
        columns=declared.columns or None,
    )


def _direct(items: Iterable[BlobItem], folder: str) -> Iterator[BlobItem]:
    """Those of `items` that lie in `folder` itself."""
    return (item for item in items if "/" not in item.name[len(folder) :])


def _is_data(name: str, options: SourceOptions) -> bool:
    """Whether a file holds rows: visible, and with a suffix we know or a format that the export declares."""
    base = name.rpartition("/")[2].casefold()
    if base.startswith(("_", ".")) or base == MODEL_NAME:
        return False
    return _unpacked(base).endswith(DATA_SUFFIXES) or options.format != "auto"


def _unpacked(name: str) -> str:
    for suffix in PACKED_SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def _stem(name: str) -> str:
    """The file's name without folders and suffixes."""
    base = _unpacked(name.rpartition("/")[2])
    stem, dot, suffix = base.rpartition(".")
    return stem if dot and f".{suffix.casefold()}" in DATA_SUFFIXES else base


def _by_numbers(name: str) -> tuple[int, ...]:
    """Sort key under which later dates and higher numbers come last."""
    return tuple(int(number) for number in re.findall(r"\d+", name))


def _unsupported(folder: str) -> RunEndError:
    message = f"{folder} is a Delta or Iceberg table; only plain CSV, JSON lines and Parquet files are read."
    return RunEndError(ReasonCode.EXTRACT_UNSUPPORTED, message)
