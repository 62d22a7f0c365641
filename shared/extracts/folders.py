"""Folders beside each other, told apart by their names: versions, partitions of one delivery, and others. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.extracts.versions import DAY_FIRST, MONTH_FIRST, Version, fits_order, read_below_version, read_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DATE_KEYS: Final = re.compile(
    r"(?:(?:as_?of|batch|delivery|export|extract|ingest|ingestion|load|process|processing|run|snapshot|update)_?)?"
    r"(?:date|day|dt|ts)|as_?of|ds|hour|month|snapshot|updated|week|yyyymmdd",
    re.IGNORECASE,
)
"""Names of partitions that tell deliveries apart, if their values are dates."""
COUNT_KEYS: Final = re.compile(
    r"(?:batch|delivery|export|extract|load|run|snapshot)(?:_?id)?|version", re.IGNORECASE
)
"""Names of partitions that tell deliveries apart, if their values are dates or numbers."""
BELOW_YEAR: Final = re.compile(r"month|day|hour|week", re.IGNORECASE)
"""Names of partitions that go on with the date of a version above."""
NO_WHOLE_DATE: Final = frozenset({"number", "year", "month"})
YEAR_OR_MONTH: Final = re.compile(r"(?:year|month)=.*", re.IGNORECASE)
PARTITION: Final = re.compile(r"(?P<key>[A-Za-z_][\w.-]*)=(?P<value>.*)")
COUNT: Final = re.compile(r"\d{1,7}")
DATED: Final = re.compile(r"\d{4}")


class AmbiguousFoldersError(Exception):
    """Names of folders leave several readings; the message is a part of a sentence about what lies in them."""

    def __init__(self, why: str, names: Iterable[str], *, advice: str = "") -> None:
        """`names` are those that leave the readings, `advice` is what decides between them."""
        super().__init__(why)
        self.names = tuple(names)
        self.advice = advice


@dataclass(frozen=True, kw_only=True)
class Folders:
    """Folders by what they are."""

    versions: Mapping[str, Sequence[Version]]
    """Each with every way to read it."""
    partitions: Sequence[str]
    others: Sequence[str]


def sort_out(names: Sequence[str], *, order: str, below: bool) -> Folders:
    """What each folder is; `order` is `source.date_order`, `below` whether they lie in a version.

    Raises AmbiguousFoldersError when they are of several kinds.
    """
    versions: dict[str, list[Version]] = {}
    partitions, others = [], []
    for name in names:
        match = PARTITION.fullmatch(name)
        found = (read_below_version if below else read_version)(match["value"] if match else name)
        readings = [version for version in found if fits_order(version, order)]
        if match and not _tells_deliveries_apart(match["key"], readings, below=below):
            partitions.append(name)
        elif readings:
            versions[name] = readings
        else:
            others.append(name)
    _refuse_mixtures(list(versions), partitions, others)
    return Folders(versions=versions, partitions=partitions, others=others)


def newest_first(versions: Mapping[str, Sequence[Version]], *, below: bool) -> list[str]:
    """Names of version folders in order. Raises AmbiguousFoldersError when it is not certain."""
    if not versions:
        return []
    if not below and _are_counted(versions):
        raise AmbiguousFoldersError("may be versions, or parts of one delivery", versions)
    forms = set.intersection(*({each.form for each in readings} for readings in versions.values()))
    if not forms:
        raise AmbiguousFoldersError("lie in versions not named alike", versions)
    if len(versions) > 1 and {DAY_FIRST, MONTH_FIRST} <= {form[0] for form in forms}:
        why = "lie in folders whose day and month may be confused"
        raise AmbiguousFoldersError(why, versions, advice="Declare source.date_order.")
    orders = {tuple(_ordered_by(versions, form)) for form in sorted(forms)}
    if len(orders) > 1:
        raise AmbiguousFoldersError("lie in versions whose order is not certain", versions)
    return list(orders.pop())


def is_year_or_month(name: str) -> bool:
    """Whether a folder is a partition by year or month, which a delivery may span as well."""
    return YEAR_OR_MONTH.fullmatch(name) is not None


def _refuse_mixtures(versions: Sequence[str], partitions: Sequence[str], others: Sequence[str]) -> None:
    keys = {match["key"] if match else "" for match in map(PARTITION.fullmatch, (*versions, *partitions))}
    if (partitions and versions) or len(keys) > 1:
        raise AmbiguousFoldersError("lie in folders of several kinds", (*versions, *partitions))
    dated = [name for name in others if DATED.search(name)]
    if versions and dated:
        raise AmbiguousFoldersError("lie in folders not named alike", (dated[0], versions[0]))
    matches = [match for match in map(PARTITION.fullmatch, partitions) if match]
    dated_keys = any(DATE_KEYS.fullmatch(match["key"]) for match in matches)
    if len(matches) > 1 and (dated_keys or all(_is_date(match["value"]) for match in matches)):
        raise AmbiguousFoldersError("may be deliveries, or partitions of one", partitions)


def _tells_deliveries_apart(key: str, readings: Sequence[Version], *, below: bool) -> bool:
    """Whether folders `key=…` with such a value are versions, and not partitions of one delivery."""
    kinds = {version.kind for version in readings}
    if below and BELOW_YEAR.fullmatch(key):
        return bool(kinds)
    if COUNT_KEYS.fullmatch(key):
        return bool(kinds)
    return (key.casefold() == "year" and "year" in kinds) or (
        DATE_KEYS.fullmatch(key) is not None and bool(kinds - NO_WHOLE_DATE)
    )


def _are_counted(names: Iterable[str]) -> bool:
    """Whether folders are numbered from 0 or 1 without a gap, as parts are."""
    listed = list(names)
    numbers = sorted(int(name) for name in listed if COUNT.fullmatch(name))
    return (
        len(numbers) == len(listed) > 1 and numbers[0] <= 1 and numbers == list(range(numbers[0], numbers[-1] + 1))
    )


def _ordered_by(versions: Mapping[str, Sequence[Version]], form: tuple[str, ...]) -> list[str]:
    keys = {name: next(each.key for each in found if each.form == form) for name, found in versions.items()}
    ordered = sorted(keys, key=keys.__getitem__, reverse=True)
    if len(ordered) > 1 and keys[ordered[0]] == keys[ordered[1]]:
        raise AmbiguousFoldersError("lie in two versions of one time", ordered[:2])
    return ordered


def _is_date(text: str) -> bool:
    return any(version.kind not in {"number", "year"} for version in read_version(text))
