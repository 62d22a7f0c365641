"""Documents in the bodies of requests, and what is wrong with them, in words."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from functions.merge_patch import merge, require_merge_patch
from shared.errors import FieldError, InvalidInputError
from shared.model.definitions import NAME_FORM
from shared.model.documents import Document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
BODY_MAX: Final = 1_000_000
"""Most bytes of a request body."""
ERRORS_SHOWN: Final = 100
"""Most fields that a refusal names: a body may have a hundred thousand that are wrong."""
FIELD_SHOWN: Final = 200
"""Most characters of a field's name in a refusal."""
A_SEGMENT: Final = "must be the name of a segment: letters, digits, blanks, dots, hyphens and underscores"
AN_IDENTIFIER: Final = "must be 1 to 63 lower-case letters, digits and inner hyphens"


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
