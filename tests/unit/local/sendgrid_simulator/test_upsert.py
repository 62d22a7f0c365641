import pytest

from tests.support.simulated import CONTACTS, InMemorySendGrid


def test_an_upsert_has_no_effect_before_its_job_is_done(sendgrid: InMemorySendGrid) -> None:
    sendgrid.start_job({"email": "ann@example.com"})
    assert sendgrid.emails() == []


def test_a_finished_job_has_put_the_contacts_on_the_list(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert({"email": "ann@example.com"}, {"email": "bob@example.com"})
    assert sendgrid.emails() == ["ann@example.com", "bob@example.com"]


def test_without_list_ids_the_contacts_are_on_no_list(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert({"email": "ann@example.com"}, list_ids=[])
    assert (sendgrid.emails(), sendgrid.control.counts().contacts) == ([], 1)


def test_a_list_id_may_be_in_upper_case(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert({"email": "ann@example.com"}, list_ids=[sendgrid.list_id.upper()])
    assert sendgrid.emails() == ["ann@example.com"]


def test_an_email_is_stored_in_lower_case(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert({"email": "Ann@Example.COM"})
    assert sendgrid.emails() == ["ann@example.com"]


def test_an_email_in_other_case_updates_the_same_contact(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert({"email": "ann@example.com"})
    job = sendgrid.upsert({"email": "ANN@example.com"})
    assert job["results"] == {"requested_count": 1, "created_count": 0, "updated_count": 1}


def test_a_field_left_out_stays_as_it_was(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert({"email": "ann@example.com", "first_name": "Ann", "city": "Oslo"})
    sendgrid.upsert({"email": "ann@example.com", "city": "Rome"})
    contact = sendgrid.control.contact("ann@example.com") or {}
    assert (contact["first_name"], contact["city"]) == ("Ann", "Rome")


def test_a_custom_field_left_out_stays_as_it_was(sendgrid: InMemorySendGrid) -> None:
    shoe, hat = (sendgrid.control.create_custom_field(name, "Number") for name in ("shoe", "hat"))
    sendgrid.upsert({"email": "ann@example.com", "custom_fields": {shoe: 38}})
    sendgrid.upsert({"email": "ann@example.com", "custom_fields": {hat: 55}})
    assert (sendgrid.control.contact("ann@example.com") or {})["custom_fields"] == {"shoe": 38, "hat": 55}


def test_the_last_of_two_contacts_with_one_email_wins(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert({"email": "ann@example.com", "city": "Oslo"}, {"email": "ANN@example.com", "city": "Rome"})
    assert (sendgrid.control.contact("ann@example.com") or {})["city"] == "Rome"


def test_a_repeated_contact_is_counted_as_an_update(sendgrid: InMemorySendGrid) -> None:
    job = sendgrid.upsert({"email": "ann@example.com"}, {"email": "ann@example.com"})
    assert job["results"] == {"requested_count": 2, "created_count": 1, "updated_count": 1}


def test_members_that_sendgrid_does_not_know_are_ignored(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert({"email": "ann@example.com", "frist_name": "Ann", "created_at": "1999-01-01"})
    contact = sendgrid.control.contact("ann@example.com") or {}
    assert ("frist_name" not in contact, contact["created_at"]) == (True, "2023-11-14T22:13:20Z")


def test_a_contact_may_have_another_identifier_than_an_email(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert({"external_id": "42"})
    assert [each["external_id"] for each in sendgrid.control.contacts(sendgrid.list_id)] == ["42"]


def test_an_update_may_add_an_identifier(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert({"email": "ann@example.com"})
    sendgrid.upsert({"email": "ann@example.com", "external_id": "42"})
    assert (sendgrid.control.contact("ann@example.com") or {})["external_id"] == "42"


def test_an_update_without_all_existing_identifiers_fails(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert({"email": "ann@example.com", "external_id": "42"})
    job = sendgrid.upsert({"email": "ann@example.com", "city": "Rome"})
    assert (job["status"], job["results"]["errored_count"]) == ("failed", 1)


def test_an_update_whose_identifiers_belong_to_two_contacts_fails(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert({"email": "ann@example.com"}, {"external_id": "42"})
    assert sendgrid.upsert({"email": "ann@example.com", "external_id": "42"})["status"] == "failed"


def test_a_contact_is_found_by_its_alternate_email(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert({"email": "ann@example.com", "alternate_emails": ["Lee@example.com"]})
    assert (sendgrid.control.contact("lee@example.com") or {})["email"] == "ann@example.com"


@pytest.mark.parametrize(
    "second",
    [
        {"email": "lee@example.com"},
        {"email": "bob@example.com", "alternate_emails": ["lee@example.com"]},
        {"email": "bob@example.com", "alternate_emails": ["ann@example.com"]},
        {"email": "bob@example.com", "alternate_emails": ["bob@example.com"]},
    ],
)
def test_an_address_in_use_elsewhere_fails_that_contact(
    sendgrid: InMemorySendGrid, second: dict[str, object]
) -> None:
    sendgrid.upsert({"email": "ann@example.com", "alternate_emails": ["lee@example.com"]})
    assert sendgrid.upsert(second, {"email": "eve@example.com"})["status"] == "errored"


def test_an_alternate_email_given_up_is_free_again(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert({"email": "ann@example.com", "alternate_emails": ["lee@example.com"]})
    sendgrid.upsert({"email": "ann@example.com", "alternate_emails": []})
    assert sendgrid.upsert({"email": "lee@example.com"})["status"] == "completed"


@pytest.mark.parametrize(("kind", "value"), [("Number", "many"), ("Date", "1577836800"), ("Text", "x" * 1001)])
def test_a_custom_value_of_the_wrong_type_fails_that_contact(
    sendgrid: InMemorySendGrid, kind: str, value: str
) -> None:
    field = sendgrid.control.create_custom_field("field", kind)
    job = sendgrid.upsert(
        {"email": "ann@example.com", "custom_fields": {field: value}}, {"email": "b@example.com"}
    )
    assert (job["status"], sendgrid.emails()) == ("errored", ["b@example.com"])


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("Number", 3, 3),
        ("Number", "3.5", 3.5),
        ("Date", "02/29/2024", "2024-02-29T00:00:00Z"),
        ("Date", "2024-02-29T10:00:00+02:00", "2024-02-29T08:00:00Z"),
        ("Text", 5, "5"),
    ],
)
def test_a_custom_value_of_the_right_type_comes_back_as_its_type(
    sendgrid: InMemorySendGrid, kind: str, value: object, shown: object
) -> None:
    field = sendgrid.control.create_custom_field("field", kind)
    sendgrid.upsert({"email": "ann@example.com", "custom_fields": {field: value}})
    assert (sendgrid.control.contact("ann@example.com") or {})["custom_fields"] == {"field": shown}


def test_a_full_request_of_many_contacts_is_stored_whole(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert(*({"email": f"{number}@example.com", "city": "x" * 60} for number in range(28_000)))
    assert len(sendgrid.emails()) == 28_000


def test_the_count_is_of_all_contacts(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert({"email": "ann@example.com"}, list_ids=[])
    assert sendgrid.api.get(f"{CONTACTS}/count").json() == {
        "contact_count": 1,
        "billable_count": 1,
        "identifier_counts": {"AID": 0, "EID": 1, "EXTID": 0, "PHNID": 0},
    }


def test_contacts_are_counted_by_their_identifiers(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert({"email": "ann@example.com", "external_id": "4"}, {"anonymous_id": "5"})
    counts = sendgrid.api.get(f"{CONTACTS}/count").json()["identifier_counts"]
    assert counts == {"AID": 1, "EID": 1, "EXTID": 1, "PHNID": 0}
