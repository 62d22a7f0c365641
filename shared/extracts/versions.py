"""When a delivery was made, as the name of its folder or file says. Pure.

A name is read in every way in which it is a date, a week, a month, a year or a counting number. Names are put in
order only in a way that reads all of them. Times at which blobs were written have no say: copying changes them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

YEARS: Final = range(1980, 2100)
"""Four digits outside of these are no year."""
EPOCH_SECONDS: Final = range(315_532_800, 1_980_000_000)
"""1980 to 2032 in seconds since 1970; what is greater is a date and an hour."""
_TIME: Final = (
    r"(?:[T_ -]?(?P<h>[01]\d|2[0-3])(?P<ts>[:._-]?)(?P<mi>[0-5]\d)"
    r"(?:(?P=ts)(?P<s>[0-5]\d)(?:[.,](?P<f>\d{1,9})|(?P<ms>\d{3}))?)?"
    r"(?P<off>Z|[+-](?:0\d|1[0-4])(?:[:_-]?[0-5]\d)?)?"
    r"|[T -](?P<hh>[01]\d|2[0-3]))?"
)
_RUN: Final = r"(?:[._-](?P<run>[0-9A-Za-z][0-9A-Za-z-]*))?"
"""What tells deliveries of one time apart, such as the id of a run."""
DAY_FIRST: Final = "day first"
MONTH_FIRST: Final = "month first"
_FORMS: Final = {
    "date": re.compile(rf"(?P<y>\d{{4}})(?P<sep>[-_.]?)(?P<m>\d\d)(?P=sep)(?P<d>\d\d){_TIME}{_RUN}"),
    "hour": re.compile(r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)(?P<h>[01]\d|2[0-3])"),
    DAY_FIRST: re.compile(rf"(?P<d>\d\d?)(?P<sep>[-_.])(?P<m>\d\d?)(?P=sep)(?P<y>\d{{4}}){_TIME}{_RUN}"),
    MONTH_FIRST: re.compile(rf"(?P<m>\d\d?)(?P<sep>[-_.])(?P<d>\d\d?)(?P=sep)(?P<y>\d{{4}}){_TIME}{_RUN}"),
    "week": re.compile(rf"(?P<y>\d{{4}})(?P<sep>[-_]?)W(?P<w>\d\d)(?:(?P=sep)(?P<wd>[1-7]))?{_RUN}"),
    "month": re.compile(r"(?P<y>\d{4})(?P<sep>[-_.]?)(?P<m>\d\d)"),
    "year": re.compile(r"(?P<y>\d{4})"),
    "seconds": re.compile(r"(?P<n>\d{9,10})"),
    "milliseconds": re.compile(r"(?P<n>\d{12,13})"),
}
PERIODS: Final = frozenset({"month", "year"})
"""Kinds that in the names of files may be a part of the data as well as the time of a delivery."""
_BEFORE: Final = re.compile(r"(?:[^\W\d](?:[\w .=-]*[=_. -]|[A-Za-z]*))?")
_NUMBER: Final = re.compile(
    r"(?P<before>(?:v|ver|version|rev|r|run|build|batch|delivery)[._-]?)?(?P<n>\d{1,18})", re.IGNORECASE
)
_BELOW: Final = re.compile(r"(?P<before>[A-Za-z_]+=)?(?P<n>\d{1,2}(?P<ts>[-:._]?)(?:\d\d)?(?:(?P=ts)\d\d)?)Z?")
_DEFAULTS: Final = {"y": 0, "m": 1, "d": 1, "w": 1, "wd": 1, "h": 0, "mi": 0, "s": 0}


@dataclass(frozen=True, kw_only=True)
class Version:
    """One way to read a name as a version."""

    form: tuple[str, ...]
    """Its kind, the text in front of it, and how it is written. Versions of one form are in order."""
    key: datetime | int
    """Greater for a later version of the form."""
    text: str
    """As it is written."""
    run: str = ""
    """What tells it from others of the same time."""

    @property
    def kind(self) -> str:
        """What it is, such as `date`, `day first`, `week` or `number`."""
        return self.form[0]


def fits_order(version: Version, order: str) -> bool:
    """Whether a date is not written the other way round than is declared: `day_first`, `month_first` or `auto`."""
    return version.kind != {"day_first": MONTH_FIRST, "month_first": DAY_FIRST}.get(order)


def read_version(text: str) -> list[Version]:
    """Every way to read `text` as a version; none if it is none."""
    dates = [version for before, core in _splits(text) for version in read_date(core, before=before)]
    return dates or read_number(text)


def read_number(text: str) -> list[Version]:
    """`text` as a counting number, such as `12`, `v12` or `run-12`; none if it is none."""
    number = _NUMBER.fullmatch(text)
    return [Version(form=("number", number["before"] or ""), key=int(number["n"]), text=text)] if number else []


def read_below_version(text: str) -> list[Version]:
    """Every way to read the name of a folder below a version's, where month, day, hour or time go on."""
    below = _BELOW.fullmatch(text)
    if below:
        digits = int(re.sub(r"\D", "", below["n"]))
        return [Version(form=("number", below["before"] or "", below["ts"]), key=digits, text=text)]
    return [version for version in read_version(text) if version.kind != "number"]


def _splits(text: str) -> Iterator[tuple[str, str]]:
    """Texts that begin with a number, with what stands in front."""
    for digit in re.finditer(r"(?<!\d)\d", text):
        before = text[: digit.start()]
        if _BEFORE.fullmatch(before):
            yield before, text[digit.start() :]


def read_date(core: str, *, before: str = "") -> list[Version]:
    """Every way to read `core` as a date or time; `before` stands in front of it."""
    found = []
    for kind, pattern in _FORMS.items():
        match = pattern.fullmatch(core)
        if match and (moment := _moment(kind, match.groupdict())):
            parts = match.groupdict()
            form = (kind, before, *_written(parts))
            found.append(Version(form=form, key=moment, text=before + core, run=parts.get("run") or ""))
    return found


def _written(parts: dict[str, str | None]) -> tuple[str, ...]:
    """How a date is written: its separators, and what there is of it."""
    present = [name for name in ("hh", "h", "s", "off", "run", "wd") if parts.get(name)]
    return (parts.get("sep") or "", parts.get("ts") or "", *present)


def _moment(kind: str, parts: dict[str, str | None]) -> datetime | None:
    """When that was, in UTC; None if there is no such day."""
    if kind in {"seconds", "milliseconds"}:
        seconds = int(parts["n"] or 0) // (1 if kind == "seconds" else 1000)
        return datetime.fromtimestamp(seconds, UTC) if seconds in EPOCH_SECONDS else None
    numbers = {name: int(parts.get(name) or default) for name, default in _DEFAULTS.items()}
    numbers["h"] = numbers["h"] or int(parts.get("hh") or 0)
    day = _day(kind, numbers)
    if day is None:
        return None
    time = timedelta(hours=numbers["h"], minutes=numbers["mi"], seconds=numbers["s"])
    fraction = timedelta(seconds=float(f"0.{parts.get('f') or parts.get('ms') or 0}"))
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + time + fraction - _offset(parts.get("off"))


def _day(kind: str, numbers: dict[str, int]) -> date | None:
    if numbers["y"] not in YEARS:
        return None
    try:
        if kind == "week":
            return date.fromisocalendar(numbers["y"], numbers["w"], numbers["wd"])
        return date(numbers["y"], numbers["m"], numbers["d"])
    except ValueError:
        return None


def _offset(text: str | None) -> timedelta:
    if text is None or text == "Z":
        return timedelta()
    digits = re.sub(r"\D", "", text)
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return -offset if text.startswith("-") else offset
