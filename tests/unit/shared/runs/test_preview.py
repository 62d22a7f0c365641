from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from shared.definitions.resolve import resolve_export
from shared.errors import ConflictError, TooManyRequestsError
from shared.runs.planner_lock import one_planner
from shared.runs.preview import preview_export
from tests.support.in_memory_app import InMemoryApp, people
from tests.support.worlds import a_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.runs.preview import Preview


@pytest.fixture
def app() -> InMemoryApp:
    return a_world(people(6))


def preview(app: InMemoryApp, *, rows: int = 100) -> Preview:
    return preview_export(app.services, resolve_export(app.services.store, "newsletter"), rows=rows)


@pytest.fixture
def busy_planner() -> Iterator[None]:
    held, done = threading.Event(), threading.Event()

    def plan() -> None:
        with one_planner():
            held.set()
            done.wait(30)

    thread = threading.Thread(target=plan)
    thread.start()
    held.wait(5)
    yield
    done.set()
    thread.join()


@pytest.mark.usefixtures("busy_planner")
def test_a_preview_does_not_wait_long_for_a_plan(app: InMemoryApp) -> None:
    before = time.monotonic()
    with pytest.raises(TooManyRequestsError) as raised:
        preview(app)
    assert raised.value.retry_after > 0
    assert time.monotonic() - before < 3


def test_a_preview_waits_a_moment_for_a_plan(app: InMemoryApp) -> None:
    held = threading.Event()

    def plan() -> None:
        with one_planner():
            held.set()
            time.sleep(0.2)

    thread = threading.Thread(target=plan)
    thread.start()
    held.wait(5)
    assert preview(app).counts.sent == 6
    thread.join()


@pytest.mark.parametrize(("bound", "words"), [("PREVIEW_BYTES", "more to read"), ("PREVIEW_SECONDS", "too long")])
def test_a_preview_has_bounds(app: InMemoryApp, monkeypatch: pytest.MonkeyPatch, bound: str, words: str) -> None:
    monkeypatch.setattr(f"shared.runs.preview.{bound}", -1)
    with pytest.raises(ConflictError, match=f"{words}.*fewer rows"):
        preview(app)
    assert not app.sendgrid.upserts
    with one_planner(wait=0):
        pass
