"""HTTP's border: callers, bodies and parameters in; JSON and problem documents out.

Errors are problem documents, https://www.rfc-editor.org/rfc/rfc9457.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import azure.functions as func
from pydantic import TypeAdapter, ValidationError

from shared.errors import (
    FieldError,
    InvalidInputError,
    RequestError,
    RunEndError,
    SettingsError,
    TooManyRequestsError,
    TransientError,
)
from shared.model.definitions import Identifier, RunId
from shared.model.documents import Document
from shared.model.reasons import ReasonCode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic_core import ErrorDetails

    from shared.model.definitions import Connection, Export, Saved

    type Handler = Callable[[func.HttpRequest], func.HttpResponse]

READ_ONLY: Final = frozenset({"id", "uid", "type", "created_at", "created_by", "updated_at", "updated_by"})
"""Members of an answer that may be sent back in a PUT; they are ignored."""
READ_ONLY_CONSENT: Final = frozenset({"given_by", "given_at"})
"""The same of a consent."""
IDEMPOTENCY_KEY_MAX: Final = 255
"""Most characters of an Idempotency-Key."""
BODY_MAX: Final = 1_000_000
"""Most bytes of a request body."""
ERRORS_SHOWN: Final = 100
"""Most fields that a refusal names: a body may have a hundred thousand that are wrong."""
FIELD_SHOWN: Final = 200
"""Most characters of a field's name in a refusal."""
EVERYWHERE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Headers of every answer: each may tell of people, definitions or runs."""
BUSY_RETRY_AFTER: Final = 5
"""Seconds after which to ask again when storage or the vault is away."""


def answering(handler: Handler) -> Handler:
    """Turn what the handler raises on purpose into a problem document; say how long every answer is.

    The host sends whole answers in chunks, without a length, unless it is told. No answer is kept on the way, and
    none is taken for anything but what it says it is.
    """

    @functools.wraps(handler)
    def answer(request: func.HttpRequest) -> func.HttpResponse:
        found = answered(handler, request)
        found.headers.update(EVERYWHERE)
        body = found.get_body()
        if body:
            found.headers["Content-Length"] = str(len(body))
        return found

    return answer


def answered(handler: Handler, request: func.HttpRequest) -> func.HttpResponse:
    """What the handler answers, or the problem document of what it raises on purpose."""
    try:
        return handler(request)
    except InvalidInputError as error:
        return problem(error.status, error.title, str(error), errors=error.errors)
    except RequestError as error:
        refused = problem(error.status, error.title, str(error))
        if error.status == HTTPStatus.UNAUTHORIZED:
            refused.headers["WWW-Authenticate"] = "Bearer"
        if isinstance(error, TooManyRequestsError):
            refused.headers["Retry-After"] = str(math.ceil(error.retry_after))
        return refused
    except RunEndError as error:
        status = 404 if error.reason.code is ReasonCode.EXPORT_MISSING else 409
        return problem(status, HTTPStatus(status).phrase, str(error), code=error.reason.code)
    except SettingsError as error:
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The app is not set up", str(error))
    except TransientError as error:
        answer = problem(HTTPStatus.SERVICE_UNAVAILABLE, "Try again later", str(error))
        answer.headers["Retry-After"] = str(BUSY_RETRY_AFTER)
        return answer


def problem(
    status: int, title: str, detail: str, *, code: str | None = None, errors: Sequence[FieldError] = ()
) -> func.HttpResponse:
    """A problem document."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": int(status),
        "detail": detail,
    }
    if code is not None:
        document["code"] = code
    if errors:
        document["errors"] = [{"field": error.field, "message": error.message} for error in errors]
    return func.HttpResponse(
        json.dumps(document), status_code=int(status), mimetype="application/problem+json", charset="utf-8"
    )


def json_answer(
    document: object, *, status: int = 200, etag: str | None = None, **headers: str
) -> func.HttpResponse:
    """A JSON answer; header names are given with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if etag is not None:
        named["ETag"] = f'"{etag}"'
    return func.HttpResponse(
        json.dumps(document), status_code=status, headers=named, mimetype="application/json", charset="utf-8"
    )


def saved_view(saved: Saved[Connection] | Saved[Export]) -> dict[str, object]:
    """A saved definition as it is answered: its members beside id and times."""
    document = saved.model_dump(mode="json")
    definition = document.pop("definition")
    return {"id": document.pop("id"), **definition, **document}


_IDENTIFIER: Final[TypeAdapter[str]] = TypeAdapter(Identifier)
_RUN_ID: Final[TypeAdapter[str]] = TypeAdapter(RunId)


def identifier(request: func.HttpRequest, name: str = "id") -> str:
    """The id in the route. Raises InvalidInputError."""
    try:
        return _IDENTIFIER.validate_python(request.route_params.get(name))
    except ValidationError:
        message = "must be 1 to 63 lower-case letters, digits and inner hyphens"
        raise InvalidInputError(
            "The id in the address is not valid.", FieldError(field=name, message=message)
        ) from None


def run_id(request: func.HttpRequest) -> str:
    """The run in the route. Raises InvalidInputError."""
    return _run_id(request.route_params.get("run"), "run")


def _run_id(value: object, field: str) -> str:
    try:
        return _RUN_ID.validate_python(value)
    except ValidationError:
        message = "must be the id of a run, such as 20260101T060000Z-scheduled"
        raise InvalidInputError(
            "The id of the run is not valid.", FieldError(field=field, message=message)
        ) from None


def before(request: func.HttpRequest) -> str | None:
    """The run that the page ends before. Raises InvalidInputError."""
    value = request.params.get("before")
    return None if value is None else _run_id(value, "before")


def whole_number(request: func.HttpRequest, name: str, *, default: int, most: int) -> int:
    """A parameter from 1 to `most`. Raises InvalidInputError."""
    value = request.params.get(name, str(default))
    if value.isascii() and value.isdecimal() and len(value) <= len(str(most)) and 1 <= int(value) <= most:
        return int(value)
    raise InvalidInputError(
        f"The parameter {name} is not valid.",
        FieldError(field=name, message=f"must be a whole number from 1 to {most}"),
    )


def if_match(request: func.HttpRequest) -> str | None:
    """The version the caller has read, when it says so."""
    value = request.headers.get("if-match")
    return value.removeprefix("W/").strip('"') if value else None


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
    document = _json_object(request)
    if isinstance(consent := document.get("consent"), dict):
        document["consent"] = {name: value for name, value in consent.items() if name not in READ_ONLY_CONSENT}
    return _validate(kind, {name: value for name, value in document.items() if name not in READ_ONLY})


def parse_options[D: Document](request: func.HttpRequest, kind: type[D]) -> D:
    """The body of a POST, which may be left out. Raises InvalidInputError naming every field to change."""
    return _validate(kind, _json_object(request) if request.get_body() else {})


def _json_object(request: func.HttpRequest) -> dict[str, Any]:
    body = request.get_body()
    if not body:
        message = "The body is empty. A body must announce its length: what is sent in chunks arrives empty."
        raise InvalidInputError(message)
    if len(body) > BODY_MAX:
        raise InvalidInputError(f"The body is longer than {BODY_MAX} bytes.")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidInputError("The body is not JSON.") from None
    if not isinstance(document, dict):
        raise InvalidInputError("The body is not a JSON object.")
    return document


_MESSAGES: Final = {
    "union_tag_invalid": "has an unknown kind",
    "uuid_parsing": "must be a UUID, such as the one in the address of the list at SendGrid",
    "extra_forbidden": "is not known; remove it or correct its name",
    "missing": "is missing",
}
"""Better words than pydantic's, which in some cases quote the value."""


def _validate[D: Document](kind: type[D], document: dict[str, Any]) -> D:
    try:
        return kind.model_validate_json(json.dumps(document), extra="forbid")
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise InvalidInputError("The body is not valid.", *_field_errors(found)) from None


def _field_errors(found: Sequence[ErrorDetails]) -> list[FieldError]:
    """The innermost problems: a list is not blamed for being empty when its only item is what is wrong."""
    outer = {problem["loc"][:depth] for problem in found for depth in range(len(problem["loc"]))}
    innermost = (problem for problem in found if problem["loc"] not in outer)
    return [
        FieldError(
            field=".".join(_path(problem["loc"]))[:FIELD_SHOWN] or "body",
            message=_MESSAGES.get(problem["type"], problem["msg"]).removeprefix("Value error, "),
        )
        for problem in itertools.islice(innermost, ERRORS_SHOWN)
    ]


def _path(place: tuple[int | str, ...]) -> list[str]:
    """The names on the way to a member of the body; the kind of a schedule, which pydantic puts in, is none."""
    names = [str(part) for part in place]
    return names[:1] + names[2:] if names[:1] == ["schedule"] and len(names) > 1 else names
