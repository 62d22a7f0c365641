"""NCRONTAB, the schedule language of timer triggers.

Six fields: second, minute, hour, day, month, day of week; with five, the second is 0. Other than in Unix
cron, a day must match both the day and the day-of-week field. See
https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions and
https://github.com/atifaziz/NCrontab.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import product

MONTHS = (
    "JANUARY FEBRUARY MARCH APRIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER".split()  # noqa: SIM905  # reads better
)
WEEKDAYS = "SUNDAY MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY".split()  # noqa: SIM905  # reads better
# 29 February on a given weekday comes every 28 years, or 40 when a century without a leap day lies between.
HORIZON = timedelta(days=41 * 366)


class NcrontabError(ValueError):
    """The expression is not NCRONTAB, or can never fire."""


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
        if text.isdecimal() and self.low <= int(text) <= self.high:
            return int(text)
        named = [number for number, name in enumerate(self.names, self.low) if text and name.startswith(text)]
        if not named:
            raise NcrontabError(
                f"'{text}' is no value for the {self.name}, which goes from {self.low} to {self.high}"
            )
        return named[0]

    def _parse_step(self, text: str) -> int:
        if not text.isdecimal() or int(text) < 1:
            raise NcrontabError(f"'{text}' is no step for the {self.name}")
        return int(text)


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
            NcrontabError: it is not NCRONTAB or no date ever matches.
        """
        texts = expression.upper().split()
        if len(texts) == len(FIELDS) - 1:
            texts.insert(0, "0")
        if len(texts) != len(FIELDS):
            raise NcrontabError(f"'{expression}' does not have five or six fields")
        numbers = (each.parse(text) for each, text in zip(FIELDS, texts, strict=True))
        schedule = cls(**dict(zip(cls.__dataclass_fields__, numbers, strict=True)))
        schedule.next_after(datetime(2000, 1, 1, tzinfo=UTC))
        return schedule

    @property
    def fires_within_a_minute(self) -> bool:
        """Whether two occurrences can be less than a minute apart."""
        return len(self.seconds) > 1

    def matches(self, moment: datetime) -> bool:
        """Tell whether the timer fires in the second of ``moment``."""
        return (
            self._matches_day(moment.date())
            and moment.hour in self.hours
            and moment.minute in self.minutes
            and moment.second in self.seconds
        )

    def next_after(self, moment: datetime) -> datetime:
        """Return the first occurrence later than ``moment``, which must be aware.

        Raises:
            NcrontabError: no date matches in the next forty years.
        """
        start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        for ahead in range(HORIZON.days):
            day = start.date() + timedelta(days=ahead)
            if self._matches_day(day):
                found = self._first_time(start.time() if ahead == 0 else time.min)
                if found is not None:
                    return datetime.combine(day, found, UTC)
        raise NcrontabError("no date ever matches day, month and day of week")

    def _matches_day(self, day: date) -> bool:
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays

    def _first_time(self, earliest: time) -> time | None:
        hours = sorted(hour for hour in self.hours if hour >= earliest.hour)
        times = (time(*parts) for parts in product(hours, sorted(self.minutes), sorted(self.seconds)))
        return next((each for each in times if each >= earliest), None)
