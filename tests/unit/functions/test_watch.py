"""A caller may wait until a run changes; a few at a time, and not for ever."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from functions import wiring
from shared.limits import WAIT_MAX, WAITS_AT_ONCE
from tests.support.http_api import ask, serve, told
from tests.support.in_memory_app import InMemoryApp, people

if TYPE_CHECKING:
    from collections.abc import Callable

    import azure.functions as func


class Sleeper:
    """Sleeps in no time; while it does, `work` is done. Other threads sleep as ever."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.work: Callable[[], object] = lambda: None
        self._sleep = time.sleep

    def __call__(self, seconds: float) -> None:
        if threading.current_thread() is not threading.main_thread():
            self._sleep(seconds)
            return
        self.slept.append(seconds)
        self.work()


@pytest.fixture
def sleeper(monkeypatch: pytest.MonkeyPatch) -> Sleeper:
    sleeper = Sleeper()
    monkeypatch.setattr(time, "sleep", sleeper)
    wiring.watching_runs.cache_clear()
    return sleeper


@pytest.fixture
def app() -> InMemoryApp:
    app = InMemoryApp()
    app.save()
    app.deliver_extract(people(3))
    return serve(app)


def status(run: str, **params: str) -> str:
    return str(told(ask("get_run", run=run, params=params))["status"])


def test_who_does_not_wait_is_answered_at_once(app: InMemoryApp, sleeper: Sleeper) -> None:
    assert (status(app.start().id), sleeper.slept) == ("queued", [])


def test_the_answer_comes_when_the_run_changes(app: InMemoryApp, sleeper: Sleeper) -> None:
    run = app.start().id

    def third_time_planned() -> None:
        if len(sleeper.slept) == 3:
            app.step()

    sleeper.work = third_time_planned
    assert status(run, wait="20") == "uploading"
    assert sleeper.slept == [1.0] * 3


def test_what_is_stored_anew_and_looks_the_same_is_no_change(app: InMemoryApp, sleeper: Sleeper) -> None:
    run = app.start().id
    name = f"runs/newsletter/{run}/run.json"
    sleeper.work = lambda: app.blobs.upsert(name, app.blobs.get(name).data)
    assert status(run, wait="5") == "queued"
    assert len(sleeper.slept) == 5


def test_a_wait_is_over_when_its_time_is(app: InMemoryApp, sleeper: Sleeper) -> None:
    assert status(app.start().id, wait=str(WAIT_MAX)) == "queued"
    assert 0 < len(sleeper.slept) <= WAIT_MAX


def test_nobody_waits_for_a_run_that_is_over(app: InMemoryApp, sleeper: Sleeper) -> None:
    run = app.start().id
    app.work()
    assert (status(run, wait="20"), sleeper.slept) == ("succeeded", [])


def test_more_than_a_few_are_answered_at_once(app: InMemoryApp, sleeper: Sleeper) -> None:
    run = app.start().id
    answers: list[func.HttpResponse] = []

    def ask_too() -> None:
        answers.append(ask("get_run", run=run, params={"wait": "1"}))

    sleeper.work = ask_too
    ask_too()
    assert [answer.headers.get("Retry-After") for answer in answers] == ["3", *[None] * WAITS_AT_ONCE]
    assert len(sleeper.slept) == WAITS_AT_ONCE
    sleeper.work = lambda: None
    status(run, wait="1")
    assert len(sleeper.slept) == WAITS_AT_ONCE + 1


@pytest.mark.parametrize("wait", ["21", "-1", "x", "1.5"])
def test_a_wait_has_bounds(app: InMemoryApp, wait: str) -> None:
    refused = ask("get_run", run=app.start().id, params={"wait": wait})
    assert [error["field"] for error in told(refused)["errors"]] == ["wait"]


def test_who_waits_is_answered_when_the_list_is_ready_too(app: InMemoryApp, sleeper: Sleeper) -> None:
    run = app.start()
    while not app.run(run).status.is_terminal:
        app.step()
    assert told(ask("get_run", run=run.id))["list_ready"] == "looking"
    sleeper.work = app.work
    shown = told(ask("get_run", run=run.id, params={"wait": "20"}))
    assert (shown["list_ready"], shown["list_not_confirmed"], len(sleeper.slept)) == ("ready", None, 1)
