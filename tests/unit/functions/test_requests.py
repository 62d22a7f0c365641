from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions import bodies, requests
from functions.bodies import FORMS
from shared.errors import (
    InvalidInputError,
)
from shared.model.definitions import NAME_FORM, ConnectionDraft, Export
from shared.model.documents import Document
from tests.support.factories import LIST_ID, RUN_ID, a_connection, a_draft, a_request, an_export

ROOT = Path(__file__).parents[3]
RUN_ID_PATTERN = r"^[0-9]{8}T[0-9]{6}Z-[a-z0-9]{1,16}$"
CUSTOM_FIELD_ID_PATTERN = r"^[0-9A-Za-z_]{1,100}$"
"""Neither is in any body."""

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "mapping", "email", "consent"]), inner, max_size=3)
    ),
)


class WithoutMembers(Document):
    """Options of which there are none."""


# --- parameters ---------------------------------------------------------------------------------------------


def test_the_ids_stand_in_the_route() -> None:
    request = a_request(route_params={"id": "loyal", "run": RUN_ID})
    assert (requests.identifier(request), requests.run_id(request)) == ("loyal", RUN_ID)


@pytest.mark.parametrize("value", ["Loyal", "../x", "", "a b", "x" * 64])
def test_an_id_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        requests.identifier(a_request(route_params={"id": value}))
    assert [error.field for error in caught.value.errors] == ["id"]


def test_a_run_id_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInputError) as caught:
        requests.run_id(a_request(route_params={"run": "latest"}))
    assert [error.field for error in caught.value.errors] == ["run"]


@pytest.mark.parametrize(("params", "expected"), [({}, None), ({"before": RUN_ID}, RUN_ID)])
def test_a_page_may_end_before_a_run(params: dict[str, str], expected: str | None) -> None:
    assert requests.before(a_request(params=params)) == expected


def test_a_page_ends_before_a_run_and_nothing_else() -> None:
    with pytest.raises(InvalidInputError):
        requests.before(a_request(params={"before": "yesterday"}))


@pytest.mark.parametrize(("params", "expected"), [({}, 20), ({"limit": "1"}, 1), ({"limit": "100"}, 100)])
def test_a_number_is_read_or_the_default(params: dict[str, str], expected: int) -> None:
    assert requests.whole_number(a_request(params=params), "limit", default=20, most=100) == expected


@pytest.mark.parametrize(
    "value", ["0", "101", "-1", "1.5", "", "ten", "²", "٣", " 5", pytest.param("9" * 5000, id="5000 digits")]
)
def test_a_number_out_of_bounds_is_refused(value: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        requests.whole_number(a_request(params={"limit": value}), "limit", default=20, most=100)
    assert [error.field for error in caught.value.errors] == ["limit"]


@pytest.mark.parametrize(("header", "etag"), [(None, None), ('"0x1"', "0x1"), ('W/"0x1"', "0x1"), ("0x1", "0x1")])
def test_the_version_that_was_read_stands_in_if_match(header: str | None, etag: str | None) -> None:
    assert requests.if_match(a_request(headers={"If-Match": header} if header else {})) == etag


def test_an_idempotency_key_is_taken_as_it_is() -> None:
    assert requests.idempotency_key(a_request(headers={"Idempotency-Key": "k 1"})) == "k 1"


def test_an_idempotency_key_may_be_left_out() -> None:
    assert requests.idempotency_key(a_request()) is None


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_an_idempotency_key_has_bounds(key: str) -> None:
    with pytest.raises(InvalidInputError):
        requests.idempotency_key(a_request(headers={"Idempotency-Key": key}))


# --- bodies -------------------------------------------------------------------------------------------------


def test_a_definition_is_read_from_the_body() -> None:
    assert bodies.parse_definition(a_request(an_export().model_dump(mode="json")), Export) == an_export()


def test_what_was_answered_may_be_sent_back() -> None:
    shown = {"id": "marketing", **a_connection().model_dump(mode="json"), "created_at": "x", "updated_by": "y"}
    assert bodies.parse_definition(a_request(shown), ConnectionDraft) == a_draft()


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
        bodies.parse_definition(a_request(body), Export)


@given(body=st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_every_body_is_read_or_refused(body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        bodies.parse_definition(a_request(body), Export)


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
        bodies.parse_definition(a_request(an_export().model_dump(mode="json") | changes), Export)
    assert [error.field for error in caught.value.errors] == [field]


@pytest.mark.parametrize(
    "names", [[f"n{number}" for number in range(30_000)], ["n" * 900_000]], ids=["many", "long"]
)
def test_a_refusal_is_short_and_quick_whatever_is_wrong(names: list[str]) -> None:
    begun = time.monotonic()
    with pytest.raises(InvalidInputError) as caught:
        bodies.parse_definition(a_request(dict.fromkeys(names, 1)), ConnectionDraft)
    assert time.monotonic() - begun < 5
    assert 1 <= len(caught.value.errors) <= bodies.ERRORS_SHOWN
    assert max(len(error.field) for error in caught.value.errors) <= bodies.FIELD_SHOWN


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
        bodies.parse_definition(a_request(an_export().model_dump(mode="json") | changes), Export)
    assert caught.value.errors
    assert not [error for error in caught.value.errors if "SG.key" in error.message]


def test_options_may_be_left_out() -> None:
    assert bodies.parse_options(a_request(), WithoutMembers) == WithoutMembers()


def test_options_that_are_unknown_are_named() -> None:
    with pytest.raises(InvalidInputError) as caught:
        bodies.parse_options(a_request({"list_id": str(LIST_ID)}), WithoutMembers)
    assert [error.field for error in caught.value.errors] == ["list_id"]


@pytest.mark.parametrize(
    ("changes", "pointer", "message"),
    [
        ({"mapping": {}}, "/mapping/email", "is missing"),
        ({"name": 5}, "/name", "must be text"),
        ({"name": ""}, "/name", "must have at least 1 characters"),
        ({"max_contacts": 0}, "/max_contacts", "must be at least 1"),
        ({"max_contacts": "5"}, "/max_contacts", "must be a whole number"),
        ({"enabled": "yes"}, "/enabled", "must be true or false"),
        ({"segments": []}, "/segments", "must have at least 1 items"),
        ({"segments": "Loyal"}, "/segments", "must be a list"),
        ({"segments": ["Loyal", "a/b"]}, "/segments/1", FORMS[r"^\w[\w .-]{0,126}$"]),
        ({"connection": "No such id"}, "/connection", FORMS[r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"]),
        ({"mapping": []}, "/mapping", "must be an object"),
        ({"mapping": {"email": "E", "custom_fields": {"a/b~c": "C"}}}, "/mapping/custom_fields/a~1b~0c", None),
        ({"overlap": "never"}, "/overlap", "must be 'wait' or 'skip'"),
        (
            {"schedule": {"kind": "often"}},
            "/schedule",
            "has an unknown kind; it must be 'refresh', 'cron', 'arrival', 'off'",
        ),
        ({"schedule": {"kind": "cron", "cron": "0 25 * * *"}}, "/schedule/cron", None),
    ],
    ids=str,
)
def test_what_is_wrong_is_told_in_our_words_and_by_a_pointer(
    changes: dict[str, object], pointer: str, message: str | None
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        bodies.parse_definition(a_request(an_export().model_dump(mode="json") | changes), Export)
    (found,) = caught.value.errors
    assert found.pointer == pointer
    assert message in {None, found.message}


@given(changes=st.dictionaries(st.sampled_from(sorted(Export.model_fields)), json_values, min_size=1))
def test_no_librarys_words_and_no_pattern_are_told(changes: dict[str, object]) -> None:
    try:
        bodies.parse_definition(a_request(an_export().model_dump(mode="json") | changes), Export)
    except InvalidInputError as error:
        told = " ".join(each.message for each in error.errors)
        assert not [word for word in ("Input should", "valid", "pydantic", "^", "\\w") if word in told]


@pytest.mark.parametrize(
    "name", ["", " ", "\t\n", "Two\nlines", "\u202emoc.elpmaxe", "a\u2067b", "\u200b\u200f", "a\x00"]
)
def test_a_name_is_one_line_with_something_to_see(name: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        bodies.parse_definition(a_request(an_export().model_dump(mode="json") | {"name": name}), Export)
    (found,) = caught.value.errors
    assert found.pointer == "/name"


@pytest.mark.parametrize("name", ["Neuigkeiten", "שלום (2026)", "مرحبا", "電子報", "Ünïcödé 👩‍👩‍👧", "क्‍ष", "a"])
def test_a_name_may_be_of_any_language(name: str) -> None:
    document = an_export().model_dump(mode="json") | {"name": name}
    assert bodies.parse_definition(a_request(document), Export).name == name


def test_every_form_has_its_words() -> None:
    patterns = re.findall(r'pattern=r"([^"]+)"', (ROOT / "shared/model/definitions.py").read_text())
    assert NAME_FORM in FORMS
    assert set(patterns) - set(FORMS) == {RUN_ID_PATTERN, CUSTOM_FIELD_ID_PATTERN}


def test_a_parameter_that_is_misspelt_is_not_ignored() -> None:
    requests.require_known({"limit": "5", "code": "key"}, {"limit"})
    with pytest.raises(InvalidInputError) as caught:
        requests.require_known({"limmit": "5"}, {"limit"})
    assert [(error.field, error.message) for error in caught.value.errors] == [
        ("limmit", "is not known; there are limit")
    ]


@pytest.mark.parametrize(("header", "expected"), [(None, False), ("*", True)])
def test_what_is_to_be_new_says_so(header: str | None, *, expected: bool) -> None:
    request = a_request(headers={"If-None-Match": header} if header else {})
    assert requests.only_new(request) is expected


def test_no_version_is_asked_to_be_another() -> None:
    with pytest.raises(InvalidInputError):
        requests.only_new(a_request(headers={"If-None-Match": '"0x1"'}))
