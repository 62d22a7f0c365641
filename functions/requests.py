"""What is read from requests: ids in the route, parameters, headers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from functions.bodies import A_SEGMENT, AN_IDENTIFIER, json_object, validate
from shared.errors import FieldError, InvalidInputError
from shared.model.definitions import Identifier, RunId, SegmentName, TimeZone
from shared.model.documents import Document

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import azure.functions as func

OF_THE_HOST: Final = frozenset({"code", "clientId"})
"""Parameters in which the host takes keys; https://learn.microsoft.com/azure/azure-functions/function-keys-how-to"""
IDEMPOTENCY_KEY_MAX: Final = 255
"""Most characters of an Idempotency-Key."""

_IDENTIFIER: Final[TypeAdapter[str]] = TypeAdapter(Identifier)
_SEGMENT: Final[TypeAdapter[str]] = TypeAdapter(SegmentName)
_RUN_ID: Final[TypeAdapter[str]] = TypeAdapter(RunId)
_TIME_ZONE: Final[TypeAdapter[str]] = TypeAdapter(TimeZone)


def identifier(request: func.HttpRequest, name: str = "id") -> str:
    """The id in the route. Raises InvalidInputError."""
    try:
        return _IDENTIFIER.validate_python(request.route_params.get(name))
    except ValidationError:
        raise InvalidInputError(
            "The id in the address is not valid.", FieldError(field=name, message=AN_IDENTIFIER)
        ) from None


def run_id(request: func.HttpRequest) -> str:
    """The run in the route. Raises InvalidInputError."""
    return _run_id(request.route_params.get("run"), "run")


def segment_name(request: func.HttpRequest) -> str:
    """The segment in the route. Raises InvalidInputError."""
    try:
        return _SEGMENT.validate_python(request.route_params.get("segment"))
    except ValidationError:
        raise InvalidInputError(
            "The name of the segment is not valid.", FieldError(field="segment", message=A_SEGMENT)
        ) from None


def _run_id(value: object, field: str) -> str:
    try:
        return _RUN_ID.validate_python(value)
    except ValidationError:
        message = "must be the id of a run, such as 20260101T060000Z-scheduled"
        raise InvalidInputError(
            "The id of the run is not valid.", FieldError(field=field, message=message)
        ) from None


def require_known(params: Mapping[str, str], known: Collection[str]) -> None:
    """Raises InvalidInputError naming parameters that are not known: what is misspelt must not be ignored."""
    unknown = sorted(params.keys() - OF_THE_HOST - set(known))
    if unknown:
        message = f"is not known; there are {', '.join(sorted(known)) or 'none'}"
        errors = [FieldError(field=name[:100], message=message) for name in unknown[:10]]
        raise InvalidInputError("The request has parameters that are not known.", *errors)


def before(request: func.HttpRequest) -> str | None:
    """The run that the page ends before. Raises InvalidInputError."""
    value = request.params.get("before")
    return None if value is None else _run_id(value, "before")


def named_connection(request: func.HttpRequest) -> str:
    """The connection that the body names. Raises InvalidInputError."""
    try:
        return _IDENTIFIER.validate_python(json_object(request).get("connection"))
    except ValidationError:
        fault = FieldError(field="connection", message=AN_IDENTIFIER, pointer="/connection")
        raise InvalidInputError("The body is not valid.", fault) from None


def after(request: func.HttpRequest) -> str | None:
    """The connection or export that the page begins after. Raises InvalidInputError."""
    value = request.params.get("after")
    try:
        return None if value is None else _IDENTIFIER.validate_python(value)
    except ValidationError:
        raise InvalidInputError(
            "The parameter after is not valid.", FieldError(field="after", message=AN_IDENTIFIER)
        ) from None


def whole_number(request: func.HttpRequest, name: str, *, default: int, most: int, least: int = 1) -> int:
    """A parameter from `least` to `most`. Raises InvalidInputError."""
    value = request.params.get(name, str(default))
    if value.isascii() and value.isdecimal() and len(value) <= len(str(most)) and least <= int(value) <= most:
        return int(value)
    raise InvalidInputError(
        f"The parameter {name} is not valid.",
        FieldError(field=name, message=f"must be a whole number from {least} to {most}"),
    )


def flag(request: func.HttpRequest, name: str, *, default: bool) -> bool:
    """A parameter that is true or false. Raises InvalidInputError."""
    value = request.params.get(name)
    if value not in {None, "true", "false"}:
        raise InvalidInputError(
            f"The parameter {name} is not valid.", FieldError(field=name, message="must be true or false")
        )
    return default if value is None else value == "true"


def one_of(request: func.HttpRequest, name: str, choices: Collection[str]) -> str | None:
    """A parameter that is one of the choices; None where it is left out. Raises InvalidInputError."""
    value: str | None = request.params.get(name)
    if value is None or value in choices:
        return value
    raise InvalidInputError(
        f"The parameter {name} is not valid.",
        FieldError(field=name, message=f"must be one of {', '.join(sorted(choices))}"),
    )


def time_zone(request: func.HttpRequest, name: str) -> ZoneInfo:
    """A parameter that names a time zone; UTC where it is left out. Raises InvalidInputError."""
    try:
        return ZoneInfo(_TIME_ZONE.validate_python(request.params.get(name, "UTC")))
    except ValidationError:
        message = "must be an IANA time zone, such as Europe/Stockholm"
        raise InvalidInputError(
            f"The parameter {name} is not valid.", FieldError(field=name, message=message)
        ) from None


def json_parameter[D: Document](request: func.HttpRequest, name: str, kind: type[D]) -> D:
    """A parameter that is a JSON object; all defaults without it. Raises InvalidInputError naming its members."""
    value = request.params.get(name)
    if value is None:
        return kind()
    try:
        document = json.loads(value)
    except (ValueError, RecursionError):
        document = None
    detail = f"The parameter {name} is not valid."
    if not isinstance(document, dict):
        raise InvalidInputError(detail, FieldError(field=name, message="must be a JSON object"))
    try:
        return validate(kind, document)
    except InvalidInputError as error:
        told = [FieldError(field=f"{name}.{each.field}", message=each.message) for each in error.errors]
        raise InvalidInputError(detail, *told) from None


def if_match(request: func.HttpRequest) -> str | None:
    """The version the caller has read, when it says so."""
    value = request.headers.get("if-match")
    return value.removeprefix("W/").strip('"') if value else None


def prefers(request: func.HttpRequest, media: str, usual: str) -> bool:
    """Whether the caller would rather have a media type than the usual one, by their Accept; RFC 9110, 12.5.1."""
    wanted = _weighted(request, "accept")
    return wanted.get(media, 0) > wanted.get(usual, 0)


def languages(request: func.HttpRequest) -> list[str]:
    """The languages that the caller reads, best first, by their Accept-Language; RFC 9110, 12.5.4."""
    wanted = _weighted(request, "accept-language")
    return sorted((each for each in wanted if wanted[each] > 0), key=lambda each: -wanted[each])


def _weighted(request: func.HttpRequest, header: str) -> dict[str, float]:
    """What a header of wishes names, and how much it is wished for."""
    wanted = {}
    for each in str(request.headers.get(header, "")).lower().split(","):
        named, _, weight = each.replace(" ", "").partition(";q=")
        wanted[named.partition(";")[0]] = _weight(weight)
    return wanted


def _weight(text: str) -> float:
    try:
        return float(text or 1)
    except ValueError:
        return 0


def if_match_or(request: func.HttpRequest, read: str) -> str:
    """The version that a change is made to: the one the caller has read, or else `read`."""
    given = if_match(request)
    return read if given in {None, "*"} else str(given)


def only_new(request: func.HttpRequest) -> bool:
    """Whether nothing may be there yet: `If-None-Match: *`. Raises InvalidInputError."""
    value = request.headers.get("if-none-match")
    if value not in {None, "*"}:
        raise InvalidInputError(
            "The header If-None-Match is not valid.", FieldError(field="If-None-Match", message="must be *")
        )
    return value is not None


def idempotency_key(request: func.HttpRequest) -> str | None:
    """The key under which the same request may be sent twice. Raises InvalidInputError."""
    key: str | None = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= IDEMPOTENCY_KEY_MAX:
        message = f"must have 1 to {IDEMPOTENCY_KEY_MAX} characters"
        raise InvalidInputError(
            "The header Idempotency-Key is not valid.", FieldError(field="Idempotency-Key", message=message)
        )
    return key
