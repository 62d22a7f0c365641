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
    (listed,) = sendgrid.api.get(FIELDS).json()["custom_fields"]
    expected = {"id": created["id"], "name": "shoe_size", "field_type": "Number"}
    assert (
        listed
        == created
        == expected | {"_metadata": {"self": f"https://api.sendgrid.com{FIELDS}/{created['id']}"}}
    )


def test_reserved_fields_keep_the_order_and_the_ids_that_were_recorded(sendgrid: InMemorySendGrid) -> None:
    ids = [each["id"] for each in sendgrid.api.get(FIELDS).json()["reserved_fields"]]
    assert (ids[:3], ids[14:18], ids[-1]) == (
        ["_rf0_T", "_rf1_T", "_rf2_T"],
        ["_rf14_T", "_rf27_T", "_rf28_T", "_rf15_T"],
        "_rf26_T",
    )


def test_a_field_can_be_renamed_and_contacts_show_its_new_name(sendgrid: InMemorySendGrid) -> None:
    field = sendgrid.control.create_custom_field("shoe", "Text")
    sendgrid.upsert({"email": "ann@example.com", "custom_fields": {field: "x"}})
    assert sendgrid.api.patch(f"{FIELDS}/{field}", json={"name": "boot"}).json()["name"] == "boot"
    assert (sendgrid.control.contact("ann@example.com") or {})["custom_fields"] == {"boot": "x"}


def test_a_field_cannot_be_renamed_to_one_that_exists(sendgrid: InMemorySendGrid) -> None:
    field = sendgrid.control.create_custom_field("shoe", "Text")
    assert sendgrid.api.patch(f"{FIELDS}/{field}", json={"name": "email"}).status_code == 400


def test_a_deleted_field_is_shown_no_more_and_its_id_is_not_given_again(sendgrid: InMemorySendGrid) -> None:
    field = sendgrid.control.create_custom_field("shoe", "Text")
    sendgrid.upsert({"email": "ann@example.com", "custom_fields": {field: "x"}})
    assert sendgrid.api.delete(f"{FIELDS}/{field}").status_code == 204
    assert (sendgrid.control.contact("ann@example.com") or {})["custom_fields"] == {}
    assert sendgrid.control.create_custom_field("shoe", "Text") == "e2_T"


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_field_that_does_not_exist_is_not_found(sendgrid: InMemorySendGrid, method: str) -> None:
    assert sendgrid.api.request(method, f"{FIELDS}/e1_T", json={"name": "shoe"}).status_code == 404


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
