import uuid

import pytest

from tests.support.simulated import CONTACTS, InMemorySendGrid, Json

ANN = {"email": "ann@example.com", "external_id": "E4", "first_name": "Ann"}
BOB = {"email": "bob@example.com"}
SEARCH = f"{CONTACTS}/search"


@pytest.fixture
def filled(sendgrid: InMemorySendGrid) -> InMemorySendGrid:
    sendgrid.upsert(ANN)
    sendgrid.upsert(BOB, list_ids=[])
    return sendgrid


def id_of(sendgrid: InMemorySendGrid, email: str) -> str:
    return str((sendgrid.control.contact(email) or {})["id"])


def query(sendgrid: InMemorySendGrid, text: object) -> Json:
    answer: Json = sendgrid.api.post(SEARCH, json={"query": text}).json()
    return answer


def emails(answer: Json) -> list[str]:
    return [each["email"] for each in answer["result"]]


def test_a_contact_is_got_by_its_id(filled: InMemorySendGrid) -> None:
    assert filled.api.get(f"{CONTACTS}/{id_of(filled, 'ann@example.com')}").json()["first_name"] == "Ann"


def test_a_contact_that_does_not_exist_is_not_found(filled: InMemorySendGrid) -> None:
    assert filled.api.get(f"{CONTACTS}/{uuid.uuid4()}").status_code == 404


def test_contacts_are_got_by_their_ids_without_those_that_do_not_exist(filled: InMemorySendGrid) -> None:
    ids = [id_of(filled, "bob@example.com"), str(uuid.uuid4())]
    assert emails(filled.api.post(f"{CONTACTS}/batch", json={"ids": ids}).json()) == ["bob@example.com"]


@pytest.mark.parametrize("ids", [None, "x", [5], ["x"] * 101])
def test_ids_that_cannot_be_are_refused(filled: InMemorySendGrid, ids: object) -> None:
    assert filled.api.post(f"{CONTACTS}/batch", json={"ids": ids}).status_code == 400


def test_the_50_newest_contacts_are_listed_by_email(filled: InMemorySendGrid) -> None:
    filled.upsert(*({"email": f"{number:02}@example.com"} for number in range(49)))
    listed = filled.api.get(CONTACTS).json()
    expected = [f"{number:02}@example.com" for number in range(49)]
    assert (emails(listed), listed["contact_count"]) == ([*expected, "bob@example.com"], 51)


def test_a_search_finds_who_fits_the_query(filled: InMemorySendGrid) -> None:
    found = query(filled, f"email LIKE '%@example.com' AND CONTAINS(list_ids, '{filled.list_id}')")
    assert (emails(found), found["contact_count"]) == (["ann@example.com"], 1)


def test_a_search_shows_50_contacts_and_counts_all(filled: InMemorySendGrid) -> None:
    filled.upsert(*({"email": f"{number}@example.org"} for number in range(60)))
    found = query(filled, "email LIKE '%@example.org'")
    assert (len(found["result"]), found["contact_count"]) == (50, 60)


def test_a_search_knows_custom_fields_by_name(filled: InMemorySendGrid) -> None:
    field = filled.control.create_custom_field("shoe", "Number")
    filled.upsert(ANN | {"custom_fields": {field: 38}})
    assert emails(query(filled, "shoe = 38")) == ["ann@example.com"]


@pytest.mark.parametrize("text", [None, "", 5, "color = 'red'", "email = 'o'hara@example.com'"])
def test_a_search_without_a_sound_query_is_refused(filled: InMemorySendGrid, text: object) -> None:
    assert filled.api.post(SEARCH, json={"query": text}).status_code == 400


@pytest.mark.parametrize(("kind", "value"), [("external_id", "E4"), ("email", "ann@example.com")])
def test_contacts_are_found_by_their_identifiers(filled: InMemorySendGrid, kind: str, value: str) -> None:
    others = "nobody@example.com"
    answer = filled.api.post(f"{SEARCH}/identifiers/{kind}", json={"identifiers": [value, others]}).json()
    result = answer["result"]
    assert result[value]["contact"]["first_name"] == "Ann"
    assert result[others] == {"error": "contact not found"}


@pytest.mark.parametrize(
    ("kind", "identifiers", "status"),
    [
        ("external_id", ["E5"], 404),
        ("email", ["x"], 400),
        ("name", ["Ann"], 400),
        ("external_id", "E4", 400),
        ("external_id", ["E4"] * 101, 400),
    ],
)
def test_identifiers_that_find_nobody_or_cannot_be_are_refused(
    filled: InMemorySendGrid, kind: str, identifiers: object, status: int
) -> None:
    body = {"identifiers": identifiers}
    assert filled.api.post(f"{SEARCH}/identifiers/{kind}", json=body).status_code == status
