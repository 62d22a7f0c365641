"""What the API answers where it refuses, and what every answer has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from functions.answers import answer
from functions.problems import answering
from functions.reference import all_codes
from shared.errors import (
    ConflictError,
    FieldError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    PreconditionFailedError,
    RequestError,
    SettingsError,
    TooManyRequestsError,
    TransientError,
)
from shared.model.documents import Document
from tests.support.factories import a_request

if TYPE_CHECKING:
    import azure.functions as func


class Empty(Document):
    """An answer without members."""


def answer_to(error: Exception) -> func.HttpResponse:
    """What a handler that raises `error` answers."""

    @answering
    def handler(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the host passes it
        raise error

    return handler(a_request())


# --- answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInputError("no"), 400),
        (ForbiddenError("no"), 403),
        (NotFoundError("no"), 404),
        (ConflictError("no"), 409),
        (PreconditionFailedError("no"), 412),
        (SettingsError("no"), 500),
        (TransientError("no"), 503),
        (TooManyRequestsError("no", retry_after=1), 429),
    ],
)
def test_an_error_raised_on_purpose_is_a_problem_document(error: Exception, status: int) -> None:
    refused = answer_to(error)
    document = json.loads(refused.get_body())
    assert (refused.status_code, refused.mimetype) == (status, "application/problem+json")
    assert (document["status"], document["detail"], document["type"]) == (
        status,
        "no",
        f"/api/reasons#{document['code']}",
    )
    assert document["title"]


def test_every_request_error_has_a_title_of_its_own() -> None:
    kinds = RequestError.__subclasses__()
    assert len({kind.title for kind in kinds}) == len({kind.status for kind in kinds}) == len(kinds)


def test_a_bug_is_not_dressed_up() -> None:
    with pytest.raises(ZeroDivisionError):
        answer_to(ZeroDivisionError())


def test_a_problem_names_the_fields_to_change() -> None:
    refused = answer_to(InvalidInputError("no", FieldError(field="mapping.email", message="is missing")))
    assert json.loads(refused.get_body())["errors"] == [{"field": "mapping.email", "message": "is missing"}]


def test_who_must_try_again_is_told_when() -> None:
    assert answer_to(TransientError("no")).headers["Retry-After"] == "5"
    assert answer_to(TransientError("no", retry_after=41.5)).headers["Retry-After"] == "42"


def test_who_asks_too_much_is_told_when_to_ask_again() -> None:
    assert answer_to(TooManyRequestsError("no", retry_after=2.1)).headers["Retry-After"] == "3"


@pytest.mark.parametrize("error", [None, NotFoundError("no"), TransientError("no"), SettingsError("no")])
def test_no_answer_is_kept_or_guessed_at(error: Exception | None) -> None:
    @answering
    def handler(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the host passes it
        if error is not None:
            raise error
        return answer(Empty(), Location="/api/x")

    headers = handler(a_request()).headers
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


def test_an_answer_may_carry_headers_and_a_version() -> None:
    found = answer(Empty(), status=202, etag="0x1", Location="/api/x", Retry_After="3")
    assert (found.status_code, json.loads(found.get_body())) == (202, {})
    assert dict(found.headers) == {"Location": "/api/x", "Retry-After": "3", "ETag": '"0x1"'}


def test_a_request_has_an_id_that_its_refusal_names() -> None:
    first, second = (answer_to(NotFoundError("no")) for _ in range(2))
    ids = [json.loads(each.get_body())["request_id"] for each in (first, second)]
    assert ids == [first.headers["X-Request-Id"], second.headers["X-Request-Id"]]
    assert len(set(ids)) == 2


def test_every_code_of_a_problem_is_explained() -> None:
    codes = {code.code: code for code in all_codes()}
    assert len(codes) == len(all_codes())
    for kind in RequestError.__subclasses__():
        assert codes[str(vars(kind)["code"])].action.endswith(".")
