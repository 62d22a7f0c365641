import pytest

from tests.support.simulated import CONTACTS, START, InMemorySendGrid

ANN = {"email": "ann@example.com", "first_name": "Ann"}


def test_a_reset_forgets_the_contacts(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert(ANN)
    sendgrid.begin_again()
    assert (sendgrid.emails(), sendgrid.control.counts().contacts) == ([], 0)


def test_a_reset_forgets_the_settings(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.configure(job_delay_seconds=9)
    sendgrid.control.reset()
    assert sendgrid.control.configure().job_delay_seconds == 1


def test_a_reset_forgets_the_keys(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.reset()
    assert sendgrid.api.get(f"{CONTACTS}/count").status_code == 401


def test_settings_change_one_by_one(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.configure(job_delay_seconds=9)
    changed = sendgrid.control.configure(latency_seconds=0.01)
    assert (changed.job_delay_seconds, changed.latency_seconds) == (9, 0.01)


@pytest.mark.parametrize("settings", [{"job_delay_seconds": -1}, {"unheard_of": 1}])
def test_a_setting_that_cannot_be_is_refused(sendgrid: InMemorySendGrid, settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="the simulator refused"):
        sendgrid.control.configure(**settings)


def test_latency_delays_every_answer(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.configure(latency_seconds=0.05)
    assert sendgrid.api.get(f"{CONTACTS}/count").elapsed.total_seconds() >= 0.05


def test_a_contact_that_does_not_exist_is_none(sendgrid: InMemorySendGrid) -> None:
    assert sendgrid.control.contact("nobody@example.com") is None


def test_a_contact_is_found_whatever_its_email_is_made_of(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert({"email": "a/b?c#d%e&f+g@example.com"})
    assert (sendgrid.control.contact("a/b?c#d%e&f+g@example.com") or {})["email"] == "a/b?c#d%e&f+g@example.com"


def test_the_members_of_an_unknown_list_cannot_be_listed(sendgrid: InMemorySendGrid) -> None:
    with pytest.raises(ValueError, match="no such list"):
        sendgrid.control.list_emails("unknown")


def test_contacts_are_shown_whole(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert(ANN)
    (contact,) = sendgrid.control.contacts(sendgrid.list_id)
    assert (contact["email"], contact["first_name"], contact["city"]) == ("ann@example.com", "Ann", "")


def test_more_contacts_than_fit_one_batch_are_all_shown_in_order(sendgrid: InMemorySendGrid) -> None:
    emails = [f"{number}@example.com" for number in range(4_001)]
    sendgrid.upsert(*({"email": email} for email in emails))
    assert [each["email"] for each in sendgrid.control.contacts(sendgrid.list_id)] == emails


def test_listing_carries_out_the_jobs_that_are_due(sendgrid: InMemorySendGrid) -> None:
    sendgrid.start_job(ANN)
    sendgrid.clock.pass_(1)
    assert sendgrid.emails() == ["ann@example.com"]


def test_a_request_is_logged_with_its_path_status_and_size(sendgrid: InMemorySendGrid) -> None:
    response = sendgrid.api.put(f"{CONTACTS}?a=b", json={"contacts": [ANN]})
    (logged,) = sendgrid.control.requests()
    assert (logged.method, logged.path, logged.endpoint) == ("PUT", f"{CONTACTS}?a=b", f"PUT {CONTACTS}")
    assert (logged.status, logged.request_bytes) == (202, len(response.request.content))
    assert (logged.started, logged.contacts, logged.response_bytes) == (START, 1, len(response.content))


def test_no_key_is_in_the_log(sendgrid: InMemorySendGrid) -> None:
    sendgrid.put(ANN)
    assert "SG." not in str(sendgrid.control.requests())


def test_control_requests_are_not_logged(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.create_list("Other")
    assert sendgrid.control.requests() == []


def test_requests_are_counted_by_endpoint_and_status(sendgrid: InMemorySendGrid) -> None:
    job_id = sendgrid.start_job(ANN)
    sendgrid.job(job_id)
    sendgrid.errors({"email": "x"})
    assert sendgrid.control.counts().requests == {
        f"PUT {CONTACTS} 202": 1,
        f"GET {CONTACTS}/imports/{{id}} 200": 1,
        f"PUT {CONTACTS} 400": 1,
    }
