from email.utils import parsedate_to_datetime

import pytest

from tests.support.simulated import CONTACTS, LISTS, START, InMemorySendGrid

COUNT = f"{CONTACTS}/count"


@pytest.fixture
def narrow(sendgrid: InMemorySendGrid) -> InMemorySendGrid:
    sendgrid.control.configure(rate_limit=2, rate_window_seconds=10)
    return sendgrid


def test_every_answer_says_what_is_left(narrow: InMemorySendGrid) -> None:
    headers = narrow.api.get(COUNT).headers
    assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == ("2", "1")


def test_a_refusal_says_what_is_left_too(narrow: InMemorySendGrid) -> None:
    narrow.use_key("SG.unknown")
    assert narrow.api.get(COUNT).headers["X-RateLimit-Remaining"] == "1"


def test_the_reset_is_a_unix_time_by_default(narrow: InMemorySendGrid) -> None:
    assert narrow.api.get(COUNT).headers["X-RateLimit-Reset"] == str(int(START) + 10)


def test_the_reset_can_be_seconds_to_go(narrow: InMemorySendGrid) -> None:
    narrow.control.configure(reset_form="seconds")
    narrow.api.get(COUNT)
    narrow.clock.pass_(4)
    assert narrow.api.get(COUNT).headers["X-RateLimit-Reset"] == "6"


def test_the_limit_may_be_used_to_the_full(narrow: InMemorySendGrid) -> None:
    assert [narrow.api.get(COUNT).status_code for _ in range(3)] == [200, 200, 429]


def test_one_request_too_many_gets_the_documented_body(narrow: InMemorySendGrid) -> None:
    answers = [narrow.api.get(COUNT) for _ in range(3)]
    assert answers[-1].json() == {"errors": [{"field": None, "message": "too many requests"}]}


def test_one_request_too_many_has_no_effect(narrow: InMemorySendGrid) -> None:
    for number in range(3):
        narrow.put({"email": f"{number}@example.com"})
    narrow.clock.pass_(5)
    assert narrow.emails() == ["0@example.com", "1@example.com"]


def test_each_endpoint_has_its_own_limit(narrow: InMemorySendGrid) -> None:
    for _ in range(3):
        narrow.api.get(COUNT)
    assert narrow.api.get(LISTS).status_code == 200


def test_requests_are_welcome_again_after_the_window(narrow: InMemorySendGrid) -> None:
    for _ in range(3):
        narrow.api.get(COUNT)
    narrow.clock.pass_(10)
    assert narrow.api.get(COUNT).headers["X-RateLimit-Remaining"] == "1"


def test_requests_are_not_welcome_before_the_end_of_the_window(narrow: InMemorySendGrid) -> None:
    for _ in range(3):
        narrow.api.get(COUNT)
    narrow.clock.pass_(9.9)
    assert narrow.api.get(COUNT).status_code == 429


def test_retry_after_is_left_out_by_default(narrow: InMemorySendGrid) -> None:
    assert "Retry-After" not in [narrow.api.get(COUNT) for _ in range(3)][-1].headers


def test_retry_after_can_be_seconds(narrow: InMemorySendGrid) -> None:
    narrow.control.configure(retry_after_form="seconds")
    assert [narrow.api.get(COUNT) for _ in range(3)][-1].headers["Retry-After"] == "10"


def test_retry_after_can_be_a_date(narrow: InMemorySendGrid) -> None:
    narrow.control.configure(retry_after_form="date")
    header = [narrow.api.get(COUNT) for _ in range(3)][-1].headers["Retry-After"]
    assert parsedate_to_datetime(header).timestamp() == START + 10
