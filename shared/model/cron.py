"""Cron expressions as people may write them; docs/schedules.md has them beside NCRONTAB's.

What two well-known readers understand differently is refused, with both readings.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from cronsim import CronSim, CronSimError

FIELDS: Final = ("second", "minute", "hour", "day", "month", "weekday")
DAY, WEEKDAY = 3, 5
_START: Final = datetime(2000, 1, 1, tzinfo=UTC)


def check_cron(expression: str) -> str:
    """The expression with single blanks: five fields, or six with seconds in front.

    A second of 0 is left out, for then it is the same as with five fields, also where clocks change.
    Raises ValueError that names the field; the message goes on after the name of what holds the expression.
    """
    texts = expression.split()
    if len(texts) == len(FIELDS) - 1:
        texts.insert(0, "0")
    if len(texts) != len(FIELDS):
        raise ValueError("must have five fields: minute hour day month weekday, or six with the second in front")
    for number, text in enumerate(texts):
        _check_field(number, text)
    _refuse_two_readings(texts)
    written = texts[1:] if texts[0] == "0" else texts
    try:
        next(CronSim(" ".join(written), _START))
    except (CronSimError, StopIteration):
        raise ValueError("must name a date that comes: no month of these has such a day") from None
    return " ".join(written)


def _check_field(number: int, text: str) -> None:
    alone = ["*"] * len(FIELDS)
    alone[number] = text
    if not text.isascii():
        raise ValueError(f"must be a cron expression; its {FIELDS[number]} has a character that is not ASCII")
    try:
        CronSim(" ".join(alone), _START)
    except CronSimError:
        hint = " (a range must not run backwards: write FRI-SAT,SUN-MON, not FRI-MON)" if "-" in text else ""
        message = f"must be a cron expression, such as 30 6 * * MON-FRI; its {FIELDS[number]} is none{hint}"
        raise ValueError(message) from None


def _refuse_two_readings(texts: list[str]) -> None:
    day, weekday = texts[DAY], texts[WEEKDAY]
    if day != "*" and weekday != "*":
        raise ValueError(
            "must not restrict day and weekday both, which cron takes for either of them and Azure's NCRONTAB for "
            "both at once: write the first Monday of a month as * * MON#1, the last as * * 1L; for either, "
            "save two exports, one with the day and one with the weekday"
        )
    stepped = [part.partition("/")[0] for part in weekday.split(",") if "/" in part]
    if any(start != "*" and "-" not in start for start in stepped):
        raise ValueError(
            "must not step through weekdays from a value, which ends on Saturday for some readers and on Sunday "
            "for others: list the days, such as MON,WED,FRI"
        )
