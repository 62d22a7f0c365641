import pytest

from tests.support.simulated import InMemorySendGrid

FIELDS = "/v3/marketing/field_definitions"


def reserved(sendgrid: InMemorySendGrid) -> dict[str, dict[str, object]]:
    return {each["name"]: each for each in sendgrid.api.get(FIELDS).json()["reserved_fields"]}


def create(sendgrid: InMemorySendGrid, name: object, kind: object = "Text") -> int:
    return sendgrid.api.post(FIELDS, json={"name": name, "field_type": kind}).status_code


def test_the_email_is_a_reserved_field_that_may_be_written(sendgrid: InMemorySendGrid) -> None:
    assert reserved(sendgrid)["email"] == {"id": "_rf2_T", "name": "email", "field_type": "Text"}


def test_the_time_of_the_last_click_may_not_be_written(sendgrid: InMemorySendGrid) -> None:
    assert reserved(sendgrid)["last_clicked"] == {
        "id": "_rf16_D",
        "name": "last_clicked",
        "field_type": "Date",
        "read_only": True,
    }


def test_the_newer_identifiers_are_reserved_fields(sendgrid: InMemorySendGrid) -> None:
    assert reserved(sendgrid).keys() >= {"phone_number_id", "external_id", "anonymous_id"}


def test_a_created_field_is_listed_under_its_id(sendgrid: InMemorySendGrid) -> None:
    created = sendgrid.api.post(FIELDS, json={"name": "shoe_size", "field_type": "Number"}).json()
    assert sendgrid.api.get(FIELDS).json()["custom_fields"] == [
        {"id": created["id"], "name": "shoe_size", "field_type": "Number"}
    ]


def test_ids_tell_the_number_and_type_of_a_field(sendgrid: InMemorySendGrid) -> None:
    assert [sendgrid.control.create_custom_field(name, name) for name in ("Text", "Number", "Date")] == [
        "e1_T",
        "e2_N",
        "e3_D",
    ]


@pytest.mark.parametrize("name", ["", "1st", "shoe size", "größe", "x" * 101, None])
def test_a_field_needs_a_name_of_letters_digits_and_underscores(sendgrid: InMemorySendGrid, name: object) -> None:
    assert create(sendgrid, name) == 400


@pytest.mark.parametrize("name", ["email", "Last_Clicked", "external_id"])
def test_a_field_cannot_have_a_reserved_name(sendgrid: InMemorySendGrid, name: str) -> None:
    assert create(sendgrid, name) == 400


def test_names_differ_in_more_than_case(sendgrid: InMemorySendGrid) -> None:
    assert [create(sendgrid, "shoe"), create(sendgrid, "Shoe")] == [200, 400]


@pytest.mark.parametrize("kind", ["text", "Boolean", None])
def test_a_field_is_a_text_a_number_or_a_date(sendgrid: InMemorySendGrid, kind: object) -> None:
    assert create(sendgrid, "shoe", kind) == 400


def test_an_account_has_at_most_500_fields(sendgrid: InMemorySendGrid) -> None:
    for number in range(500):
        sendgrid.simulation.account.fields.create(f"f{number}", "Text")
    assert create(sendgrid, "one_more") == 400
