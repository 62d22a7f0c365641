import uuid

import pytest

from tests.support.simulated import CONTACTS, World

ANN = {"email": "ann@example.com"}


def test_an_invalid_email_refuses_the_request_in_the_documented_words(world: World) -> None:
    assert world.errors(ANN, {"email": "not an address"}) == [
        {"field": "contacts[1].identifier", "message": "email 'not an address' is not valid"}
    ]


def test_a_refused_request_stores_none_of_its_contacts(world: World) -> None:
    world.errors(ANN, {"email": "not an address"})
    world.clock.pass_(10)
    assert world.control.counts().contacts == 0


def test_every_invalid_email_is_named(world: World) -> None:
    errors = world.errors({"email": "x"}, ANN, {"email": "y"})
    assert [each["field"] for each in errors] == ["contacts[0].identifier", "contacts[2].identifier"]


def test_a_contact_without_any_identifier_is_refused(world: World) -> None:
    assert world.errors({"first_name": "Ann"})[0]["field"] == "contacts[0].identifier"


def test_a_phone_number_identifier_must_be_a_phone_number(world: World) -> None:
    assert world.errors({"phone_number_id": "12"})[0]["field"] == "contacts[0].identifier"


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
def test_a_field_may_be_as_long_as_documented_and_no_longer(world: World, field: str, length: int) -> None:
    world.start_job(ANN | {field: "ü" * length})
    assert world.errors(ANN, ANN | {field: "ü" * (length + 1)})[0]["field"] == f"contacts[1].{field}"


@pytest.mark.parametrize("value", [None, 5, ["x"]])
def test_a_text_field_must_be_a_string(world: World, value: object) -> None:
    assert world.errors(ANN | {"first_name": value})[0]["field"] == "contacts[0].first_name"


def test_an_email_that_is_too_long_is_refused(world: World) -> None:
    email = "a" * 64 + "@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 61 + ".de"
    assert world.errors({"email": email})[0]["field"] == "contacts[0].email"


def test_six_alternate_emails_are_too_many(world: World) -> None:
    alternates = [f"{number}@example.com" for number in range(6)]
    world.start_job(ANN | {"alternate_emails": alternates[:5]})
    assert world.errors(ANN | {"alternate_emails": alternates})[0]["field"] == "contacts[0].alternate_emails"


def test_an_alternate_email_must_be_valid(world: World) -> None:
    assert world.errors(ANN | {"alternate_emails": ["x"]})[0]["message"] == "email 'x' is not valid"


def test_unknown_custom_fields_are_listed_in_the_documented_words(world: World) -> None:
    errors = world.errors(ANN | {"custom_fields": {"b": 1}}, ANN | {"custom_fields": {"a": 1, "b": 1}})
    assert [each["message"] for each in errors] == ["invalid custom field ids supplied - a,b"]


def test_a_custom_field_is_not_known_by_its_name(world: World) -> None:
    world.control.create_custom_field("shoe", "Text")
    assert world.errors(ANN | {"custom_fields": {"shoe": 1}})


def test_a_custom_field_cannot_be_null(world: World) -> None:
    field = world.control.create_custom_field("shoe", "Text")
    errors = world.errors(ANN | {"custom_fields": {field: None}})
    assert errors[0]["message"] == f'custom field "{field}" cannot be null'


@pytest.mark.parametrize("value", [True, ["x"], {"a": 1}])
def test_a_custom_value_is_a_string_or_a_number(world: World, value: object) -> None:
    field = world.control.create_custom_field("shoe", "Text")
    assert world.errors(ANN | {"custom_fields": {field: value}})


def test_no_contacts_are_too_few(world: World) -> None:
    assert world.errors()[0]["field"] == "contacts"


def test_thirty_thousand_contacts_are_allowed_and_one_more_is_not(world: World) -> None:
    contacts = [{"email": f"{number}@example.com"} for number in range(30_001)]
    world.start_job(*contacts[:-1])
    assert world.errors(*contacts)[0]["field"] == "contacts"


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"contacts": {}}', '{"contacts": [1]}', "{}"])
def test_a_body_of_another_shape_is_invalid_input(world: World, body: str) -> None:
    response = world.api.put(CONTACTS, content=body)
    assert (response.status_code, response.json()) == (
        400,
        {"errors": [{"field": "", "message": "invalid input"}]},
    )


def test_custom_fields_in_a_list_are_invalid_input(world: World) -> None:
    assert world.errors(ANN | {"custom_fields": [{"a": 1}]})[0]["message"] == "invalid input"


@pytest.mark.parametrize("list_ids", [["no-uuid"], [5]])
def test_a_list_id_must_be_a_uuid(world: World, list_ids: object) -> None:
    assert world.errors(ANN, list_ids=list_ids)[0]["field"] == "list_ids"


def test_list_ids_must_be_an_array(world: World) -> None:
    assert world.errors(ANN, list_ids="x")[0]["message"] == "invalid input"


def test_an_unknown_list_is_not_found(world: World) -> None:
    unknown = str(uuid.uuid4())
    response = world.put(ANN, list_ids=[world.list_id, unknown])
    assert (response.status_code, response.json()["errors"][0]["message"]) == (404, f"list '{unknown}' not found")
