"""A newer version of the app was rolled back: its documents and messages are read, and damaged ones end a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.model.definitions import Connection, Export, Saved
from shared.model.members import Membership
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import RunStatus
from shared.model.runs import ChunkResult, Delivery, Plan, Run, RunLock, ScheduleState, StartedRequest, Success
from shared.sendgrid.rate_limiter import RateLimit
from shared.storage.layout import RunBlobs
from tests.support.in_memory_app import InMemoryApp, people
from tests.support.worlds import a_world

EARLIER = Path(__file__).parent / "release-0.1"
"""Documents as the first release wrote them; every release adds a folder, and none is ever changed."""
KINDS: dict[str, Any] = {
    "connection": Saved[Connection],
    "export": Saved[Export],
    "run": Run,
    "plan": Plan,
    "delivery": Delivery,
    "result": ChunkResult,
    "lock": RunLock,
    "membership": Membership,
    "success": Success,
    "schedule": ScheduleState,
    "request": StartedRequest,
    "limiter": RateLimit,
}
FREE_NAMES = {"rejected_by_reason", "cut", "unusable", "custom_fields", "over_long"}
"""Members whose own members are names that people give."""

pytestmark = pytest.mark.usefixtures("plain_planner")


@pytest.fixture
def app() -> InMemoryApp:
    return a_world(people(25))


def as_a_newer_version(value: Any, name: str = "") -> Any:  # noqa: ANN401 - any JSON
    """The same JSON with one member more in every object."""
    if isinstance(value, dict) and name not in FREE_NAMES:
        return {key: as_a_newer_version(item, key) for key, item in value.items()} | {"surprise": {"newer": True}}
    if isinstance(value, list):
        return [as_a_newer_version(item) for item in value]
    return value


def rewrite(app: InMemoryApp) -> set[str]:
    """Write every stored document and every message anew, as a newer version would; the documents' names."""
    names = {name for name in app.names() if name.endswith(".json")}
    for name in names:
        newer = as_a_newer_version(json.loads(app.blobs.get(name).data))
        app.blobs.upsert(name, json.dumps(newer).encode())
    for message in app.queues.waiting:
        vars(message)["body"] = json.dumps(as_a_newer_version(json.loads(message.body)))
    return names


def test_documents_and_messages_of_a_newer_version_let_a_run_end(app: InMemoryApp) -> None:
    run = app.start(idempotency_key="monday")
    app.tick()
    rewritten = set()
    while app.queues.waiting:
        rewritten |= rewrite(app)
        app.step()
    done = app.run(run)
    assert (done.status, done.counts.sent) == (RunStatus.SUCCEEDED, 25)
    kinds = {name.split("/")[0] for name in rewritten} | {name.split("/")[-2] for name in rewritten if "/" in name}
    assert kinds >= {"connections", "exports", "locks", "requests", "schedule.json", "deliveries"}


@pytest.mark.parametrize("damaged", ["plan", "delivery"])
def test_a_document_that_cannot_be_read_ends_its_run(app: InMemoryApp, damaged: str) -> None:
    run = app.start()
    app.step()
    blobs = RunBlobs(export=run.export, run=run.id)
    app.blobs.upsert(blobs.plan if damaged == "plan" else blobs.delivery(1), b'{"of": "nobody"}')
    while (message := app.queues.take()) is not None:
        app.trigger(f"{message.queue}-poison", message.body, "dead")
    done = app.run(run)
    assert done.reason is not None
    assert (done.status, done.reason.code) == (RunStatus.FAILED, ReasonCode.DOCUMENT_DAMAGED)
    assert (done.counts.rows_read, done.counts.sent, done.counts.not_sent) == (25, 0, 25)
    assert done.counts.adds_up
    assert not [name for name in app.names() if name.startswith("active/")]


@pytest.mark.parametrize("file", sorted(EARLIER.glob("*.json")), ids=lambda file: file.stem)
def test_documents_of_earlier_releases_are_read(file: Path) -> None:
    kind = KINDS[file.stem]
    document = kind.model_validate_json(file.read_text(encoding="utf-8"))
    assert _holds(json.loads(document.model_dump_json()), json.loads(file.read_text()))


def _holds(now: object, then: object) -> bool:
    """Whether everything that stood there then stands there now."""
    match now, then:
        case dict(), dict():
            return all(name in now and _holds(now[name], value) for name, value in then.items())
        case list(), list():
            return len(now) == len(then) and all(map(_holds, now, then))
        case _:
            return now == then


def test_there_is_a_document_of_every_kind() -> None:
    assert {file.stem for file in EARLIER.glob("*.json")} == set(KINDS)
