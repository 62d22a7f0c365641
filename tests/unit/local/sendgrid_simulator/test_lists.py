import uuid

import pytest

from tests.support.simulated import LISTS, InMemorySendGrid

ANN, BOB = {"email": "ann@example.com"}, {"email": "bob@example.com"}


def contact_ids(sendgrid: InMemorySendGrid) -> dict[str, str]:
    return {each["email"]: each["id"] for each in sendgrid.control.contacts(sendgrid.list_id)}


def test_a_created_list_is_empty_and_links_to_itself(sendgrid: InMemorySendGrid) -> None:
    created = sendgrid.api.post(LISTS, json={"name": "Winter"}).json()
    expected = {"id": created["id"], "name": "Winter", "contact_count": 0}
    expected["identifier_counts"] = {"AID": 0, "EID": 0, "EXTID": 0, "PHNID": 0}
    assert created == expected | {"_metadata": {"self": f"https://api.sendgrid.com{LISTS}/{created['id']}"}}


@pytest.mark.parametrize("name", ["", "x" * 101, 5, None])
def test_a_list_needs_a_name_of_1_to_100_characters(sendgrid: InMemorySendGrid, name: object) -> None:
    assert sendgrid.api.post(LISTS, json={"name": name}).status_code == 400


def test_a_list_counts_its_contacts(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert(ANN, BOB)
    assert sendgrid.api.get(f"{LISTS}/{sendgrid.list_id}").json()["contact_count"] == 2


def test_a_list_shows_its_newest_contact_when_asked(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert(ANN)
    sendgrid.upsert(BOB)
    sample = sendgrid.api.get(f"{LISTS}/{sendgrid.list_id}", params={"contact_sample": "true"}).json()[
        "contact_sample"
    ]
    assert (sample["email"], sample["list_ids"]) == ("bob@example.com", [sendgrid.list_id])


def test_a_list_can_be_renamed(sendgrid: InMemorySendGrid) -> None:
    sendgrid.api.patch(f"{LISTS}/{sendgrid.list_id}", json={"name": "Spring"})
    assert sendgrid.api.get(f"{LISTS}/{sendgrid.list_id}").json()["name"] == "Spring"


def test_a_list_cannot_be_renamed_to_nothing(sendgrid: InMemorySendGrid) -> None:
    assert sendgrid.api.patch(f"{LISTS}/{sendgrid.list_id}", json={"name": ""}).status_code == 400


def test_a_name_that_is_taken_is_refused(sendgrid: InMemorySendGrid) -> None:
    assert sendgrid.api.post(LISTS, json={"name": "Customers"}).status_code == 400


def test_lists_come_in_pages_in_the_order_of_their_ids_that_link_to_the_next(sendgrid: InMemorySendGrid) -> None:
    ids = sorted([sendgrid.list_id, *(sendgrid.control.create_list(f"List {number}") for number in range(4))])
    pages, url = [], f"{LISTS}?page_size=2"
    while url:
        page = sendgrid.api.get(url).json()
        pages.append([each["id"] for each in page["result"]])
        url = page["_metadata"].get("next", "").removeprefix("https://api.sendgrid.com")
    assert pages == [ids[:2], ids[2:4], ids[4:]]


def test_a_last_page_that_is_full_links_to_no_next(sendgrid: InMemorySendGrid) -> None:
    assert "next" not in sendgrid.api.get(f"{LISTS}?page_size=1").json()["_metadata"]


@pytest.mark.parametrize("query", ["page_size=0", "page_size=1001", "page_size=x", "page_token=!"])
def test_a_page_that_cannot_be_is_refused(sendgrid: InMemorySendGrid, query: str) -> None:
    assert sendgrid.api.get(f"{LISTS}?{query}").status_code == 400


def test_an_account_has_at_most_a_thousand_lists(sendgrid: InMemorySendGrid) -> None:
    for number in range(999):
        sendgrid.simulation.account.lists.create(f"List {number}")
    assert sendgrid.api.post(LISTS, json={"name": "One more"}).status_code == 400


def test_a_deleted_list_is_gone_and_its_contacts_are_not(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert(ANN)
    response = sendgrid.api.delete(f"{LISTS}/{sendgrid.list_id}")
    gone = sendgrid.api.get(f"{LISTS}/{sendgrid.list_id}").status_code
    assert (response.status_code, response.content, gone) == (204, b"", 404)
    assert sendgrid.control.contact("ann@example.com")


def test_contacts_can_be_deleted_with_their_list(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert(ANN | {"alternate_emails": ["lee@example.com"]})
    job_id = sendgrid.api.delete(f"{LISTS}/{sendgrid.list_id}", params={"delete_contacts": "true"}).json()[
        "job_id"
    ]
    sendgrid.clock.pass_(1)
    assert sendgrid.job(job_id)["results"] == {"requested_count": 1, "deleted_count": 1}
    assert sendgrid.control.contact("lee@example.com") is None


def test_a_deleted_contact_is_on_no_other_list_either(sendgrid: InMemorySendGrid) -> None:
    other = sendgrid.control.create_list("Other")
    sendgrid.upsert(ANN, list_ids=[sendgrid.list_id, other])
    sendgrid.api.delete(f"{LISTS}/{sendgrid.list_id}", params={"delete_contacts": "true"})
    sendgrid.clock.pass_(1)
    assert sendgrid.control.list_emails(other) == []


def test_a_removal_takes_contacts_off_the_list_when_its_job_is_done(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert(ANN, BOB)
    ids = contact_ids(sendgrid)
    sendgrid.api.delete(f"{LISTS}/{sendgrid.list_id}/contacts", params={"contact_ids": ids["ann@example.com"]})
    before = sendgrid.emails()
    sendgrid.clock.pass_(1)
    assert (before, sendgrid.emails()) == (["ann@example.com", "bob@example.com"], ["bob@example.com"])


def test_a_removal_does_not_delete_the_contact(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert(ANN)
    ids = ",".join(contact_ids(sendgrid).values())
    sendgrid.api.delete(f"{LISTS}/{sendgrid.list_id}/contacts", params={"contact_ids": ids})
    sendgrid.clock.pass_(1)
    assert (sendgrid.control.contact("ann@example.com") or {})["list_ids"] == []


def test_a_removal_is_accepted_with_a_job_that_counts(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert(ANN, BOB)
    ids = ",".join(contact_ids(sendgrid).values())
    response = sendgrid.api.delete(f"{LISTS}/{sendgrid.list_id}/contacts", params={"contact_ids": ids})
    sendgrid.clock.pass_(1)
    job = sendgrid.job(response.json()["job_id"])
    assert (response.status_code, job["job_type"], job["results"]["deleted_count"]) == (202, "delete", 2)


def test_a_removal_without_contacts_is_refused_with_a_bare_object(sendgrid: InMemorySendGrid) -> None:
    response = sendgrid.api.delete(f"{LISTS}/{sendgrid.list_id}/contacts")
    assert (response.status_code, response.json()["field"]) == (400, "contact_ids")


@pytest.mark.parametrize("contact_id", ["0b8d2a6c-3e64-4d0f-8a1e-5c7e9f2d4b22", "x", "x" * 36])
def test_a_removal_of_an_unknown_contact_is_not_found(sendgrid: InMemorySendGrid, contact_id: str) -> None:
    response = sendgrid.api.delete(f"{LISTS}/{sendgrid.list_id}/contacts", params={"contact_ids": contact_id})
    assert response.status_code == 404


def test_a_list_counts_its_contacts_at_an_address_of_its_own(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert(ANN)
    assert sendgrid.api.get(f"{LISTS}/{sendgrid.list_id}/contacts/count").json() == {
        "contact_count": 1,
        "billable_count": 1,
        "identifier_counts": {"AID": 0, "EID": 1, "EXTID": 0, "PHNID": 0},
    }


def test_reading_an_unknown_list_gets_a_bare_array(sendgrid: InMemorySendGrid) -> None:
    response = sendgrid.api.get(f"{LISTS}/{uuid.uuid4()}")
    assert (response.status_code, response.json()) == (404, [{"message": "list not found"}])


@pytest.mark.parametrize(
    ("method", "suffix"), [("PATCH", ""), ("DELETE", ""), ("DELETE", "/contacts"), ("GET", "/contacts/count")]
)
def test_an_unknown_list_is_not_found(sendgrid: InMemorySendGrid, method: str, suffix: str) -> None:
    assert sendgrid.api.request(method, f"{LISTS}/{uuid.uuid4()}{suffix}").status_code == 404


def test_counts_may_be_some_time_old(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.configure(count_lag_seconds=60)
    sendgrid.upsert(ANN, BOB)
    path = f"{LISTS}/{sendgrid.list_id}"
    assert sendgrid.api.get(path).json()["contact_count"] == 0
    sendgrid.clock.pass_(59)
    assert sendgrid.api.get(f"{path}/contacts/count").json()["contact_count"] == 0
    sendgrid.clock.pass_(2)
    assert sendgrid.api.get(f"{path}/contacts/count").json()["contact_count"] == 2
