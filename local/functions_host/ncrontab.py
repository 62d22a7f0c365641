"""NCRONTAB, the schedule language of timer triggers.

Six fields: second, minute, hour, day, month, day of week; with exactly five, the second is 0. Other than in Unix
cron, a day must match both the day and the day-of-week field. Only blanks separate, a step of 0 or less is 1, and
a date that never comes never fires. What is no NCRONTAB may be a .NET time span, with its traps: `5` is five days,
`24:00:00` is 24 days, and one of zero or less fires without pause, which triggers.py refuses on purpose. See
https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions and
https://github.com/atifaziz/NCrontab.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import product

MONTHS = (
    "JANUARY FEBRUARY MARCH APRIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER".split()  # noqa: SIM905  # reads better
)
WEEKDAYS = "SUNDAY MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY".split()  # noqa: SIM905  # reads better
# 29 February on a given weekday comes every 28 years, or 40 when a century without a leap day lies between.
HORIZON = timedelta(days=41 * 366)


NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""When a date comes that never comes."""
STEP = re.compile(r"[+-]?[0-9]+")
LARGEST_STEP = 2**31 - 1
TIME_SPAN = re.compile(
    r"(?P<sign>-?)(?:(?P<days>[0-9]+)|(?:(?P<day>[0-9]+)[.:])??(?P<first>[0-9]+):(?P<second>[0-9]+)"
    r"(?::(?P<third>[0-9]+)(?:\.(?P<fraction>[0-9]{1,7}))?)?)"
)


class NcrontabError(ValueError):
    """The expression is neither NCRONTAB nor a time span."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One of the six fields: its name, its bounds and the names that stand for its numbers."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def parse(self, text: str) -> frozenset[int]:
        """Return the numbers that the text of the field stands for."""
        return frozenset(number for part in text.split(",") for number in self._parse_part(part))

    def _parse_part(self, part: str) -> range:
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            low, high = self.low, self.high
        elif dash:
            # NCrontab swaps the ends of a range that runs backwards; so FRI-MON is Monday to Friday.
            low, high = sorted((self._parse_value(first), self._parse_value(last)))
        else:
            low = self._parse_value(span)
            high = self.high if slash else low
        return range(low, high + 1, self._parse_step(step) if slash else 1)

    def _parse_value(self, text: str) -> int:
        if text.isascii() and text.isdecimal() and self.low <= int(text) <= self.high:
            return int(text)
        named = [number for number, name in enumerate(self.names, self.low) if text and name.startswith(text)]
        if not named:
            raise NcrontabError(
                f"'{text}' is no value for the {self.name}, which goes from {self.low} to {self.high}"
            )
        return named[0]

    def _parse_step(self, text: str) -> int:
        if not STEP.fullmatch(text) or abs(int(text)) > LARGEST_STEP:
            raise NcrontabError(f"'{text}' is no step for the {self.name}")
        return max(int(text), 1)


FIELDS = (
    Field(name="second", low=0, high=59),
    Field(name="minute", low=0, high=59),
    Field(name="hour", low=0, high=23),
    Field(name="day", low=1, high=31),
    Field(name="month", low=1, high=12, names=tuple(MONTHS)),
    Field(name="day of week", low=0, high=6, names=tuple(WEEKDAYS)),
)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When a timer fires, in UTC: the time zone of every Linux plan."""

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @classmethod
    def parse(cls, expression: str) -> "Schedule":
        """Read an expression.

        Raises:
            NcrontabError: it is not NCRONTAB.
        """
        texts = [text for text in expression.upper().split(" ") if text]
        if len(texts) == len(FIELDS) - 1:
            texts.insert(0, "0")
        if len(texts) != len(FIELDS):
            raise NcrontabError(f"'{expression}' does not have five or six fields")
        numbers = (each.parse(text) for each, text in zip(FIELDS, texts, strict=True))
        return cls(**dict(zip(cls.__dataclass_fields__, numbers, strict=True)))

    def fires_twice_within_a_minute(self, moment: datetime) -> bool:
        """Tell whether more than one occurrence lies in the minute after ``moment``."""
        return self.next_after(self.next_after(moment)) < moment + timedelta(minutes=1)

    def matches(self, moment: datetime) -> bool:
        """Tell whether the timer fires in the second of ``moment``."""
        return (
            self._matches_day(moment.date())
            and moment.hour in self.hours
            and moment.minute in self.minutes
            and moment.second in self.seconds
        )

    def next_after(self, moment: datetime) -> datetime:
        """Return the first occurrence later than ``moment``, which must be aware, or NEVER."""
        if moment == NEVER:
            return NEVER
        start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        for ahead in range(HORIZON.days):
            day = start.date() + timedelta(days=ahead)
            if self._matches_day(day):
                found = self._first_time(start.time() if ahead == 0 else time.min)
                if found is not None:
                    return datetime.combine(day, found, UTC)
        return NEVER

    def _matches_day(self, day: date) -> bool:
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays

    def _first_time(self, earliest: time) -> time | None:
        hours = sorted(hour for hour in self.hours if hour >= earliest.hour)
        times = (time(*parts) for parts in product(hours, sorted(self.minutes), sorted(self.seconds)))
        return next((each for each in times if each >= earliest), None)


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A timer that fires again and again after the same time."""

    length: timedelta

    @classmethod
    def parse(cls, text: str) -> "Interval":
        """Read a .NET time span: days, hours:minutes, [days.]hours:minutes:seconds, days:hours:minutes:seconds.

        Raises:
            NcrontabError: it is none.
        """
        found = TIME_SPAN.fullmatch(text.strip())
        if found is None or not text.isascii():
            raise NcrontabError(f"'{text}' is no time span")
        sign = -1 if found["sign"] else 1
        if found["days"]:
            return cls(length=sign * timedelta(days=int(found["days"])))
        parts = [int(found[name] or 0) for name in ("day", "first", "second", "third")]
        if parts[1] > 23 and found["third"] and not found["day"] and not found["fraction"]:  # noqa: PLR2004  # hours
            parts = [*parts[1:], 0]  # what cannot be hours are days
        days, hours, minutes, seconds = parts
        if hours > 23 or minutes > 59 or seconds > 59:  # noqa: PLR2004  # of a day
            raise NcrontabError(f"'{text}' is no time span")
        ticks = int((found["fraction"] or "").ljust(7, "0"))
        length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=ticks // 10)
        return cls(length=sign * length)

    def fires_twice_within_a_minute(self, _moment: datetime) -> bool:
        """Tell whether it is shorter than a minute."""
        return self.length < timedelta(minutes=1)

    def next_after(self, moment: datetime) -> datetime:
        """Return when it is over."""
        return moment + self.length


def parse_schedule(text: str) -> Schedule | Interval:
    """Read what a timer trigger says, as the real host does.

    Raises:
        NcrontabError: it is neither NCRONTAB nor a time span.
    """
    try:
        return Schedule.parse(text)
    except NcrontabError as error:
        try:
            return Interval.parse(text)
        except NcrontabError:
            raise error from None
