import pytest

from local.sendgrid_simulator.configuration import REALISTIC, Configuration
from local.sendgrid_simulator.keys import TODAYS_SCOPES
from tests.support.simulated import CONTACTS, LISTS, InMemorySendGrid

ANN = {"email": "ann@example.com"}
INTO_THE_MINUTE = 20
"""Seconds that the clock of these tests is past a full minute."""


@pytest.fixture
def realistic(sendgrid: InMemorySendGrid) -> InMemorySendGrid:
    sendgrid.control.configure(profile=REALISTIC, edge_406_share=0, latencies={})
    sendgrid.use_key(sendgrid.control.create_key())
    return sendgrid


@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [
        ("PUT", CONTACTS, "200"),
        ("POST", f"{CONTACTS}/search/emails", "600"),
        ("GET", LISTS, "600"),
        ("POST", LISTS, "600"),
        ("DELETE", f"{LISTS}/x/contacts", "600"),
    ],
)
def test_limits_are_those_recorded(realistic: InMemorySendGrid, method: str, path: str, limit: str) -> None:
    assert realistic.api.request(method, path, json={}).headers["X-RateLimit-Limit"] == limit


def test_a_limit_is_for_all_lists_together(realistic: InMemorySendGrid) -> None:
    remaining = [realistic.api.get(f"{LISTS}/{each}").headers["X-RateLimit-Remaining"] for each in "abc"]
    assert remaining == ["599", "598", "597"]


def test_limits_begin_anew_with_the_minute_of_the_clock(realistic: InMemorySendGrid) -> None:
    left = []
    for _ in range(2):
        headers = realistic.api.get(LISTS).headers
        left.append((headers["X-RateLimit-Reset"], headers["X-RateLimit-Remaining"]))
        realistic.clock.pass_(60 - INTO_THE_MINUTE)
    assert left == [(f"{60 - INTO_THE_MINUTE}", "599"), ("60", "599")]


def test_an_upsert_takes_half_a_minute_and_says_so_later(realistic: InMemorySendGrid) -> None:
    job_id, told = realistic.start_job(ANN, {"email": "bob@example.com"}), []
    for seconds in (0, 30, 5):
        realistic.clock.pass_(seconds)
        job = realistic.job(job_id)
        told.append((job["status"], job["results"]))
    assert told == [
        ("pending", {"requested_count": 2}),
        ("pending", {"requested_count": 2, "created_count": 2}),
        ("completed", {"requested_count": 2, "created_count": 2}),
    ]


def test_a_job_of_an_upsert_has_todays_type(realistic: InMemorySendGrid) -> None:
    assert realistic.job(realistic.start_job(ANN))["job_type"] == "upsert_contacts"


def test_a_contact_was_created_at_its_acceptance_and_updated_at_its_effect(realistic: InMemorySendGrid) -> None:
    realistic.start_job(ANN)
    realistic.clock.pass_(30)
    contact = realistic.control.contact("ann@example.com") or {}
    assert (contact["created_at"], contact["updated_at"]) == ("2023-11-14T22:13:20Z", "2023-11-14T22:13:50Z")


def test_a_new_key_lists_todays_scopes_and_writes_all_the_same(realistic: InMemorySendGrid) -> None:
    assert realistic.api.get("/v3/scopes").json()["scopes"] == list(TODAYS_SCOPES)
    assert realistic.put(ANN).status_code == 202


def test_a_key_without_todays_scope_does_not_write(realistic: InMemorySendGrid) -> None:
    realistic.use_key(realistic.control.create_key(["marketing.automation.read"]))
    assert realistic.put(ANN).status_code == 403


def test_the_edge_answers_a_page_that_has_no_effect(realistic: InMemorySendGrid) -> None:
    realistic.control.configure(edge_406_share=1)
    answer = realistic.put(ANN)
    assert (answer.status_code, answer.headers["Content-Type"]) == (406, "text/html")
    assert ("X-RateLimit-Limit" in answer.headers, realistic.control.counts().jobs) == (False, {})


def test_the_edge_takes_some_requests_only_and_the_same_in_every_life(sendgrid: InMemorySendGrid) -> None:
    lives = []
    for _ in range(2):
        sendgrid.begin_again()
        sendgrid.control.configure(edge_406_share=0.5)
        lives.append([sendgrid.api.get(LISTS).status_code for _ in range(20)])
    assert (lives[0], set(lives[0])) == (lives[1], {200, 406})


def test_an_endpoint_can_be_slower_than_the_others(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.configure(latencies={f"GET {LISTS}": 0.01})
    sendgrid.api.get(LISTS)
    sendgrid.api.get("/v3/scopes")
    assert [each.seconds for each in sendgrid.control.requests()] == [0.01, 0]


def test_a_profile_replaces_all_that_was_set(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.configure(retry_after_form="date")
    assert sendgrid.control.configure(profile=REALISTIC).retry_after_form is None


def test_a_profile_that_does_not_exist_is_refused(sendgrid: InMemorySendGrid) -> None:
    with pytest.raises(ValueError, match="there is no profile rosy"):
        sendgrid.control.configure(profile="rosy")


def test_a_title_names_the_profile_and_what_was_changed() -> None:
    assert Configuration().title() == "quick"
    assert Configuration(rate_limit=5).title() == "quick, but rate_limit=5"
