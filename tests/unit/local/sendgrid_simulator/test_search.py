import pytest

from tests.support.simulated import CONTACTS, InMemorySendGrid

SEARCH = f"{CONTACTS}/search/emails"


@pytest.fixture
def ann(sendgrid: InMemorySendGrid) -> InMemorySendGrid:
    sendgrid.upsert({"email": "ann@example.com", "first_name": "Ann", "alternate_emails": ["lee@example.com"]})
    return sendgrid


def search(sendgrid: InMemorySendGrid, *emails: object) -> dict[str, dict[str, object]]:
    result: dict[str, dict[str, object]] = sendgrid.api.post(SEARCH, json={"emails": emails}).json()["result"]
    return result


def test_a_contact_is_found_whatever_the_case(ann: InMemorySendGrid) -> None:
    found = search(ann, "ANN@example.com")["ann@example.com"]["contact"]
    assert isinstance(found, dict)
    assert (found["first_name"], found["list_ids"]) == ("Ann", [ann.list_id])


def test_a_contact_is_found_by_an_alternate_email(ann: InMemorySendGrid) -> None:
    assert "contact" in search(ann, "lee@example.com")["lee@example.com"]


def test_who_is_not_found_among_others_is_named(ann: InMemorySendGrid) -> None:
    assert search(ann, "ann@example.com", "bob@example.com")["bob@example.com"] == {"error": "contact not found"}


def test_empty_strings_are_left_out(ann: InMemorySendGrid) -> None:
    assert search(ann, "", "ann@example.com").keys() == {"ann@example.com"}


def test_a_search_that_finds_nobody_is_not_found(ann: InMemorySendGrid) -> None:
    assert ann.api.post(SEARCH, json={"emails": ["bob@example.com"]}).status_code == 404


@pytest.mark.parametrize(
    "emails",
    [["not an address"], ["x" * 60 + "@" + "y" * 40 + ".de"], ["a@example.com"] * 101, "a@example.com", [5]],
)
def test_a_search_for_what_cannot_be_is_refused(ann: InMemorySendGrid, emails: object) -> None:
    assert ann.api.post(SEARCH, json={"emails": emails}).status_code == 400


def test_a_hundred_emails_may_be_searched(ann: InMemorySendGrid) -> None:
    assert len(search(ann, "ann@example.com", *(f"{number}@example.com" for number in range(99)))) == 100
