"""A declared layout: a template of the names of an extract's files.

Such as `{segment}/{date:%Y-%m-%d}/{part}.csv`; docs/extracts.md has more examples. The fields are:

- `{segment}`: the segment's name.
- `{date:FORMAT}`: date or time of the delivery, by the directives below; several of them make one date.
- `{run}`: what tells deliveries of one time apart.
- `{part}` and `{partition}`: what tells the files of one delivery apart. Neither spans a slash.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

DIRECTIVES: Final = {
    "Y": r"\d{4}",
    "y": r"\d\d",
    "m": r"\d\d",
    "d": r"\d\d",
    "H": r"\d\d",
    "M": r"\d\d",
    "S": r"\d\d",
    "f": r"\d{1,6}",
    "j": r"\d{3}",
    "G": r"\d{4}",
    "V": r"\d\d",
    "u": r"[1-7]",
    "z": r"Z|[+-]\d\d:?\d\d",
    "s": r"\d{9,10}",
    "-m": r"\d{1,2}",
    "-d": r"\d{1,2}",
    "-H": r"\d{1,2}",
}
"""Those of `strptime` that have digits, `%s` for seconds since 1970, and without a zero in front `%-m %-d %-H`."""
_FIELD: Final = re.compile(r"\{(?P<name>\w+)(?::(?P<format>[^{}]*))?\}")
_DIRECTIVE: Final = re.compile(r"%(-?[A-Za-z])")
_WITHOUT_SLASH: Final = r"[^/]+"
_SHOWN: Final = r"[^/_.][^/]*"
"""Hidden files are no parts."""
PATTERNS: Final = {"run": _WITHOUT_SLASH, "part": _SHOWN, "partition": _SHOWN}
SAMPLE: Final = datetime(2026, 11, 22, 13, 45, 59, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class FileName:
    """What the name of a file says."""

    date: datetime | None
    run: str


class Layout:
    """A template that was checked."""

    def __init__(self, template: str) -> None:
        """Raises ValueError with words for whoever wrote the template."""
        self._template = template
        self._fields = list(_FIELD.finditer(template))
        self._formats = [field["format"] for field in self._fields if field["name"] == "date"]
        _check(template, self._fields, self._formats)

    @property
    def names_segment(self) -> bool:
        """Whether the segment is told by the name: `A{part}` would be files of `AB`, too."""
        names = [field["name"] for field in self._fields]
        joined = {
            name
            for first, second in itertools.pairwise(self._fields)
            if first.end() == second.start() and PATTERNS.keys() & (first["name"], second["name"])
            for name in (first["name"], second["name"])
        }
        return "segment" in names and "segment" not in joined

    @property
    def has_parts(self) -> bool:
        """Whether a delivery may have several files."""
        return any(field["name"] in {"part", "partition"} for field in self._fields)

    def prefix(self, segment: str) -> str:
        """What the names of all files of a segment begin with."""
        known = _FIELD.sub(lambda field: segment if field["name"] == "segment" else "\0", self._template)
        return known.partition("\0")[0]

    def pattern(self, segment: str) -> re.Pattern[str]:
        """A pattern of the names; dates and runs are the groups `date1`, `run1` …."""
        pieces, position, counts = [], 0, {"date": 0, "run": 0}
        for field in self._fields:
            pieces.append(re.escape(self._template[position : field.start()]))
            name = field["name"]
            if name in counts:
                counts[name] += 1
                inner = PATTERNS["run"] if name == "run" else _date_pattern(field["format"])
                pieces.append(f"(?P<{name}{counts[name]}>{inner})")
            else:
                pieces.append(re.escape(segment) if name == "segment" else PATTERNS[name])
            position = field.end()
        pieces.append(re.escape(self._template[position:]))
        return re.compile("".join(pieces))

    def read(self, match: re.Match[str]) -> FileName | None:
        """What a match of the pattern says; None if its numbers are no date."""
        groups = match.groupdict()
        values = [groups[f"date{number}"] for number in range(1, len(self._formats) + 1)]
        try:
            date = _parse(values, self._formats)
        except ValueError:
            return None
        return FileName(date=date, run=" ".join(groups[name] for name in sorted(groups) if name.startswith("run")))


def _check(template: str, fields: list[re.Match[str]], formats: list[str]) -> None:
    known = {"segment", "date", *PATTERNS}
    unknown = [field["name"] for field in fields if field["name"] not in known]
    rest = _FIELD.sub("", template)
    if unknown or "{" in rest or "}" in rest:
        named = f"{{{unknown[0]}}}" if unknown else "an open brace"
        raise ValueError(
            f"has {named}; known are {{segment}}, {{date:%Y-%m-%d}}, {{run}}, {{part}}, {{partition}}"
        )
    if not fields:
        raise ValueError("must have a field, such as {segment}")
    parts = template.split("/")
    if template.startswith("/") or "\\" in template or {"", ".", ".."} & set(parts):
        raise ValueError("must be a path below the prefix, with single slashes, and end with the name of a file")
    if any((field["format"] is None) == (field["name"] == "date") for field in fields):
        raise ValueError("must give a format to {date:…}, such as {date:%Y-%m-%d}, and to nothing else")
    _check_formats(formats)


def _check_formats(formats: list[str]) -> None:
    directives = [name for each in formats for name in _DIRECTIVE.findall(each)]
    unknown = [name for name in directives if name not in DIRECTIVES]
    if unknown:
        raise ValueError(f"has %{unknown[0]} in a date; known are {' '.join('%' + name for name in DIRECTIVES)}")
    if len(set(directives)) < len(directives):
        raise ValueError("has a part of the date twice")
    if formats and not ({"Y", "y", "s"} & set(directives) or {"G", "V"} <= set(directives)):
        raise ValueError("has a date without its year")
    if formats:
        try:
            _parse([_sample(each) for each in formats], formats)
        except ValueError:
            raise ValueError("has a date that its parts do not determine") from None


def _sample(text: str) -> str:
    seconds = str(int(SAMPLE.timestamp()))
    return SAMPLE.strftime(re.sub(r"%-", "%", text).replace("%s", seconds))


def _date_pattern(text: str) -> str:
    pieces, position = [], 0
    for directive in _DIRECTIVE.finditer(text):
        pieces += [re.escape(text[position : directive.start()]), f"(?:{DIRECTIVES[directive[1]]})"]
        position = directive.end()
    return "".join([*pieces, re.escape(text[position:])])


def _parse(values: list[str], formats: list[str]) -> datetime | None:
    """The date, in UTC unless it says otherwise; None if there is none. Raises ValueError."""
    if not formats:
        return None
    text, format_ = " ".join(values), " ".join(formats).replace("%-", "%")
    if "%s" in format_:
        seconds = re.search(r"\d{9,10}", text)
        return datetime.fromtimestamp(int(seconds[0]) if seconds else 0, UTC)
    if "%V" in format_ and "%u" not in format_:
        text, format_ = f"{text} 1", f"{format_} %u"
    if "%y" in format_ or "%Y" in format_ or "%G" in format_:
        parsed = datetime.strptime(text, format_)  # noqa: DTZ007 - the zone follows
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    raise ValueError(text)
