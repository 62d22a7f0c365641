"""host.json: what this host obeys of it, and what the real host would refuse.

See https://learn.microsoft.com/azure/azure-functions/functions-host-json and
https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue#host-json.
"""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from local.functions_host.errors import StartUpError

TIME_SPAN = re.compile(r"(?:(\d+)\.)?([01]?\d|2[0-3]):([0-5]?\d)(?::([0-5]?\d(?:\.\d{1,7})?))?")
VERSION_RANGE = re.compile(r"[\[(]\s*\d+(\.(\d+|\*)){0,2}\s*,\s*\d+(\.\d+){0,2}\s*[\])]")


def parse_time_span(value: object) -> timedelta:
    """Read a .NET time span, ``[days.]hours:minutes[:seconds[.fraction]]``.

    Raises:
        ValueError: it is none; "24:00:00" is none either, as .NET takes it for 24 days.
    """
    found = TIME_SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a time span such as 00:00:30")
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _parse_timeout(value: object) -> timedelta | None:
    return None if value == "-1" else parse_time_span(value)


def _parse_version_range(value: object) -> object:
    if not isinstance(value, str) or not VERSION_RANGE.fullmatch(value):
        raise ValueError("must be a version range such as [4.0.0, 5.0.0)")
    return value


TimeSpan = Annotated[timedelta, BeforeValidator(parse_time_span)]


class _Section(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, frozen=True, strict=True)


class QueueOptions(_Section, extra="forbid"):
    """How queues are read; defaults and bounds are those of QueuesOptions in the storage extension."""

    batch_size: int = Field(default=16, ge=1, le=32)
    new_batch_threshold_or_none: int | None = Field(default=None, ge=0, alias="newBatchThreshold")
    max_dequeue_count: int = Field(default=5, ge=1)
    visibility_timeout: TimeSpan = Field(default=timedelta(), le=timedelta(days=7))
    max_polling_interval: TimeSpan = Field(default=timedelta(minutes=1), ge=timedelta(milliseconds=100))
    message_encoding: Annotated[
        Literal["base64", "none"],
        BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value),
    ] = "base64"

    @property
    def new_batch_threshold(self) -> int:
        """How many messages may still be running when the next batch is fetched.

        The default is for one processor, as a Flex Consumption instance of 2 GB has.
        """
        if self.new_batch_threshold_or_none is None:
            return self.batch_size // 2
        return self.new_batch_threshold_or_none


class HttpOptions(_Section):
    """How HTTP functions are reached."""

    route_prefix: str = "api"


class _Extensions(_Section):
    queues: QueueOptions = QueueOptions()
    http: HttpOptions = HttpOptions()


class _ExtensionBundle(_Section):
    id: Literal["Microsoft.Azure.Functions.ExtensionBundle"]
    version: Annotated[str, BeforeValidator(_parse_version_range)]


class HostJson(_Section):
    """The file as a whole; parts that are the real host's business only are not looked at."""

    version: Literal["2.0"]
    extension_bundle: _ExtensionBundle
    extensions: _Extensions = _Extensions()
    function_timeout: Annotated[timedelta | None, BeforeValidator(_parse_timeout)] = None


def read_host_json(app_dir: Path) -> HostJson:
    """Read and check the host.json of an app.

    Raises:
        StartUpError: it is missing, is no JSON, or has a value that the real host would refuse.
    """
    try:
        content = json.loads((app_dir / "host.json").read_text("utf-8"))
    except FileNotFoundError as error:
        raise StartUpError([f"There is no host.json in {app_dir}."]) from error
    except ValueError as error:
        raise StartUpError([f"host.json is not JSON: {error}."]) from error
    try:
        return HostJson.model_validate(content)
    except ValidationError as error:
        raise StartUpError([_sentence(each) for each in error.errors()]) from error


def _sentence(error: Any) -> str:  # noqa: ANN401  # pydantic's ErrorDetails
    where = ".".join(str(part) for part in error["loc"]) or "the file"
    what = error["msg"].removeprefix("Value error, ")
    found = json.dumps(error["input"], default=str)
    return f"host.json, {where}: {what[:1].lower()}{what[1:]} (found: {found})."
