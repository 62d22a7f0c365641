import pytest

from tests.support.simulated import InMemorySendGrid

ERASE = "/v3/recipients/erasejob"


def erase(sendgrid: InMemorySendGrid, emails: object) -> int:
    return sendgrid.api.post(ERASE, json={"email_addresses": emails}).status_code


def test_an_erasure_is_remembered_and_leaves_the_contact_on_its_list(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert({"email": "ann@example.com"})
    assert erase(sendgrid, ["Ann@example.com"]) == 202
    assert (sendgrid.control.erased(), sendgrid.emails()) == (["ann@example.com"], ["ann@example.com"])


def test_5000_addresses_can_be_erased_at_once(sendgrid: InMemorySendGrid) -> None:
    emails = [f"{number}@example.com" for number in range(5_001)]
    assert [erase(sendgrid, emails[1:]), erase(sendgrid, emails)] == [202, 400]


def test_256_kilobytes_can_be_erased_at_once(sendgrid: InMemorySendGrid) -> None:
    emails = [f"{'x' * 60}{number}@{'y' * 60}.com" for number in range(1_000, 3_200)]
    assert erase(sendgrid, emails) == 400


@pytest.mark.parametrize("emails", [None, [], "x", [5], ["x"]])
def test_addresses_that_are_none_are_refused(sendgrid: InMemorySendGrid, emails: object) -> None:
    assert erase(sendgrid, emails) == 400


def test_erasures_have_a_limit_of_their_own(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.configure(profile="realistic", edge_406_share=0)
    assert sendgrid.api.post(ERASE, json={}).headers["X-RateLimit-Limit"] == "100"
