"""What is read from requests: ids in the route, parameters, headers, bodies."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from functions.merge_patch import merge, require_merge_patch
from shared.errors import FieldError, InvalidInputError
from shared.model.definitions import NAME_FORM, Identifier, RunId, SegmentName, TimeZone
from shared.model.documents import Document

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import azure.functions as func
    from pydantic_core import ErrorDetails

READ_ONLY: Final = frozenset(
    {
        *("id", "uid", "type", "created_at", "created_by", "updated_at", "updated_by"),
        *("key_command", "last_run", "next_run_at", "overdue", "waits_for", "warnings"),
        *("last_delivery", "last_error", "last_lost", "gone"),
    }
)
"""Members of an answer that may be sent back in a PUT; they are ignored."""
READ_ONLY_CONSENT: Final = frozenset({"given_by", "given_at"})
"""The same of a consent."""
OF_THE_HOST: Final = frozenset({"code", "clientId"})
"""Parameters in which the host takes keys; https://learn.microsoft.com/azure/azure-functions/function-keys-how-to"""
IDEMPOTENCY_KEY_MAX: Final = 255
"""Most characters of an Idempotency-Key."""
BODY_MAX: Final = 1_000_000
"""Most bytes of a request body."""
ERRORS_SHOWN: Final = 100
"""Most fields that a refusal names: a body may have a hundred thousand that are wrong."""
FIELD_SHOWN: Final = 200
"""Most characters of a field's name in a refusal."""

A_SEGMENT: Final = "must be the name of a segment: letters, digits, blanks, dots, hyphens and underscores"
AN_IDENTIFIER: Final = "must be 1 to 63 lower-case letters, digits and inner hyphens"
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


def parse_definition[D: Document](request: func.HttpRequest, kind: type[D]) -> D:
    """The body of a PUT, in which nothing unknown may stand.

    Who agreed, and when, is known from elsewhere, and ignored here. Raises InvalidInputError naming every field to
    change.
    """
    return validate(kind, without_read_only(json_object(request)))


def patched(request: func.HttpRequest, saved: Document) -> dict[str, Any]:
    """What is saved, as the body of a PATCH changes it. Raises InvalidInputError, UnsupportedMediaError."""
    require_merge_patch(request)
    patch, target = without_read_only(json_object(request)), without_read_only(saved.model_dump(mode="json"))
    try:
        return _merged(target, patch)
    except RecursionError:
        raise InvalidInputError("The body is nested too deeply.") from None


def _merged(target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    if _kind(patch) not in {None, _kind(target)}:
        del target["schedule"]  # one of another kind has none of its members
    if patch.get("list_name") is not None:
        target.pop("list_id", None)  # the name takes its place
    detached = {"connection": None} if patch.get("connection", ...) is None else {}
    return merge(target, patch) | detached


def _kind(document: Mapping[str, Any]) -> str | None:
    """Of the schedule in an export, or in a change to one."""
    schedule = document.get("schedule")
    return str(schedule["kind"]) if isinstance(schedule, dict) and "kind" in schedule else None


def without_read_only(document: dict[str, Any]) -> dict[str, Any]:
    """A definition as it was answered, without what the app itself has put in."""
    found = {name: value for name, value in document.items() if name not in READ_ONLY}
    if isinstance(consent := found.get("consent"), dict):
        found["consent"] = {name: value for name, value in consent.items() if name not in READ_ONLY_CONSENT}
    return found


def parse_options[D: Document](request: func.HttpRequest, kind: type[D]) -> D:
    """The body of a POST, which may be left out. Raises InvalidInputError naming every field to change."""
    return validate(kind, json_object(request) if request.get_body() else {})


def json_object(request: func.HttpRequest) -> dict[str, Any]:
    """The body. Raises InvalidInputError unless it is a JSON object."""
    body = request.get_body()
    if not body:
        message = "The body is empty. A body must announce its length: what is sent in chunks arrives empty."
        raise InvalidInputError(message)
    if len(body) > BODY_MAX:
        raise InvalidInputError(f"The body is longer than {BODY_MAX} bytes.")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
        message = "The body is not JSON."
    else:
        message = "The body is not a JSON object."
    if isinstance(document, dict):
        return document
    raise InvalidInputError(message)  # here, and not where an error that has the body would be its context


WORDS: Final[Mapping[str, str]] = {
    "missing": "is missing",
    "extra_forbidden": "is not known; remove it or correct its name",
    "string_type": "must be text",
    "string_unicode": "must be text that can be written as UTF-8",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is too large",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "union_tag_invalid": "has an unknown kind; it must be {expected_tags}",
    "union_tag_not_found": "must say its kind",
    "uuid_type": "must be a UUID, such as the one in the address of the list at SendGrid",
    "uuid_parsing": "must be a UUID, such as the one in the address of the list at SendGrid",
}
"""What each kind of pydantic's errors is called here: its own words may quote the value."""
FORMS: Final[Mapping[str, str]] = {
    r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$": AN_IDENTIFIER,
    r"^\w[\w .-]{0,126}$": A_SEGMENT,
    r"^[0-9A-Za-z-]{1,127}$": "must be the name of a Key Vault secret: letters, digits and hyphens",
    r"^[\w.-]{1,100}$": "must be the name of a file: letters, digits, dots, hyphens and underscores",
    NAME_FORM: "must be one line with something to see, without characters that turn the direction of writing",
    r"^[A-Za-z_]\w{0,99}$": "must be the name of a custom field: letters, digits and underscores",
}
"""What texts of a certain form are, in words, by the patterns of shared/model."""


def validate[D: Document](kind: type[D], document: dict[str, Any]) -> D:
    """A body as a document of that kind. Raises InvalidInputError naming every field to change."""
    try:
        return kind.model_validate_json(json.dumps(document), extra="forbid")
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    # here, and not where an error that has the body would be its context
    raise InvalidInputError("The body is not valid.", *_field_errors(found))


def parameters[D: Document](kind: type[D], told: Mapping[str, str]) -> D:
    """Parameters as a document of that kind. Raises InvalidInputError naming every one to change."""
    try:
        return validate(kind, dict(told))
    except InvalidInputError as error:
        errors = [FieldError(field=each.field, message=each.message) for each in error.errors]
        raise InvalidInputError("The parameters are not valid.", *errors) from None


def _field_errors(found: Sequence[ErrorDetails]) -> list[FieldError]:
    """The innermost problems: a list is not blamed for being empty when its only item is what is wrong."""
    outer = {problem["loc"][:depth] for problem in found for depth in range(len(problem["loc"]))}
    innermost = (problem for problem in found if problem["loc"] not in outer)
    return [
        FieldError(
            field=".".join(path)[:FIELD_SHOWN] or "body",
            message=_words(problem),
            pointer=_pointer(path)[:FIELD_SHOWN],
        )
        for problem in itertools.islice(innermost, ERRORS_SHOWN)
        for path in [_path(problem["loc"])]
    ]


def _words(problem: ErrorDetails) -> str:
    context = problem.get("ctx", {})
    match problem["type"]:
        case "value_error":
            return problem["msg"].removeprefix("Value error, ")
        case "string_pattern_mismatch":
            return FORMS.get(str(context.get("pattern")), "has characters that are not allowed here")
        case kind:
            return WORDS.get(kind, "is not valid").format(**context)


def _path(place: tuple[int | str, ...]) -> list[str]:
    """The names on the way to a member of the body; the kind of a schedule, which pydantic puts in, is none."""
    names = [str(part) for part in place if part != "[key]"]
    return names[:1] + names[2:] if names[:1] == ["schedule"] and len(names) > 1 else names


def _pointer(path: Sequence[str]) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
