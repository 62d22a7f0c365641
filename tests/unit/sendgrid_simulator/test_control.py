import pytest

from tests.support.simulated import CONTACTS, START, World

ANN = {"email": "ann@example.com", "first_name": "Ann"}


def test_a_reset_forgets_the_contacts(world: World) -> None:
    world.upsert(ANN)
    world.begin_again()
    assert (world.emails(), world.control.counts().contacts) == ([], 0)


def test_a_reset_forgets_the_settings(world: World) -> None:
    world.control.configure(job_delay_seconds=9)
    world.control.reset()
    assert world.control.configure().job_delay_seconds == 1


def test_a_reset_forgets_the_keys(world: World) -> None:
    world.control.reset()
    assert world.api.get(f"{CONTACTS}/count").status_code == 401


def test_settings_change_one_by_one(world: World) -> None:
    world.control.configure(job_delay_seconds=9)
    changed = world.control.configure(latency_seconds=0.01)
    assert (changed.job_delay_seconds, changed.latency_seconds) == (9, 0.01)


@pytest.mark.parametrize("settings", [{"job_delay_seconds": -1}, {"unheard_of": 1}])
def test_a_setting_that_cannot_be_is_refused(world: World, settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="the simulator refused"):
        world.control.configure(**settings)


def test_latency_delays_every_answer(world: World) -> None:
    world.control.configure(latency_seconds=0.05)
    assert world.api.get(f"{CONTACTS}/count").elapsed.total_seconds() >= 0.05


def test_a_contact_that_does_not_exist_is_none(world: World) -> None:
    assert world.control.contact("nobody@example.com") is None


def test_a_contact_is_found_whatever_its_email_is_made_of(world: World) -> None:
    world.upsert({"email": "a/b?c#d%e&f+g@example.com"})
    assert (world.control.contact("a/b?c#d%e&f+g@example.com") or {})["email"] == "a/b?c#d%e&f+g@example.com"


def test_the_members_of_an_unknown_list_cannot_be_listed(world: World) -> None:
    with pytest.raises(ValueError, match="no such list"):
        world.control.list_emails("unknown")


def test_contacts_are_shown_whole(world: World) -> None:
    world.upsert(ANN)
    (contact,) = world.control.contacts(world.list_id)
    assert (contact["email"], contact["first_name"], contact["city"]) == ("ann@example.com", "Ann", "")


def test_more_contacts_than_fit_one_batch_are_all_shown_in_order(world: World) -> None:
    emails = [f"{number}@example.com" for number in range(4_001)]
    world.upsert(*({"email": email} for email in emails))
    assert [each["email"] for each in world.control.contacts(world.list_id)] == emails


def test_listing_carries_out_the_jobs_that_are_due(world: World) -> None:
    world.start_job(ANN)
    world.clock.pass_(1)
    assert world.emails() == ["ann@example.com"]


def test_a_request_is_logged_with_its_path_status_and_size(world: World) -> None:
    response = world.api.put(f"{CONTACTS}?a=b", json={"contacts": [ANN]})
    (logged,) = world.control.requests()
    assert (logged.method, logged.path, logged.endpoint) == ("PUT", f"{CONTACTS}?a=b", f"PUT {CONTACTS}")
    assert (logged.status, logged.request_bytes) == (202, len(response.request.content))
    assert (logged.started, logged.contacts, logged.response_bytes) == (START, 1, len(response.content))


def test_no_key_is_in_the_log(world: World) -> None:
    world.put(ANN)
    assert "SG." not in str(world.control.requests())


def test_control_requests_are_not_logged(world: World) -> None:
    world.control.create_list("Other")
    assert world.control.requests() == []


def test_requests_are_counted_by_endpoint_and_status(world: World) -> None:
    job_id = world.start_job(ANN)
    world.job(job_id)
    world.errors({"email": "x"})
    assert world.control.counts().requests == {
        f"PUT {CONTACTS} 202": 1,
        f"GET {CONTACTS}/imports/{{id}} 200": 1,
        f"PUT {CONTACTS} 400": 1,
    }
