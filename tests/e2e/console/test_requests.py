"""What the console asks the API: repeated where that does no harm, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Route

    from tests.support.console import Console

ADDRESS = "/api/pretended"


class Answers:
    """Answers a pretended address: first what is listed, then 200; remembers what was asked."""

    def __init__(self, console: Console, *first: tuple[int, dict[str, str]]) -> None:
        self.asked: list[dict[str, str]] = []
        self._first = list(first)
        console.allow(*(status for status, _ in first if status))
        console.page.route(f"**{ADDRESS}*", self._answer)

    def _answer(self, route: Route) -> None:
        self.asked.append(route.request.all_headers())
        status, headers = self._first.pop(0) if self._first else (200, {})
        if status:
            route.fulfill(status=status, headers=headers, json={"code": "told", "detail": "Told.", "errors": []})
        else:
            route.abort()


def call(console: Console, method: str, **options: object) -> dict[str, Any]:
    """What api.js makes of a request: its data, or the problem."""
    script = """async ([method, address, options]) => {
        const { call } = await import("/console/api.js");
        try { return { data: (await call(method, address, options)).data }; }
        catch (problem) { return { status: problem.status, code: problem.code, retryAfter: problem.retryAfter }; }
    }"""
    found: dict[str, Any] = console.page.evaluate(script, [method, ADDRESS, options])
    return found


@pytest.mark.parametrize(
    ("method", "options", "tries"),
    [
        ("GET", {}, 2),
        ("POST", {"body": {}, "key": "0123"}, 2),
        ("POST", {"body": {}}, 1),
        ("PUT", {"body": {}}, 1),
        ("PATCH", {"body": {}, "etag": '"1"'}, 1),
        ("DELETE", {}, 1),
        ("GET", {"once": True}, 1),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_only_what_does_no_harm_twice_is_asked_again(
    console: Console, method: str, options: dict[str, object], tries: int, status: int
) -> None:
    console.open()
    answers = Answers(console, (status, {"Retry-After": "0"}))
    found = call(console, method, **options)
    assert len(answers.asked) == tries
    assert ("data" in found) is (tries == 2)


def test_a_lost_answer_is_asked_for_again_under_the_same_key(console: Console) -> None:
    console.open()
    answers = Answers(console, (0, {}))
    console.faults.clear()
    assert "data" in call(console, "POST", body={}, key="0123")
    assert [each["idempotency-key"] for each in answers.asked] == ["0123", "0123"]
    console.faults = [each for each in console.faults if "ERR_FAILED" not in each]


def test_the_app_says_how_long_to_wait(console: Console) -> None:
    console.open()
    Answers(console, (503, {"Retry-After": "31"}))
    assert call(console, "GET") == {"status": 503, "code": "told", "retryAfter": 31}


def test_a_refusal_is_not_repeated(console: Console) -> None:
    console.open()
    answers = Answers(console, (409, {}), (409, {}))
    assert call(console, "GET")["status"] == 409
    assert len(answers.asked) == 1


def test_the_version_that_was_read_is_the_one_that_is_changed(console: Console) -> None:
    console.open()
    answers = Answers(console)
    call(console, "PATCH", body={"a": 1}, etag='"v1"', media="application/merge-patch+json")
    assert answers.asked[0]["if-match"] == '"v1"'
    assert answers.asked[0]["content-type"] == "application/merge-patch+json"
