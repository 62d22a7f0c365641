"""The extract of a segment, found out from the names of files and folders that common writers give.

docs/extracts.md has the grammar in words; tests/unit/shared/extracts holds the two together. Names alone decide,
from the newest delivery back, and no folder is opened that need not be.
"""

from __future__ import annotations

import itertools
import os.path
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from shared.errors import RunEndError
from shared.extracts.extract import ExtractIncompleteError, ambiguous, make_extract
from shared.extracts.folders import AmbiguousFoldersError, is_year_or_month, newest_first, sort_out
from shared.extracts.names import read_data_name, why_no_data, why_no_delivery
from shared.extracts.parts import AmbiguousNamesError, Delivery, deliveries, read_name
from shared.model.reason_codes import ReasonCode
from shared.model.runs import PassedOver

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shared.extracts.extract import Extract
    from shared.extracts.folders import Folders
    from shared.extracts.names import DataName
    from shared.extracts.versions import Version
    from shared.model.definitions import SourceOptions
    from shared.storage.interfaces import BlobItem, Level, ReadableBlobs

COMMITTED: Final = "_SUCCESS"
"""What Hadoop and Spark leave when all parts are there."""
TEMPORARY: Final = "_temporary"
"""Where they keep parts that are not yet committed."""
STARTED: Final = re.compile(r"_started_(?P<id>.+)")
"""What Databricks leaves at the begin of a write; `_committed_` with the same id follows at its end."""
OLDER_SHOWN: Final = 5
"""So many older deliveries are named as passed over, or looked at when the newest is not complete."""
LOOKED_AT: Final = 1000
"""So many names are looked at to see whether a folder holds data at all."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Files that may be the extract."""

    version: tuple[str, ...]
    """Names of the folders and the part of the file's name that tell deliveries apart."""
    items: tuple[BlobItem, ...]
    problem: str | None
    """Why it is not complete, as a part of a sentence."""
    committed: bool
    """Whether the writer has left word that it is complete."""
    older: tuple[str, ...] = ()
    """Files and folders of deliveries before it, as far as they are known, newest first."""

    @property
    def place(self) -> str:
        """The file, or the folder of the files."""
        names = [item.name for item in self.items]
        common = os.path.commonprefix(names)  # noqa: RUF071 - cut to whole folders below
        return names[0] if len(names) == 1 else common.rpartition("/")[0] + "/"


def find_by_names(blobs: ReadableBlobs, root: str, segment: str, options: SourceOptions) -> Extract | None:
    """The newest complete extract of `segment` below `root`; None when nothing there is named after it.

    Raises RunEndError when the names leave several readings, and ExtractIncompleteError.
    """
    return _Search(blobs=blobs, root=root, segment=segment, options=options).find()


def deliveries_in(blobs: ReadableBlobs, folder: str, options: SourceOptions) -> Iterator[Candidate]:
    """The deliveries in a folder, newest first. Raises RunEndError when the names leave several readings."""
    name = folder.rstrip("/").rpartition("/")[2]
    return _Search(blobs=blobs, root="", segment=name, options=options).read_folder(folder, version=())


@dataclass(kw_only=True)
class _Search:
    blobs: ReadableBlobs
    root: str
    segment: str
    options: SourceOptions
    passed_over: list[PassedOver] = field(default_factory=list)

    def find(self) -> Extract | None:
        level = self.blobs.list_level(self.root + self.segment)
        ways = [
            found
            for found in map(
                _begun, (self._in_own_folder(level), self._in_named_folders(level), self._beside(level))
            )
            if found
        ]
        if len(ways) > 1:
            raise self._ambiguous("lie in several places", [first.items[0].name for first, _ in ways])
        return self._choose(*ways[0]) if ways else None

    # --- the three places -----------------------------------------------------------------------------------

    def _in_own_folder(self, level: Level) -> Iterator[Candidate]:
        """What lies in the folder that has the segment's name."""
        home = self.root + self.segment
        if home in level.folders:
            yield from self.read_folder(home + "/", version=())

    def _in_named_folders(self, level: Level) -> Iterator[Candidate]:
        """What lies in folders named after the segment like a file, or with a version: `Seg.csv/`, `Seg_v2/`."""
        named = [(stem, folder) for folder in level.folders if (stem := self._stem_of_folder(folder)) is not None]
        for delivery in self._told_apart(named, versions_only=True):
            (folder,) = delivery.items
            version = (delivery.version.text,) if delivery.version else ()
            yield from self.read_folder(folder + "/", version=version)

    def _stem_of_folder(self, folder: str) -> str | None:
        name = folder.removeprefix(self.root)
        data = read_data_name(name, any_suffix=False)
        stem = data.stem if data else name
        if name == self.segment or why_no_delivery(name):
            return None
        readings = [each for each in read_name(stem, before=self.segment) if each.part is None]
        return stem if any(each.version or data for each in readings) else None

    def _beside(self, level: Level) -> Iterator[Candidate]:
        """Files beside those of other segments."""
        files = [
            (data, item)
            for data, item in self._data(level, prefix=self.root)
            if read_name(data.stem, before=self.segment)
        ]
        if files:
            marked = self.blobs.list_level(self.root + self._marker).blobs
            committed = any(item.name == self.root + self._marker for item in marked)
            yield from self._deliveries(files, before=self.segment, version=(), committed=committed, level=level)

    # --- folders --------------------------------------------------------------------------------------------

    def read_folder(self, path: str, *, version: tuple[str, ...], committed: bool = False) -> Iterator[Candidate]:
        """The deliveries in a folder, newest first."""
        level = self.blobs.list_level(path)
        names = [folder.removeprefix(path) for folder in level.folders]
        _refuse_tables(path, names)
        kept = [name for name in names if not self._passes_over(path + name + "/", why_no_delivery(name))]
        folders = self._sorted_out(path, kept, below=bool(version))
        files = self._data(level, prefix=path)
        committed = committed or any(item.name == path + self._marker for item in level.blobs)
        ways = [
            found
            for found in map(
                _begun,
                (
                    self._deliveries(files, before=None, version=version, committed=committed, level=level),
                    self._in_versions(path, folders.versions, version=version),
                    self._in_partitions(path, folders.partitions, version=version, committed=committed),
                ),
            )
            if found
        ]
        if len(ways) > 1:
            raise self._ambiguous("lie beside folders with others", [first.items[0].name for first, _ in ways])
        if not ways and folders.others and self._hold_data(path, folders.others):
            raise self._ambiguous(
                "lie in folders that are no versions", [path + name + "/" for name in folders.others]
            )
        for name in folders.others:
            self._pass_over(path + name + "/", "is named neither like a version nor like a partition")
        if ways:
            yield from itertools.chain([ways[0][0]], ways[0][1])

    def _sorted_out(self, path: str, names: Sequence[str], *, below: bool) -> Folders:
        try:
            return sort_out(names, order=self.options.date_order, below=below)
        except AmbiguousFoldersError as error:
            raise self._ambiguous_folders(path, error) from None

    def _in_versions(
        self, path: str, versions: Mapping[str, Sequence[Version]], *, version: tuple[str, ...]
    ) -> Iterator[Candidate]:
        """What lies in the newest version, then in the one before, and so on."""
        try:
            ordered = [f"{path}{name}/" for name in newest_first(versions, below=bool(version))]
        except AmbiguousFoldersError as error:
            raise self._ambiguous_folders(path, error) from None
        for number, folder in enumerate(ordered, 1):
            name = folder[len(path) : -1]
            is_empty = True
            for candidate in self.read_folder(folder, version=(*version, name)):
                is_empty = False
                if len(ordered) > 1 and is_year_or_month(candidate.version[-1]):
                    raise self._ambiguous("may be deliveries, or partitions by year or month", ordered)
                yield replace(candidate, older=(*candidate.older, *ordered[number:])[: OLDER_SHOWN + 1])
            if is_empty:
                self._pass_over(folder, "holds no file of a delivery")

    def _in_partitions(
        self, path: str, partitions: Sequence[str], *, version: tuple[str, ...], committed: bool
    ) -> Iterator[Candidate]:
        """What all partitions hold together."""
        found = [
            first
            for name in partitions
            if (first := next(self.read_folder(f"{path}{name}/", version=version, committed=committed), None))
        ]
        if not found:
            return
        if len({each.version for each in found}) > 1:
            raise self._ambiguous(
                "lie in partitions of different versions", [each.items[0].name for each in found]
            )
        yield Candidate(
            version=found[0].version,
            items=tuple(item for each in found for item in each.items),
            problem=next((each.problem for each in found if each.problem), None),
            committed=committed or all(each.committed for each in found),
        )

    # --- files ----------------------------------------------------------------------------------------------

    def _data(self, level: Level, *, prefix: str) -> list[tuple[DataName, BlobItem]]:
        """The files with data directly in a folder."""
        found = []
        for item in level.blobs:
            name = item.name.removeprefix(prefix)
            if (not item.size and item.name in level.folders) or self._passes_over(item.name, why_no_data(name)):
                continue
            data = read_data_name(name, any_suffix=self.options.format != "auto")
            if data is None:
                self._pass_over(item.name, "has no suffix of a format that is read")
            else:
                found.append((data, item))
        return found

    def _deliveries(
        self,
        files: Sequence[tuple[DataName, BlobItem]],
        *,
        before: str | None,
        version: tuple[str, ...],
        committed: bool,
        level: Level,
    ) -> Iterator[Candidate]:
        """The deliveries that files beside each other are, newest first."""
        named = [(data.stem, item) for data, item in files]
        found = list(self._told_apart(named, before=before))
        for number, delivery in enumerate(found, 1):
            own = (delivery.version.text,) if delivery.version and not version else ()
            older = [item.name for each in found[number:] for item in each.items]
            yield Candidate(
                version=(*version, *own),
                items=delivery.items,
                problem=delivery.gap or _unfinished(level),
                committed=committed,
                older=tuple(older[: OLDER_SHOWN + 1]),
            )

    def _told_apart[T: (BlobItem, str)](
        self, named: Sequence[tuple[str, T]], *, before: str | None = None, versions_only: bool = False
    ) -> Iterator[Delivery[T]]:
        if not named:
            return
        try:
            found = deliveries(
                named, before=self.segment if versions_only else before, order=self.options.date_order
            )
        except AmbiguousNamesError as error:
            raise self._ambiguous(str(error), [_name(item) for _, item in named]) from None
        for delivery in found:
            if delivery.conflict or (versions_only and len(delivery.items) > 1):
                why = delivery.conflict or "are several folders of one version"
                raise self._ambiguous(why, [_name(item) for item in delivery.items])
            yield delivery

    # --- which one ------------------------------------------------------------------------------------------

    def _choose(self, newest: Candidate, rest: Iterator[Candidate]) -> Extract:
        """The newest delivery if it is complete, or else the newest that is. Raises ExtractIncompleteError."""
        try:
            following = next(rest, None)
        except RunEndError:  # whatever is uncertain about older deliveries does not touch this one
            following, rest = None, iter(())
        problem = self._problem(newest, following)
        if problem is None:
            return self._extract(newest)
        sentence = f"The newest delivery of {self.segment}, {newest.place}, is not complete: {problem}."
        self._pass_over(newest.place, f"is not complete: {problem}")
        before = itertools.chain([following] if following else [], rest)
        for candidate in itertools.islice(before, OLDER_SHOWN):
            if self._problem(candidate, None) is None:
                return self._extract(candidate, incomplete=sentence)
        raise ExtractIncompleteError(f"{sentence} No earlier one that is complete was found.")

    def _problem(self, candidate: Candidate, before: Candidate | None) -> str | None:
        """Why a delivery is not complete, beside the one before it; None if nothing says so."""
        if candidate.problem or candidate.committed:
            return candidate.problem
        if self.options.success_marker:
            return f"the marker {self._marker} is missing"
        if before and before.committed and before.version != candidate.version:
            return f"{self._marker} is missing, and the delivery before it has one"
        return None

    def _extract(self, candidate: Candidate, *, incomplete: str | None = None) -> Extract:
        for place in candidate.older[:OLDER_SHOWN]:
            self._pass_over(place, "is older than what is read")
        return make_extract(
            self.segment,
            [(item, self.options) for item in candidate.items],
            version="/".join(candidate.version),
            declared=self.options,
            passed_over=self.passed_over,
            incomplete=incomplete,
        )

    @property
    def _marker(self) -> str:
        return self.options.success_marker or COMMITTED

    # --- words ----------------------------------------------------------------------------------------------

    def _hold_data(self, path: str, folders: Sequence[str]) -> bool:
        """Whether a file with data lies somewhere in these folders."""
        for name in folders:
            for item in itertools.islice(self.blobs.list_blobs(f"{path}{name}/"), LOOKED_AT):
                base = item.name.rpartition("/")[2]
                if not item.is_folder and not why_no_data(base) and read_data_name(base, any_suffix=False):
                    return True
        return False

    def _passes_over(self, name: str, why: str | None) -> bool:
        if why:
            self._pass_over(name, why)
        return why is not None

    def _pass_over(self, name: str, why: str) -> None:
        self.passed_over.append(PassedOver(name=name, why=why))

    def _ambiguous(self, why: str, candidates: Sequence[str]) -> RunEndError:
        return ambiguous(self.segment, why, candidates)

    def _ambiguous_folders(self, path: str, error: AmbiguousFoldersError) -> RunEndError:
        names = [path + name for name in error.names]
        return ambiguous(self.segment, str(error), names, advice=error.advice)


def _begun[T](found: Iterator[T]) -> tuple[T, Iterator[T]] | None:
    """The first of several and the rest; None if there is none."""
    first = next(found, None)
    return None if first is None else (first, found)


def _unfinished(level: Level) -> str | None:
    """What says that files directly in a folder are still being written."""
    names = {item.name.rpartition("/")[2] for item in level.blobs}
    folders = {folder.rpartition("/")[2] for folder in level.folders}
    if TEMPORARY in folders and COMMITTED not in names:
        return f"{TEMPORARY} is there and {COMMITTED} is not"
    for name in sorted(names):
        started = STARTED.fullmatch(name)
        if started and f"_committed_{started['id']}" not in names:
            return f"{name} has no _committed_{started['id']}"
    return None


def _name(item: BlobItem | str) -> str:
    return item if isinstance(item, str) else item.name


def _refuse_tables(path: str, folders: Sequence[str]) -> None:
    """Raise RunEndError for Delta and Iceberg tables: their folders hold rows that were deleted, too."""
    if "_delta_log" in folders or {"metadata", "data"} <= set(folders):
        message = f"{path} is a Delta or Iceberg table; only plain CSV, JSON lines and Parquet files are read."
        raise RunEndError(ReasonCode.EXTRACT_UNSUPPORTED, message)
