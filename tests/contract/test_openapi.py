"""The check of recorded traffic finds what is wrong with it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from local.sendgrid_simulator.faults import Fault, FaultKind
from tests.support.openapi import VARIABLE, find_specifications, validate_exchange
from tests.support.simulated import CONTACTS

if TYPE_CHECKING:
    from tests.contract.conftest import Recording

pytestmark = pytest.mark.usefixtures("_specifications")

type Exchange = dict[str, Any]

ANN = {"email": "ann@example.com"}


@pytest.fixture
def exchange(recording: "Recording") -> Exchange:
    """A good exchange, to be spoilt."""
    recording.sendgrid.put(ANN)
    return recording.last()


def contact(**members: object) -> str:
    return json.dumps({"contacts": [ANN | members]})


def test_a_good_exchange_has_no_violations(exchange: Exchange) -> None:
    assert validate_exchange(exchange) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (contact(first_name="x" * 51), "request: $.contacts[0].first_name: 'xxx"),
        (contact(first_name=5), "request: $.contacts[0].first_name: 5 is not of type 'string'"),
        (contact(frist_name="x"), "request: contacts have a member 'frist_name', which SendGrid does not know"),
        (json.dumps({"contacts": []}), "request: $.contacts: [] should be non-empty"),
        (json.dumps({"contacts": [ANN] * 30_001}), "request: $.contacts:"),
        (json.dumps({"contacts": [ANN], "list_ids": ["x"]}), "request: $.list_ids[0]: 'x' is not a 'uuid'"),
        (json.dumps({}), "request: $: 'contacts' is a required property"),
        ("{", "request:"),
        ("", "request:"),
    ],
)
def test_a_bad_request_body_is_found(exchange: Exchange, body: str, expected: str) -> None:
    (violation, *_) = validate_exchange(exchange | {"request_body": body})
    assert violation.startswith(expected)


@pytest.mark.parametrize(
    ("spoilt", "expected"),
    [
        ({"path": "/v3/marketing/contact"}, "request: PUT /v3/marketing/contact is not in the specification"),
        ({"method": "POST"}, "request: POST /v3/marketing/contacts is not in the specification"),
        ({"request_headers": {"content-type": "text/plain"}}, "request:"),
        ({"status": 200}, "response: PUT /v3/marketing/contacts does not answer 200"),
        ({"response_body": '{"job_id": 5}'}, "response: $.job_id: 5 is not of type 'string'"),
        ({"response_body": "<html>"}, "response:"),
        ({"response_headers": {"content-type": "text/html"}}, "response:"),
    ],
)
def test_anything_else_bad_is_found(exchange: Exchange, spoilt: Exchange, expected: str) -> None:
    (violation, *_) = validate_exchange(exchange | spoilt)
    assert violation.startswith(expected)


@pytest.mark.parametrize("value", [5, "x"])
def test_a_custom_field_may_be_a_number_even_under_the_id_of_the_example(
    exchange: Exchange, value: object
) -> None:
    assert validate_exchange(exchange | {"request_body": contact(custom_fields={"w1": value})}) == []


@pytest.mark.parametrize("query", ["page_size=1001", "page_size=x"])
def test_a_bad_query_is_found(recording: "Recording", query: str) -> None:
    recording.sendgrid.api.get(f"/v3/marketing/lists?{query}")
    assert validate_exchange(recording.last())


def test_a_missing_query_is_found(recording: "Recording") -> None:
    recording.sendgrid.api.delete(f"/v3/marketing/lists/{recording.sendgrid.list_id}/contacts")
    assert "contact_ids" in validate_exchange(recording.last())[0]


def test_an_answer_that_a_fault_gave_is_not_held_against_the_specification(recording: "Recording") -> None:
    recording.sendgrid.control.inject(Fault(kind=FaultKind.ANSWER, status=599, body="html"))
    recording.sendgrid.put(ANN)
    assert validate_exchange(recording.last()) == []


def test_the_request_of_such_an_exchange_is_judged_all_the_same(recording: "Recording") -> None:
    recording.sendgrid.control.inject(Fault(kind=FaultKind.ANSWER))
    recording.sendgrid.put(ANN | {"first_name": 5})
    assert len(validate_exchange(recording.last())) == 1


def test_a_request_that_was_reset_is_not_judged_beyond_its_path(recording: "Recording") -> None:
    recording.sendgrid.control.inject(Fault(kind=FaultKind.RESET_BEFORE_BODY))
    with pytest.raises(httpx.TransportError):
        recording.sendgrid.api.put(CONTACTS, content=b"x")
    assert validate_exchange(recording.last()) == []


def test_a_folder_without_specifications_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert find_specifications() is None


def test_a_folder_with_specifications_is_found_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = find_specifications()
    assert folder
    monkeypatch.setenv(VARIABLE, str(folder.resolve()))
    assert find_specifications() == folder.resolve()
