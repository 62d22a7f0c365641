"""Answers to requests that were refused: https://www.rfc-editor.org/rfc/rfc9457."""

from __future__ import annotations

import functools
import math
import uuid
from contextvars import ContextVar
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import azure.functions as func

from shared.errors import (
    InvalidInputError,
    RequestError,
    RunEndError,
    SettingsError,
    TooManyRequestsError,
    TransientError,
)
from shared.model.documents import Document
from shared.model.problems import ProblemCode
from shared.model.reason_codes import ReasonCode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.errors import FieldError

    type Handler = Callable[[func.HttpRequest], func.HttpResponse]

PROBLEM_TYPE: Final = "application/problem+json"
EVERYWHERE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Headers of every answer that does not say otherwise: each may tell of people, definitions or runs."""
BUSY_RETRY_AFTER: Final = 5
"""Seconds after which to ask again when storage or the vault is away, unless it says that it takes longer."""
REQUEST_ID: Final[ContextVar[str]] = ContextVar("request_id", default="")
"""Of the request that is being answered; its answer, its log lines and its entries in the audit log have it."""


class Fault(Document):
    """What is wrong with one part of a request."""

    field: str
    """Dotted path of a member of the body, or name of a parameter or header."""
    pointer: str | None = None
    """Of a member of the body, by RFC 6901."""
    message: str
    """What to change."""


class Problem(Document):
    """Why a request was refused."""

    type: str
    """Where the code is explained, relative to the app."""
    title: str
    status: int
    detail: str
    code: str
    """For programs; `GET /api/reasons` has all of them, with what to do."""
    request_id: str
    errors: tuple[Fault, ...] | None = None


def answering(handler: Handler) -> Handler:
    """Turn what the handler raises on purpose into a problem document; say how long every answer is.

    The host sends whole answers in chunks, without a length, unless it is told. No answer is kept on the way, and
    none is taken for anything but what it says it is.
    """

    @functools.wraps(handler)
    def answer(request: func.HttpRequest) -> func.HttpResponse:
        REQUEST_ID.set(uuid.uuid4().hex[:16])
        found = answered(handler, request)
        for name, value in EVERYWHERE.items():
            found.headers.setdefault(name, value)
        found.headers["X-Request-Id"] = REQUEST_ID.get()
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
        return problem(error.status, error.title, str(error), code=error.code, errors=error.errors)
    except RequestError as error:
        refused = problem(error.status, error.title, str(error), code=error.code)
        if error.status == HTTPStatus.UNAUTHORIZED:
            refused.headers["WWW-Authenticate"] = "Bearer"
        if isinstance(error, TooManyRequestsError):
            refused.headers["Retry-After"] = str(math.ceil(error.retry_after))
        return refused
    except RunEndError as error:
        status = 404 if error.reason.code is ReasonCode.EXPORT_MISSING else 409
        return problem(status, HTTPStatus(status).phrase, str(error), code=error.reason.code)
    except SettingsError as error:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return problem(status, "The app is not set up", str(error), code=ProblemCode.NOT_SET_UP)
    except TransientError as error:
        status = HTTPStatus.SERVICE_UNAVAILABLE
        answer = problem(status, "Try again later", str(error), code=ProblemCode.TRY_AGAIN_LATER)
        answer.headers["Retry-After"] = str(max(BUSY_RETRY_AFTER, math.ceil(error.retry_after or 0)))
        return answer


def problem(
    status: int, title: str, detail: str, *, code: str, errors: Sequence[FieldError] = ()
) -> func.HttpResponse:
    """A problem document."""
    faults = tuple(Fault(field=error.field, pointer=error.pointer, message=error.message) for error in errors)
    document = Problem(
        type=f"/api/reasons#{code}",
        title=title,
        status=int(status),
        detail=detail,
        code=code,
        request_id=REQUEST_ID.get(),
        errors=faults or None,
    )
    body = document.model_dump_json(exclude_none=True)
    return func.HttpResponse(body, status_code=int(status), mimetype=PROBLEM_TYPE, charset="utf-8")
