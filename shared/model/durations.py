"""Lengths of time as people write them down, by ISO 8601."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator

_WRITTEN: Final = re.compile(r"P(?=\d|T\d)(?:\d{1,4}D)?(?:T(?=\d)(?:\d{1,5}H)?(?:\d{1,6}M)?(?:\d{1,7}S)?)?")


def _is_written(value: object) -> object:
    if isinstance(value, timedelta) or (isinstance(value, str) and _WRITTEN.fullmatch(value)):
        return value
    raise ValueError(
        "must be a length of time in days, hours, minutes and seconds by ISO 8601, such as PT2M or P1DT12H"
    )


Duration = Annotated[timedelta, BeforeValidator(_is_written, json_schema_input_type=timedelta)]
"""Months and years are none: they are not always as long."""
