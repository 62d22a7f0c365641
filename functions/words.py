"""Words by language, and numbers and times as people of that language write them.

What `console/i18n.js` is for the console this is for pages that the app makes itself, of the same messages.
"""

from __future__ import annotations

import decimal
import functools
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from babel import Locale

    type Message = str | Mapping[str, str]

FOLDER: Final = Path(__file__).with_name("console") / "messages"
FALLBACK: Final = "en"
VALUE: Final = re.compile(r"{(\w+)}")
"""In a message, where a value belongs."""
UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
SIZES: Final = ("byte", "kilobyte", "megabyte", "gigabyte")
UNITS_SHOWN: Final = 2
"""Of a length of time: who waits for days does not count seconds."""


@functools.cache
def languages() -> tuple[str, ...]:
    """Those there are messages of."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def nearest(wanted: Iterable[str]) -> str:
    """Of languages that somebody reads, best first: the first that is here, or near to one; English otherwise."""
    return next(filter(None, map(_nearest, wanted)), FALLBACK)


def _nearest(wanted: str) -> str | None:
    same = (each for each in languages() if each.lower() == wanted.lower())
    near = (each for each in languages() if _base(each) == _base(wanted))
    return next(same, None) or next(near, None)


def _base(language: str) -> str:
    return language.lower().partition("-")[0]


@functools.cache
def _catalogue(language: str) -> Mapping[str, Message]:
    found: dict[str, Message] = json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return found


@functools.cache
def _explanations(language: str) -> Mapping[str, Mapping[str, str]]:
    """What codes mean, and what to do; none in English, where the registries of the codes have it."""
    if language == FALLBACK:
        return {}
    found: dict[str, dict[str, str]] = json.loads(
        (FOLDER / "codes" / f"{language}.json").read_text(encoding="utf-8")
    )
    return found


@functools.cache
def _locale(language: str) -> Locale:
    from babel import Locale

    return Locale.parse(language, sep="-")


@dataclass(frozen=True, kw_only=True)
class Words:
    """Those of one language, and of people in one time zone."""

    language: str
    """One of `languages()`."""
    zone: ZoneInfo

    def t(self, key: str, /, **values: object) -> str:
        """The words of a key. `{name}` in them is a value; of a message with plural forms, `count` decides."""
        found = self._find(key)
        if found is None:
            return key
        text = found if isinstance(found, str) else self._plural(found, values["count"])
        return VALUE.sub(lambda name: self._told(values.get(name[1], name[0])), text)

    def known(self, key: str) -> bool:
        """Whether there are words for a key that is made of a code."""
        return self._find(key) is not None

    def translated(self, code: str) -> Mapping[str, str] | None:
        """What a code means (`meaning`) and what to do (`action`); None in English, or where it is not known."""
        return _explanations(self.language).get(code)

    def _find(self, key: str) -> Message | None:
        return _catalogue(self.language).get(key) or _catalogue(FALLBACK).get(key)

    def _plural(self, forms: Mapping[str, str], count: object) -> str:
        form = self._locale.plural_form(count) if isinstance(count, int | float) else "other"
        return forms.get(form, forms["other"])

    def _told(self, value: object) -> str:
        return self.number(value) if isinstance(value, int | float) else str(value)

    @property
    def _locale(self) -> Locale:
        return _locale(self.language)

    def number(self, value: float) -> str:
        """A number as people write it."""
        from babel.numbers import format_decimal

        return format_decimal(value, locale=self._locale)

    def percent(self, share: float) -> str:
        """A share, to a tenth of a percent."""
        from babel.numbers import format_percent

        pattern = self._locale.percent_formats[None].pattern.replace("0", "0.#")
        with decimal.localcontext(rounding=decimal.ROUND_HALF_UP):
            return format_percent(share, format=pattern, locale=self._locale)

    def bytes(self, value: int) -> str:
        """A size, such as 1.2 MB."""
        step = min(len(SIZES) - 1, math.floor(math.log10(max(value, 1)) / 3))
        with decimal.localcontext(rounding=decimal.ROUND_HALF_UP):
            return self._unit(value / 1000**step, f"digital-{SIZES[step]}")

    def duration(self, seconds: float) -> str:
        """A length of time, such as 2 min, 5 sec."""
        from babel.lists import format_list

        left, parts = math.floor(seconds + 0.5), list[str]()
        for unit, length in UNITS:
            count, left = divmod(left, length)
            if count or (unit == "second" and not parts):
                parts.append(self._unit(count, f"duration-{unit}"))
        return format_list(parts[:UNITS_SHOWN], style="unit-short", locale=self._locale)

    def _unit(self, value: float, unit: str) -> str:
        from babel.units import format_unit

        return format_unit(value, unit, length="short", format="#,##0.#", locale=self._locale)

    def date_time(self, moment: datetime) -> str:
        """A moment, in the reader's time zone."""
        from babel.dates import format_date, format_time

        there = moment.astimezone(self.zone)
        time = format_time(there, "short", locale=self._locale)
        date = format_date(there, "medium", locale=self._locale)
        return str(self._locale.datetime_formats["medium"].format(time, date))
