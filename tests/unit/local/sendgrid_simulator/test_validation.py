import uuid

import pytest

from tests.support.simulated import CONTACTS, InMemorySendGrid

ANN = {"email": "ann@example.com"}


def test_an_invalid_email_refuses_the_request_in_the_documented_words(sendgrid: InMemorySendGrid) -> None:
    assert sendgrid.errors(ANN, {"email": "not an address"}) == [
        {"field": "contacts[1].identifier", "message": "email 'not an address' is not valid"}
    ]


def test_a_refused_request_stores_none_of_its_contacts(sendgrid: InMemorySendGrid) -> None:
    sendgrid.errors(ANN, {"email": "not an address"})
    sendgrid.clock.pass_(10)
    assert sendgrid.control.counts().contacts == 0


def test_every_invalid_email_is_named(sendgrid: InMemorySendGrid) -> None:
    errors = sendgrid.errors({"email": "x"}, ANN, {"email": "y"})
    assert [each["field"] for each in errors] == ["contacts[0].identifier", "contacts[2].identifier"]


def test_a_contact_without_any_identifier_is_refused(sendgrid: InMemorySendGrid) -> None:
    assert sendgrid.errors({"first_name": "Ann"})[0]["field"] == "contacts[0].identifier"


def test_a_phone_number_identifier_must_be_a_phone_number(sendgrid: InMemorySendGrid) -> None:
    assert sendgrid.errors({"phone_number_id": "12"})[0]["field"] == "contacts[0].identifier"


@pytest.mark.parametrize(
    ("field", "length"),
    [
        ("first_name", 50),
        ("last_name", 50),
        ("address_line_1", 100),
        ("address_line_2", 100),
        ("city", 60),
        ("state_province_region", 50),
        ("country", 50),
        ("external_id", 254),
        ("anonymous_id", 254),
    ],
)
def test_a_field_may_be_as_long_as_documented_and_no_longer(
    sendgrid: InMemorySendGrid, field: str, length: int
) -> None:
    sendgrid.start_job(ANN | {field: "ü" * length})
    assert sendgrid.errors(ANN, ANN | {field: "ü" * (length + 1)})[0]["field"] == f"contacts[1].{field}"


@pytest.mark.parametrize("value", [None, 5, ["x"]])
def test_a_text_field_must_be_a_string(sendgrid: InMemorySendGrid, value: object) -> None:
    assert sendgrid.errors(ANN | {"first_name": value})[0]["field"] == "contacts[0].first_name"


def test_an_email_that_is_too_long_is_refused(sendgrid: InMemorySendGrid) -> None:
    email = "a" * 64 + "@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 61 + ".de"
    assert sendgrid.errors({"email": email})[0]["field"] == "contacts[0].email"


def test_six_alternate_emails_are_too_many(sendgrid: InMemorySendGrid) -> None:
    alternates = [f"{number}@example.com" for number in range(6)]
    sendgrid.start_job(ANN | {"alternate_emails": alternates[:5]})
    assert sendgrid.errors(ANN | {"alternate_emails": alternates})[0]["field"] == "contacts[0].alternate_emails"


def test_an_alternate_email_must_be_valid(sendgrid: InMemorySendGrid) -> None:
    assert sendgrid.errors(ANN | {"alternate_emails": ["x"]})[0]["message"] == "email 'x' is not valid"


def test_unknown_custom_fields_are_listed_in_the_documented_words(sendgrid: InMemorySendGrid) -> None:
    errors = sendgrid.errors(ANN | {"custom_fields": {"b": 1}}, ANN | {"custom_fields": {"a": 1, "b": 1}})
    assert [each["message"] for each in errors] == ["invalid custom field ids supplied - a,b"]


def test_a_custom_field_is_not_known_by_its_name(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.create_custom_field("shoe", "Text")
    assert sendgrid.errors(ANN | {"custom_fields": {"shoe": 1}})


def test_a_custom_field_cannot_be_null(sendgrid: InMemorySendGrid) -> None:
    field = sendgrid.control.create_custom_field("shoe", "Text")
    errors = sendgrid.errors(ANN | {"custom_fields": {field: None}})
    assert errors[0]["message"] == f'custom field "{field}" cannot be null'


@pytest.mark.parametrize("value", [True, ["x"], {"a": 1}])
def test_a_custom_value_is_a_string_or_a_number(sendgrid: InMemorySendGrid, value: object) -> None:
    field = sendgrid.control.create_custom_field("shoe", "Text")
    assert sendgrid.errors(ANN | {"custom_fields": {field: value}})


def test_no_contacts_are_too_few(sendgrid: InMemorySendGrid) -> None:
    assert sendgrid.errors()[0]["field"] == "contacts"


def test_thirty_thousand_contacts_are_allowed_and_one_more_is_not(sendgrid: InMemorySendGrid) -> None:
    contacts = [{"email": f"{number}@example.com"} for number in range(30_001)]
    sendgrid.start_job(*contacts[:-1])
    assert sendgrid.errors(*contacts)[0]["field"] == "contacts"


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"contacts": {}}', '{"contacts": [1]}', "{}"])
def test_a_body_of_another_shape_is_invalid_input(sendgrid: InMemorySendGrid, body: str) -> None:
    response = sendgrid.api.put(CONTACTS, content=body)
    assert (response.status_code, response.json()) == (
        400,
        {"errors": [{"field": "", "message": "invalid input"}]},
    )


def test_custom_fields_in_a_list_are_invalid_input(sendgrid: InMemorySendGrid) -> None:
    assert sendgrid.errors(ANN | {"custom_fields": [{"a": 1}]})[0]["message"] == "invalid input"


@pytest.mark.parametrize("list_ids", [["no-uuid"], [5]])
def test_a_list_id_must_be_a_uuid(sendgrid: InMemorySendGrid, list_ids: object) -> None:
    assert sendgrid.errors(ANN, list_ids=list_ids)[0]["field"] == "list_ids"


def test_list_ids_must_be_an_array(sendgrid: InMemorySendGrid) -> None:
    assert sendgrid.errors(ANN, list_ids="x")[0]["message"] == "invalid input"


def test_an_unknown_list_is_not_found(sendgrid: InMemorySendGrid) -> None:
    unknown = str(uuid.uuid4())
    response = sendgrid.put(ANN, list_ids=[sendgrid.list_id, unknown])
    assert (response.status_code, response.json()["errors"][0]["message"]) == (404, f"list '{unknown}' not found")
