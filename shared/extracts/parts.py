"""The parts of one delivery, and deliveries beside each other, told apart by the names of files. Pure.

A name is the text in front, perhaps a version, perhaps the count of a part: `Seg_20261121_000000000002`. Names are
read in every way in which all of them are written alike. If two ways choose different files, nobody but the writer
knows which are meant.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from shared.extracts.versions import DAY_FIRST, MONTH_FIRST, PERIODS, Version, fits_order, read_date, read_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_GUID: Final = r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}"
_FAMILIES: Final = {
    "spark": re.compile(
        r"part-(?:[rm]-)?(?P<id>\d{1,6})(?P<job>-.+?)?(?:-\d+-\d+)?(?:[.-]c\d{3})?", re.IGNORECASE
    ),
    "of": re.compile(r"(?P<id>\d{1,7})[_-]of[_-](?P<total>\d{1,7})", re.IGNORECASE),
    "shard": re.compile(r"(?P<id>0{4}\d{8})"),
    "unload": re.compile(rf"(?:data_)?(?P<job>{_GUID}_)?(?P<id>\d{{1,4}}_\d{{1,4}}_\d{{1,4}})", re.IGNORECASE),
    "slice": re.compile(r"(?P<id>\d{4}_part_\d{2,4})"),
    "task": re.compile(r"(?P<id>\d{6}_\d{1,3})"),
    "guid": re.compile(rf"(?P<job>{_GUID})(?P<id>(?:[_-]\d{{1,6}}){{1,3}})", re.IGNORECASE),
    "count": re.compile(r"(?:(?:part|chunk|file|shard|split|p)[_. -]?)?(?P<id>\d{1,7})", re.IGNORECASE),
    "letters": re.compile(r"x?(?P<id>a[a-z]{0,3}|[b-z][a-z]?)"),
}
"""Spark and Hadoop; BigQuery, in two ways; Snowflake; Redshift; Hive; Synapse; ADF and CSV tools; split."""
_GLUED: Final = frozenset({"shard", "slice", "unload"})
"""Their writers put the count straight behind the text that is asked for."""
_GAPLESS: Final = frozenset({"shard", "of", "count", "letters"})
"""Their writers leave no number out: a gap is a file that is missing."""
_NEVER_A_NAME: Final = frozenset({"shard", "of"})
"""Families that nobody would take for the name of a single file."""
_SEPARATORS: Final = "._- "
_DATE: Final = re.compile(r"(?<!\d)\d{4}([-_.])\d\d\1\d\d(?!\d)")
"""A day written with its separators; no part begins in it, for nobody counts parts as 2026-12-01."""

type Shape = tuple[str, tuple[str, ...] | None, str | None, int]


@dataclass(frozen=True, kw_only=True)
class Part:
    """The count of a part."""

    family: str
    id: str
    job: str = ""
    """What the writer puts into all names of one write."""
    total: int | None = None

    @property
    def number(self) -> int:
        """Its count; only of families without gaps."""
        if self.family != "letters":
            return int(self.id)
        return sum((ord(letter) - ord("a")) * 26**place for place, letter in enumerate(reversed(self.id)))


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One way to read a name."""

    before: str
    """In front of version and part."""
    version: Version | None
    part: Part | None

    @property
    def shape(self) -> Shape:
        """Equal for names that are written alike."""
        family = self.part.family if self.part else None
        letters = len(self.part.id) if self.part and family == "letters" else 0
        return (self.before, self.version.form if self.version else None, family, letters)


def read_name(stem: str, *, before: str | None = None) -> list[Reading]:
    """Every way to read a name without suffixes; `before` is what must stand in front, if that is known."""
    readings = [
        Reading(before=front.rstrip(_SEPARATORS), version=version, part=part)
        for rest, part in _parts_of(stem)
        for front, version in _versions_of(rest)
    ]
    if before is not None:
        return [reading for reading in readings if reading.before == before]
    if any(reading.part and reading.part.family in _NEVER_A_NAME for reading in readings):
        return [reading for reading in readings if reading.part]
    return readings


def _parts_of(stem: str) -> Iterator[tuple[str, Part | None]]:
    """What stands in front of the count of a part, and the part; first the name without any."""
    yield stem, None
    dates = [range(*match.span()) for match in _DATE.finditer(stem) if read_date(match[0])]
    for start in range(len(stem)):
        if any(start in date for date in dates):
            continue
        glued = start > 0 and stem[start - 1] not in _SEPARATORS
        if glued and stem[start - 1].isdigit() == stem[start].isdigit():
            continue
        for family, pattern in _FAMILIES.items():
            match = pattern.fullmatch(stem, start)
            if match and (not glued or family in _GLUED):
                named = match.groupdict()
                total = int(named["total"]) if named.get("total") else None
                yield stem[:start], Part(family=family, id=match["id"], job=named.get("job") or "", total=total)


def _versions_of(text: str) -> Iterator[tuple[str, Version | None]]:
    """What stands in front of a version, and the version; first the text without any."""
    yield text, None
    bare = text.rstrip(_SEPARATORS)
    for start in range(len(bare)):
        if start and bare[start - 1] not in _SEPARATORS:
            continue
        numbers = [version for version in read_number(bare[start:]) if version.form[1]]
        for version in (*read_date(bare[start:]), *numbers):
            if not _is_part(version.run):
                yield bare[:start], version


def _is_part(text: str) -> bool:
    return any(pattern.fullmatch(text) for pattern in _FAMILIES.values())


# --- names beside each other --------------------------------------------------------------------------------


class AmbiguousNamesError(Exception):
    """Names leave several readings; the text says which, and goes on after "they"."""


@dataclass(frozen=True, kw_only=True)
class Delivery[T]:
    """Files that were delivered at one time."""

    version: Version | None
    items: tuple[T, ...]
    gap: str | None = None
    """Which file is missing, in words; None if none is known to be."""
    conflict: str | None = None
    """Why its files cannot all be of one delivery, in words that go on after "they"."""


def deliveries[T](
    names: Sequence[tuple[str, T]], *, before: str | None = None, order: str = "auto"
) -> list[Delivery[T]]:
    """The deliveries that files beside each other are, newest first.

    Args:
        names: stems, each with its file.
        before: what must stand in front of version and part, if that is known.
        order: `day_first` or `month_first` if that is declared.

    Raises AmbiguousNamesError.
    """
    readings = [(_by_shape(stem, before, order), item) for stem, item in names]
    shapes = sorted(set.intersection(*(set(found) for found, _ in readings)), key=repr)
    ways = [_group([(found[shape], item) for found, item in readings]) for shape in shapes]
    whole = [way for way in ways if not way[0].gap and not way[0].conflict]
    if not ways:
        raise AmbiguousNamesError("are not named alike")
    return _agreed(whole or ways)


def _by_shape(stem: str, before: str | None, order: str) -> dict[Shape, Reading]:
    return {
        reading.shape: reading
        for reading in read_name(stem, before=before)
        if reading.version is None or fits_order(reading.version, order)
    }


def _group[T](members: Sequence[tuple[Reading, T]]) -> list[Delivery[T]]:
    """The deliveries if names are read so, newest first."""
    groups: dict[Version | None, list[tuple[Part | None, T]]] = defaultdict(list)
    for reading, item in members:
        groups[reading.version].append((reading.part, item))
    found = [_delivery(version, group) for version, group in groups.items()]
    return in_order(found)


def in_order[T](found: Sequence[Delivery[T]]) -> list[Delivery[T]]:
    """Put deliveries whose versions have one form in order, newest first; two of one time are in conflict."""
    times = Counter(_time(delivery) for delivery in found)
    told = [
        replace(delivery, conflict="were delivered at one time") if times[_time(delivery)] > 1 else delivery
        for delivery in found
    ]
    return sorted(told, key=_time, reverse=True)


def _time(delivery: Delivery[object]) -> Any:  # noqa: ANN401 - a time or a number, of one kind in one form
    return delivery.version.key if delivery.version else 0


def _delivery[T](version: Version | None, members: Sequence[tuple[Part | None, T]]) -> Delivery[T]:
    parts = [part for part, _ in members if part]
    items = tuple(item for _, item in members)
    conflict = _conflict(parts, len(items))
    return Delivery(version=version, items=items, gap=None if conflict else _gap(parts), conflict=conflict)


def _conflict(parts: Sequence[Part], files: int) -> str | None:
    """Why files of these parts cannot be one delivery."""
    if files > 1 and len({part.id for part in parts}) < files:
        return "hold one part twice" if parts else "hold the same in several formats"
    if len({(part.job, part.total) for part in parts}) > 1:
        return "come from several writes"
    if parts and parts[0].family == "letters" and all(part.number for part in parts):
        return "are not named alike"
    return None


def _gap(parts: Sequence[Part]) -> str | None:
    """The first part that is missing."""
    if not parts or parts[0].family not in _GAPLESS:
        return None
    numbers = {part.number for part in parts}
    first = 0 if parts[0].family == "shard" else min(1, *numbers)
    total = parts[0].total
    last = max(numbers) if total is None else total - 1 + first
    missing = next((number for number in range(first, last + 1) if number not in numbers), None)
    return None if missing is None else f"part {missing} of {first} to {last} is missing"


def _agreed[T](ways: Sequence[list[Delivery[T]]]) -> list[Delivery[T]]:
    """The one way, or the first of several that choose the same files. Raises AmbiguousNamesError."""
    first = ways[0]
    kinds = {way[0].version.kind for way in ways if way[0].version}
    if len({frozenset(map(id, way[0].items)) for way in ways}) > 1:
        raise AmbiguousNamesError(f"may be {_told(ways[0])} or {_told(ways[1])}")
    if len(first) > 1 and {DAY_FIRST, MONTH_FIRST} <= kinds:
        raise AmbiguousNamesError("have dates in which day and month may be confused")
    if len(first) > 1 and kinds & PERIODS:
        raise AmbiguousNamesError("may be deliveries, or parts of one delivery by month or year")
    return first


def _told(way: Sequence[Delivery[object]]) -> str:
    newest = way[0]
    if newest.version is None:
        return f"{len(newest.items)} parts of one delivery"
    return f"{len(way)} deliveries by {newest.version.kind}"
