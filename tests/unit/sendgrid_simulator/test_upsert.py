import pytest

from tests.support.simulated import CONTACTS, World


def test_an_upsert_has_no_effect_before_its_job_is_done(world: World) -> None:
    world.start_job({"email": "ann@example.com"})
    assert world.emails() == []


def test_a_finished_job_has_put_the_contacts_on_the_list(world: World) -> None:
    world.upsert({"email": "ann@example.com"}, {"email": "bob@example.com"})
    assert world.emails() == ["ann@example.com", "bob@example.com"]


def test_without_list_ids_the_contacts_are_on_no_list(world: World) -> None:
    world.upsert({"email": "ann@example.com"}, list_ids=[])
    assert (world.emails(), world.control.counts().contacts) == ([], 1)


def test_a_list_id_may_be_in_upper_case(world: World) -> None:
    world.upsert({"email": "ann@example.com"}, list_ids=[world.list_id.upper()])
    assert world.emails() == ["ann@example.com"]


def test_an_email_is_stored_in_lower_case(world: World) -> None:
    world.upsert({"email": "Ann@Example.COM"})
    assert world.emails() == ["ann@example.com"]


def test_an_email_in_other_case_updates_the_same_contact(world: World) -> None:
    world.upsert({"email": "ann@example.com"})
    job = world.upsert({"email": "ANN@example.com"})
    assert job["results"] == {"requested_count": 1, "created_count": 0, "updated_count": 1}


def test_a_field_left_out_stays_as_it_was(world: World) -> None:
    world.upsert({"email": "ann@example.com", "first_name": "Ann", "city": "Oslo"})
    world.upsert({"email": "ann@example.com", "city": "Rome"})
    contact = world.control.contact("ann@example.com") or {}
    assert (contact["first_name"], contact["city"]) == ("Ann", "Rome")


def test_a_custom_field_left_out_stays_as_it_was(world: World) -> None:
    shoe, hat = (world.control.create_custom_field(name, "Number") for name in ("shoe", "hat"))
    world.upsert({"email": "ann@example.com", "custom_fields": {shoe: 38}})
    world.upsert({"email": "ann@example.com", "custom_fields": {hat: 55}})
    assert (world.control.contact("ann@example.com") or {})["custom_fields"] == {shoe: 38, hat: 55}


def test_the_last_of_two_contacts_with_one_email_wins(world: World) -> None:
    world.upsert({"email": "ann@example.com", "city": "Oslo"}, {"email": "ANN@example.com", "city": "Rome"})
    assert (world.control.contact("ann@example.com") or {})["city"] == "Rome"


def test_a_repeated_contact_is_counted_as_an_update(world: World) -> None:
    job = world.upsert({"email": "ann@example.com"}, {"email": "ann@example.com"})
    assert job["results"] == {"requested_count": 2, "created_count": 1, "updated_count": 1}


def test_members_that_sendgrid_does_not_know_are_ignored(world: World) -> None:
    world.upsert({"email": "ann@example.com", "frist_name": "Ann", "created_at": "1999-01-01"})
    contact = world.control.contact("ann@example.com") or {}
    assert ("frist_name" not in contact, contact["created_at"]) == (True, "2023-11-14T22:13:20Z")


def test_a_contact_may_have_another_identifier_than_an_email(world: World) -> None:
    world.upsert({"external_id": "42"})
    assert [each["external_id"] for each in world.control.contacts(world.list_id)] == ["42"]


def test_an_update_may_add_an_identifier(world: World) -> None:
    world.upsert({"email": "ann@example.com"})
    world.upsert({"email": "ann@example.com", "external_id": "42"})
    assert (world.control.contact("ann@example.com") or {})["external_id"] == "42"


def test_an_update_without_all_existing_identifiers_fails(world: World) -> None:
    world.upsert({"email": "ann@example.com", "external_id": "42"})
    job = world.upsert({"email": "ann@example.com", "city": "Rome"})
    assert (job["status"], job["results"]["errored_count"]) == ("failed", 1)


def test_an_update_whose_identifiers_belong_to_two_contacts_fails(world: World) -> None:
    world.upsert({"email": "ann@example.com"}, {"external_id": "42"})
    assert world.upsert({"email": "ann@example.com", "external_id": "42"})["status"] == "failed"


def test_a_contact_is_found_by_its_alternate_email(world: World) -> None:
    world.upsert({"email": "ann@example.com", "alternate_emails": ["Lee@example.com"]})
    assert (world.control.contact("lee@example.com") or {})["email"] == "ann@example.com"


@pytest.mark.parametrize(
    "second",
    [
        {"email": "lee@example.com"},
        {"email": "bob@example.com", "alternate_emails": ["lee@example.com"]},
        {"email": "bob@example.com", "alternate_emails": ["ann@example.com"]},
        {"email": "bob@example.com", "alternate_emails": ["bob@example.com"]},
    ],
)
def test_an_address_in_use_elsewhere_fails_that_contact(world: World, second: dict[str, object]) -> None:
    world.upsert({"email": "ann@example.com", "alternate_emails": ["lee@example.com"]})
    assert world.upsert(second, {"email": "eve@example.com"})["status"] == "errored"


def test_an_alternate_email_given_up_is_free_again(world: World) -> None:
    world.upsert({"email": "ann@example.com", "alternate_emails": ["lee@example.com"]})
    world.upsert({"email": "ann@example.com", "alternate_emails": []})
    assert world.upsert({"email": "lee@example.com"})["status"] == "completed"


@pytest.mark.parametrize(("kind", "value"), [("Number", "many"), ("Date", "1577836800"), ("Text", "x" * 1001)])
def test_a_custom_value_of_the_wrong_type_fails_that_contact(world: World, kind: str, value: str) -> None:
    field = world.control.create_custom_field("field", kind)
    job = world.upsert({"email": "ann@example.com", "custom_fields": {field: value}}, {"email": "b@example.com"})
    assert (job["status"], world.emails()) == ("errored", ["b@example.com"])


@pytest.mark.parametrize(
    ("kind", "value"),
    [("Number", 3), ("Number", "3.5"), ("Date", "02/29/2024"), ("Date", "2024-02-29T10:00:00Z"), ("Text", 5)],
)
def test_a_custom_value_of_the_right_type_is_kept_as_sent(world: World, kind: str, value: object) -> None:
    field = world.control.create_custom_field("field", kind)
    world.upsert({"email": "ann@example.com", "custom_fields": {field: value}})
    assert (world.control.contact("ann@example.com") or {})["custom_fields"] == {field: value}


def test_a_full_request_of_many_contacts_is_stored_whole(world: World) -> None:
    world.upsert(*({"email": f"{number}@example.com", "city": "x" * 60} for number in range(28_000)))
    assert len(world.emails()) == 28_000


def test_the_count_is_of_all_contacts(world: World) -> None:
    world.upsert({"email": "ann@example.com"}, list_ids=[])
    assert world.api.get(f"{CONTACTS}/count").json() == {"contact_count": 1, "billable_count": 1}
