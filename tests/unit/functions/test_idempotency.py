"""A request that starts something may be sent twice, and starts it once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from shared.model.reasons import RunStatus
from tests.support.fake_sendgrid import answer, is_upsert
from tests.support.http_api import ask, serve, told
from tests.support.in_memory_app import InMemoryApp, a_connection, people

if TYPE_CHECKING:
    from shared.model.runs import Run

KEY = {"Idempotency-Key": "k"}


@pytest.fixture
def app() -> InMemoryApp:
    app = InMemoryApp()
    app.save()
    app.save_connection(a_connection(users=("nora",)))
    app.deliver_extract(people(5))
    return serve(app)


def failed(app: InMemoryApp) -> Run:
    """A run that SendGrid has not let through, and that may be tried again."""
    run = app.run_to_its_end(lambda request, _number: answer(451, {}) if is_upsert(request) else None)
    app.sendgrid.fault = lambda _request, _number: None
    return run


@pytest.mark.parametrize("function", ["start_run", "plan_export", "adopt_list", "retry_run"])
def test_a_key_starts_one_run_and_says_that_it_did_before(app: InMemoryApp, function: str) -> None:
    run = failed(app).id
    before = len(app.runs())
    first, second = (ask(function, headers=KEY, run=run) for _ in range(2))
    app.work()
    third = ask(function, headers=KEY, run=run)
    assert {told(each)["id"] for each in (first, second, third)} == {told(first)["id"]}
    replayed = [each.headers.get("Idempotency-Replayed") for each in (first, second, third)]
    assert replayed == [None, "true", "true"]
    assert len(app.runs()) == before + 1


def test_what_a_key_started_is_told_when_it_could_not_start_any_more(app: InMemoryApp) -> None:
    first = told(ask("start_run", headers=KEY))
    app.save(enabled=False)
    again = ask("start_run", headers=KEY)
    assert (again.status_code, told(again)["id"]) == (202, first["id"])


@pytest.mark.parametrize(
    ("first", "other"), [("start_run", "plan_export"), ("plan_export", "adopt_list"), ("plan_export", "retry_run")]
)
def test_a_key_of_another_operation_is_refused(app: InMemoryApp, first: str, other: str) -> None:
    run = failed(app).id
    ask(first, headers=KEY)
    refused = ask(other, headers=KEY, run=run)
    assert (refused.status_code, told(refused)["code"]) == (422, "idempotency_key_reused")


def test_a_key_of_another_body_is_refused_and_an_equal_one_is_not(app: InMemoryApp) -> None:
    ask("start_run", {"force": False}, headers=KEY)
    assert ask("start_run", {"force": True}, headers=KEY).status_code == 422
    assert ask("start_run", headers=KEY).status_code == 202
    assert len(app.runs()) == 1


def test_a_key_is_its_callers(app: InMemoryApp) -> None:
    started = {told(ask("plan_export", headers=KEY, caller=caller))["id"] for caller in ("admin", "nora")}
    assert len(started) == len(app.runs()) == 2


def test_a_key_is_good_for_a_day(app: InMemoryApp) -> None:
    first = told(ask("start_run", headers=KEY))["id"]
    app.clock.now += timedelta(hours=23, minutes=59)
    assert told(ask("start_run", headers=KEY))["id"] == first
    app.clock.now += timedelta(minutes=2)
    assert told(ask("start_run", headers=KEY))["id"] != first


def test_keys_are_forgotten_after_a_day_and_adoptions_under_way_are_not(app: InMemoryApp) -> None:
    ask("adopt_list", headers=KEY)
    app.clock.now += timedelta(hours=23)
    app.tick()
    assert len(list(app.names("requests/newsletter/keys/"))) == 1
    app.clock.now += timedelta(hours=8)
    app.tick()
    assert [name.endswith("-adoption.json") for name in app.names("requests/")] == [True]


def test_a_request_that_was_cut_off_is_begun_again_under_its_id(app: InMemoryApp) -> None:
    first = told(ask("start_run", headers=KEY))["id"]
    for name in list(app.names("runs/")):
        app.blobs.delete(name)
    again = ask("start_run", headers=KEY)
    assert (told(again)["id"], again.headers.get("Idempotency-Replayed")) == (first, None)


def test_a_key_stands_for_the_run_it_joined(app: InMemoryApp) -> None:
    under_way = told(ask("adopt_list"))["id"]
    assert told(ask("adopt_list", headers=KEY))["id"] == under_way
    app.work()
    assert told(ask("adopt_list", headers=KEY))["id"] == under_way
    assert told(ask("adopt_list"))["id"] != under_way


def test_while_a_retry_is_not_over_asking_again_gives_the_same_run(app: InMemoryApp) -> None:
    run = failed(app).id
    first, second = (told(ask("retry_run", run=run))["id"] for _ in range(2))
    app.step()
    assert {first, second} == {told(ask("retry_run", run=run))["id"]}
    app.work()
    assert sorted(each.status for each in app.runs()) == [RunStatus.FAILED, RunStatus.SUCCEEDED]


def test_a_retry_that_failed_may_be_retried(app: InMemoryApp) -> None:
    run = failed(app).id
    app.sendgrid.fault = lambda request, _number: answer(451, {}) if is_upsert(request) else None
    first = told(ask("retry_run", run=run))["id"]
    app.work()
    assert told(ask("retry_run", run=first))["retry_of"] == first


@pytest.mark.parametrize("function", ["start_run", "plan_export", "adopt_list", "retry_run", "cancel_run"])
def test_every_202_says_when_to_look(app: InMemoryApp, function: str) -> None:
    run = failed(app).id
    if function == "cancel_run":
        run = app.start().id
    answered = ask(function, run=run)
    assert (answered.status_code, int(answered.headers["Retry-After"]) > 0) == (202, True)
