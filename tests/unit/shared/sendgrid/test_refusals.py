from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.limits import MESSAGE_MAX
from shared.sendgrid.decisions import decide
from shared.sendgrid.refusals import (
    WORDS_IN_ALL_MAX,
    WORDS_MAX,
    NamedContacts,
    named_contacts,
    told,
    words_to_judge,
)
from tests.support.factories import NOW, an_answer, an_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.sendgrid.api import Response

names = st.sampled_from(["errors", "message", "field", "error_id"])
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
)
bodies = st.binary() | documents.map(lambda value: json.dumps(value).encode())
DECIPHERERS: list[Callable[[Response], object]] = [told, words_to_judge, named_contacts]


def test_nobody_appears_in_the_repr_of_who_is_named() -> None:
    assert "nora" not in repr(NamedContacts(emails=frozenset({"nora@example.com"})))


# --- whatever comes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("decipher", DECIPHERERS)
@given(body=bodies)
def test_any_body_is_survived(decipher: Callable[[Response], object], body: bytes) -> None:
    decipher(an_answer(400, body))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="deeply nested"),
        *(
            pytest.param(b'{"message":' + b"[" * depth + b"]" * depth + b"}", id=f"a message {depth} deep")
            for depth in (500, 900, 1_500, 3_000)
        ),
        pytest.param(b'{"errors":[{"message":"x","field":"contacts[' + b"9" * 5000 + b']"}]}', id="huge index"),
    ],
)
def test_an_unheard_of_body_is_survived(body: bytes) -> None:
    for decipher in DECIPHERERS:
        decipher(an_answer(400, body))


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("a" * 9_000_000, id="no blank"),
        pytest.param("'" * 9_000_000, id="quotation marks"),
        pytest.param("a@" * 4_500_000, id="at signs"),
        pytest.param("email '" * 1_200_000, id="beginnings of the documented words"),
        pytest.param("custom field ids supplied - " + "w1, " * 2_000_000, id="ids"),
        pytest.param("ip " * 3_000_000, id="ip"),
    ],
)
@pytest.mark.parametrize("status", [400, 401, 403, 422])
def test_ten_megabytes_take_no_time(message: str, status: int) -> None:
    answer = an_error(message, status)
    before = time.process_time()
    decide(answer, attempt=1, now=NOW, jitter=0)
    assert time.process_time() - before < 1


@pytest.mark.parametrize("message", ["a" * (WORDS_MAX - 1) + "@", "'" * WORDS_MAX, "email 'a' " * 50])
def test_many_errors_take_no_time(message: str) -> None:
    answer = an_answer(400, {"errors": [{"message": message}] * (9_000_000 // WORDS_MAX)})
    before = time.process_time()
    decide(answer, attempt=1, now=NOW, jitter=0)
    assert time.process_time() - before < 2


# --- words that are kept ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {"errors": [{"message": "not found", "field": None, "error_id": "", "parameter": ""}], "id": "x"},
        {"errors": {"message": "not found"}},
        {"message": "not found", "error_id": "", "parameter": ""},
        [{"message": "not found"}],
    ],
    ids=["usual", "errors is one error", "bare object", "bare array"],
)
def test_the_message_is_found_in_every_shape(body: object) -> None:
    assert told(an_answer(400, body)) == "not found"


@pytest.mark.parametrize("body", [b"", b"<html>413</html>", b"null", b'"text"', b"7", b'{"errors":null}'])
def test_without_a_message_the_status_is_told(body: bytes) -> None:
    assert told(an_answer(413, body)) == "413"


@pytest.mark.parametrize(
    "message",
    [
        "too many requests",
        "Too many bad requests. Temporary block",
        "The provided authorization grant is invalid, expired, or revoked",
        "The requestor's IP Address is not whitelisted",
        "Maximum credits exceeded",
        "you have hit your contact limit",
        "Unavailable due to data residency restrictions",
        'custom field "e1_T" cannot be null',
        "invalid custom field ids supplied - w1, e4_T",
        "length should be less than 50 characters",
        "list not found",
        "phone number is not valid",
    ],
)
def test_a_message_that_is_known_is_told_as_it_came(message: str) -> None:
    assert told(an_error(message)) == message


@pytest.mark.parametrize(
    "message",
    [
        "Ada Lovelace is not valid for last_name",
        "phone +46701234567 invalid",
        "“Ada” is not valid",
        "`Ada` is not valid",
        "the address ada.lovelace @example.com is not valid",
        "first_name 'Ada' isn't valid, last_name 'Ada' isn't either",
        "Ada is not valid",
        "too many requests by Ada",
        "not found: Ada",
        "email is not valid\nAda",
        'custom field "Ada" cannot be null',
        "invalid custom field ids supplied - Ada",
        "email 'ada@example.com' is not valid",
        "email 'Ada' is not valid' is not valid",
        "Email_address ada@example.com is not valid",
    ],
)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 451])
def test_nobody_who_is_quoted_is_kept(message: str, status: int) -> None:
    answer = an_error(message, status, field="Ada", error_id="Ada", help="Ada")
    decision = decide(answer, attempt=9, now=NOW, jitter=0)
    assert decision.reason is not None
    kept = decision.reason.message.lower()
    assert not [word for word in ("ada", "lovelace", "4670") if word in kept]


def test_the_documented_words_for_a_bad_address_are_kept_without_it() -> None:
    assert told(an_error("email 'ada@example.com' is not valid")) == "email '…' is not valid"


sentences = st.text(max_size=40)


@given(address=st.emails(), before=sentences, after=sentences, quote=st.sampled_from(["'", '"', "", "`", "<"]))
def test_no_address_is_told(address: str, before: str, after: str, quote: str) -> None:
    assert address not in told(an_error(f"{before}{quote}{address}{quote}{after}"))


@given(address=st.emails(), body=documents)
def test_no_address_is_told_from_anywhere(address: str, body: Any) -> None:  # noqa: ANN401 - any JSON
    answer = an_answer(400, {"errors": [{"message": [address, body]}, {"message": {address: body}}]})
    assert address not in told(answer)


def test_of_other_errors_status_field_and_error_id_are_told() -> None:
    error_id = "0f8fad5b-d9cb-469f-a165-70867728950e"
    answer = an_error("Ada is odd", field="contacts[3].last_name", error_id=error_id)
    assert told(answer) == f"400, field contacts[3].last_name, error id {error_id}"


@pytest.mark.parametrize(
    "place", ["contacts[3].Ada", "Ada", "contacts[Ada]", "last_name Ada", "contacts[3].email\n"]
)
def test_a_field_that_is_none_is_not_told(place: str) -> None:
    assert told(an_error("odd", field=place)) == "400"


@pytest.mark.parametrize("error_id", ["Ada", "46701234567", "ada-bead", 7, ["Ada"]])
def test_an_error_id_that_may_be_a_value_is_not_told(error_id: object) -> None:
    assert told(an_error("odd", error_id=error_id)) == "400"


def test_what_is_said_twice_is_told_once() -> None:
    assert told(an_answer(400, {"errors": [{"message": "not found"}] * 5})) == "not found"


@given(messages=st.lists(st.text(), max_size=8))
def test_what_is_told_is_never_long(messages: list[str]) -> None:
    body = {"errors": [{"message": message * 100} for message in messages]}
    assert len(told(an_answer(400, body))) <= MESSAGE_MAX


@pytest.mark.parametrize("message", ["email 'contact limit@x' is not valid", "'temporary block' is no name"])
def test_what_is_quoted_decides_nothing(message: str) -> None:
    words = words_to_judge(an_error(message))
    assert not [refusal for refusal in ("contact limit", "temporary block") if refusal in words]


# --- who is named -------------------------------------------------------------------------------------------


@given(indexes=st.sets(st.integers(0, 29_999), min_size=1, max_size=20))
def test_contacts_are_named_by_index(indexes: set[int]) -> None:
    errors = [{"field": f"contacts[{index}].identifier", "message": "not valid"} for index in indexes]
    assert named_contacts(an_answer(400, {"errors": errors})) == NamedContacts(indexes=frozenset(indexes))


def test_an_index_may_stand_in_the_message() -> None:
    assert named_contacts(an_error("contacts[7].email is not valid")).indexes == {7}


@given(address=st.emails())
@example(address="nora.o'brien@example.com")
@example(address="o'brien'smith@example.com")
def test_contacts_are_named_by_address(address: str) -> None:
    named = named_contacts(an_error(f"email '{address}' is not valid"))
    assert named == NamedContacts(emails=frozenset({address.lower()}))


def test_an_address_may_stand_in_double_quotes() -> None:
    assert named_contacts(an_error('the email "Nora@example.com" is not valid')).emails == {"nora@example.com"}


def test_a_quoted_word_that_is_no_address_may_be_one_that_is_refused() -> None:
    assert named_contacts(an_error("email 'nora.example' is not valid")).emails == {"nora.example"}


def test_several_errors_name_several_contacts() -> None:
    errors = [
        {"field": "contacts[4].identifier", "message": "email 'a@example' is not valid"},
        {"message": "email 'b@example' is not valid"},
    ]
    named = named_contacts(an_answer(400, {"errors": errors}))
    assert named == NamedContacts(indexes=frozenset({4}), emails=frozenset({"b@example"}))


def test_a_refusal_may_name_nobody() -> None:
    assert not named_contacts(an_error("invalid request body"))


def test_a_bounded_number_of_errors_is_looked_at() -> None:
    errors = [{"field": f"contacts[{number}].email", "message": "x" * WORDS_MAX} for number in range(5_000)]
    answer = an_answer(400, {"errors": errors})
    assert 0 < len(named_contacts(answer).indexes) <= WORDS_IN_ALL_MAX / WORDS_MAX
