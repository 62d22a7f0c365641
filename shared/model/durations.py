"""Lengths of time as people write them down, by ISO 8601."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

_WEEKS: Final = r"\d{1,3}W"
_DAYS_AND_TIME: Final = r"(?=\d|T\d)(?:\d{1,4}D)?(?:T(?=\d)(?:\d{1,5}H)?(?:\d{1,6}M)?(?:\d{1,7}S)?)?"
_WRITTEN: Final = re.compile(rf"P(?:{_WEEKS}|{_DAYS_AND_TIME})")


def _is_written(value: object) -> object:
    if isinstance(value, timedelta) or (isinstance(value, str) and _WRITTEN.fullmatch(value)):
        return value
    raise ValueError(
        "must be a length of time in weeks, days, hours, minutes and seconds by ISO 8601, such as PT2M or P1DT12H"
    )


def written(length: timedelta) -> str:
    """In days, hours, minutes and seconds, such as P1DT2H: years and months would not always be as long."""
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    time = "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if count)
    days = f"{length.days}D" if length.days or not time else ""
    return f"P{days}{f'T{time}' if time else ''}"


Duration = Annotated[
    timedelta,
    BeforeValidator(_is_written),
    PlainSerializer(written, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "duration"}),
]
"""What is answered may be sent back."""


def between(least: float, most: float) -> AfterValidator:
    """A bound on a length of time, in seconds."""
    words = f"must be from {written(timedelta(seconds=least))} to {written(timedelta(seconds=most))}"

    def bounded(length: timedelta) -> timedelta:
        if not least <= length.total_seconds() <= most:
            raise ValueError(words)
        return length

    return AfterValidator(bounded)
