from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions import http_support as answers
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
from shared.model.definitions import ConnectionDraft, Export
from shared.model.documents import Document
from tests.support.factories import LIST_ID, RUN_ID, a_connection, a_draft, a_request, an_export

if TYPE_CHECKING:
    import azure.functions as func


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "mapping", "email", "consent"]), inner, max_size=3)
    ),
)


class WithoutMembers(Document):
    """Options of which there are none."""


def answer_to(error: Exception) -> func.HttpResponse:
    """What a handler that raises `error` answers."""

    @answers.answering
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
    answer = answer_to(error)
    document = json.loads(answer.get_body())
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert (document["status"], document["detail"], document["type"]) == (status, "no", "about:blank")
    assert document["title"]


def test_every_request_error_has_a_title_of_its_own() -> None:
    kinds = RequestError.__subclasses__()
    assert len({kind.title for kind in kinds}) == len({kind.status for kind in kinds}) == len(kinds)


def test_a_bug_is_not_dressed_up() -> None:
    with pytest.raises(ZeroDivisionError):
        answer_to(ZeroDivisionError())


def test_a_problem_names_the_fields_to_change() -> None:
    answer = answer_to(InvalidInputError("no", FieldError(field="mapping.email", message="is missing")))
    assert json.loads(answer.get_body())["errors"] == [{"field": "mapping.email", "message": "is missing"}]


def test_who_must_try_again_is_told_when() -> None:
    assert answer_to(TransientError("no")).headers["Retry-After"] == "5"


def test_who_asks_too_much_is_told_when_to_ask_again() -> None:
    assert answer_to(TooManyRequestsError("no", retry_after=2.1)).headers["Retry-After"] == "3"


@pytest.mark.parametrize("error", [None, NotFoundError("no"), TransientError("no"), SettingsError("no")])
def test_no_answer_is_kept_or_guessed_at(error: Exception | None) -> None:
    @answers.answering
    def handler(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the host passes it
        if error is not None:
            raise error
        return answers.json_answer({}, Location="/api/x")

    headers = handler(a_request()).headers
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


def test_an_answer_may_carry_headers_and_a_version() -> None:
    answer = answers.json_answer({"a": 1}, status=202, etag="0x1", Location="/api/x", Retry_After="3")
    assert (answer.status_code, json.loads(answer.get_body())) == (202, {"a": 1})
    assert dict(answer.headers) == {"Location": "/api/x", "Retry-After": "3", "ETag": '"0x1"'}


# --- parameters ---------------------------------------------------------------------------------------------


def test_the_ids_stand_in_the_route() -> None:
    request = a_request(route_params={"id": "loyal", "run": RUN_ID})
    assert (answers.identifier(request), answers.run_id(request)) == ("loyal", RUN_ID)


@pytest.mark.parametrize("value", ["Loyal", "../x", "", "a b", "x" * 64])
def test_an_id_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        answers.identifier(a_request(route_params={"id": value}))
    assert [error.field for error in caught.value.errors] == ["id"]


def test_a_run_id_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInputError) as caught:
        answers.run_id(a_request(route_params={"run": "latest"}))
    assert [error.field for error in caught.value.errors] == ["run"]


@pytest.mark.parametrize(("params", "expected"), [({}, None), ({"before": RUN_ID}, RUN_ID)])
def test_a_page_may_end_before_a_run(params: dict[str, str], expected: str | None) -> None:
    assert answers.before(a_request(params=params)) == expected


def test_a_page_ends_before_a_run_and_nothing_else() -> None:
    with pytest.raises(InvalidInputError):
        answers.before(a_request(params={"before": "yesterday"}))


@pytest.mark.parametrize(("params", "expected"), [({}, 20), ({"limit": "1"}, 1), ({"limit": "100"}, 100)])
def test_a_number_is_read_or_the_default(params: dict[str, str], expected: int) -> None:
    assert answers.whole_number(a_request(params=params), "limit", default=20, most=100) == expected


@pytest.mark.parametrize(
    "value", ["0", "101", "-1", "1.5", "", "ten", "²", "٣", " 5", pytest.param("9" * 5000, id="5000 digits")]
)
def test_a_number_out_of_bounds_is_refused(value: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        answers.whole_number(a_request(params={"limit": value}), "limit", default=20, most=100)
    assert [error.field for error in caught.value.errors] == ["limit"]


@pytest.mark.parametrize(("header", "etag"), [(None, None), ('"0x1"', "0x1"), ('W/"0x1"', "0x1"), ("0x1", "0x1")])
def test_the_version_that_was_read_stands_in_if_match(header: str | None, etag: str | None) -> None:
    assert answers.if_match(a_request(headers={"If-Match": header} if header else {})) == etag


def test_an_idempotency_key_is_taken_as_it_is() -> None:
    assert answers.idempotency_key(a_request(headers={"Idempotency-Key": "k 1"})) == "k 1"


def test_an_idempotency_key_may_be_left_out() -> None:
    assert answers.idempotency_key(a_request()) is None


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_an_idempotency_key_has_bounds(key: str) -> None:
    with pytest.raises(InvalidInputError):
        answers.idempotency_key(a_request(headers={"Idempotency-Key": key}))


# --- bodies -------------------------------------------------------------------------------------------------


def test_a_definition_is_read_from_the_body() -> None:
    assert answers.parse_definition(a_request(an_export().model_dump(mode="json")), Export) == an_export()


def test_what_was_answered_may_be_sent_back() -> None:
    shown = {"id": "marketing", **a_connection().model_dump(mode="json"), "created_at": "x", "updated_by": "y"}
    assert answers.parse_definition(a_request(shown), ConnectionDraft) == a_draft()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b" " * 1_000_001,
        b'{"a":' + b"9" * 5000 + b"}",
    ],
    ids=lambda body: repr(body[:9]),
)
def test_a_body_that_is_no_definition_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        answers.parse_definition(a_request(body), Export)


@given(body=st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_every_body_is_read_or_refused(body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        answers.parse_definition(a_request(body), Export)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"list_id": "x"}, "list_id"),
        ({"mapping": {}}, "mapping.email"),
        ({"mapping": {"email": ""}}, "mapping.email"),
        ({"schedule": {"kind": "cron", "cron": "x"}}, "schedule.cron"),
        ({"max_contacts": "many"}, "max_contacts"),
        ({"colour": "red"}, "colour"),
    ],
    ids=str,
)
def test_every_field_to_change_is_named(changes: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        answers.parse_definition(a_request(an_export().model_dump(mode="json") | changes), Export)
    assert [error.field for error in caught.value.errors] == [field]


@pytest.mark.parametrize(
    "names", [[f"n{number}" for number in range(30_000)], ["n" * 900_000]], ids=["many", "long"]
)
def test_a_refusal_is_short_and_quick_whatever_is_wrong(names: list[str]) -> None:
    begun = time.monotonic()
    with pytest.raises(InvalidInputError) as caught:
        answers.parse_definition(a_request(dict.fromkeys(names, 1)), ConnectionDraft)
    assert time.monotonic() - begun < 5
    assert 1 <= len(caught.value.errors) <= answers.ERRORS_SHOWN
    assert max(len(error.field) for error in caught.value.errors) <= answers.FIELD_SHOWN


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ["SG.key"]},
        {"list_id": "SG.key"},
        {"connection": "SG.key"},
        {"segments": ["SG.key", "SG.key"]},
        {"schedule": {"kind": "SG.key"}},
        {"schedule": {"kind": "cron", "cron": "SG.key", "time_zone": "SG.key"}},
        {"source": {"format": "SG.key"}},
        {"overlap": "SG.key"},
    ],
    ids=str,
)
def test_no_refusal_repeats_a_value(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        answers.parse_definition(a_request(an_export().model_dump(mode="json") | changes), Export)
    assert caught.value.errors
    assert not [error for error in caught.value.errors if "SG.key" in error.message]


def test_options_may_be_left_out() -> None:
    assert answers.parse_options(a_request(), WithoutMembers) == WithoutMembers()


def test_options_that_are_unknown_are_named() -> None:
    with pytest.raises(InvalidInputError) as caught:
        answers.parse_options(a_request({"list_id": str(LIST_ID)}), WithoutMembers)
    assert [error.field for error in caught.value.errors] == ["list_id"]
