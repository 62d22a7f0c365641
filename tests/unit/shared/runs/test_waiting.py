"""A run waits for the newest delivery to be complete, for so long as its export says."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from shared.model.definitions import SourceOptions
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import RunStatus
from tests.support.in_memory_app import InMemoryApp

if TYPE_CHECKING:
    from shared.model.runs import Run

EARLIER, NEWEST = "Seg/2026/02/27/2300/", "Seg/2026/02/28/2300/"
ROWS = b"Ann,ann@example.com\n"


def model(*names: str) -> bytes:
    partitions = [
        {"name": name, "location": f"https://a.blob.core.windows.net/c/{NEWEST}{name}"} for name in names
    ]
    attributes = [{"name": "FirstName"}, {"name": "EMail"}]
    return json.dumps({"entities": [{"name": "Seg", "attributes": attributes, "partitions": partitions}]}).encode()


def an_app(files: dict[str, bytes], *, wait_minutes: int = 30) -> InMemoryApp:
    app = InMemoryApp()
    app.save(segments=("Seg",), source=SourceOptions(wait_minutes=wait_minutes))
    for name, data in files.items():
        app.extracts.upsert(name, data)
    return app


def half_delivered() -> dict[str, bytes]:
    return {"model.json": model("Seg_1.csv", "Seg_2.csv"), NEWEST + "Seg_1.csv": ROWS}


def test_a_run_waits_visibly_and_goes_on_when_the_delivery_is_complete() -> None:
    app = an_app(half_delivered())
    run = app.start()
    app.step()
    waiting = app.run(run)
    assert waiting.status is RunStatus.WAITING_FOR_EXTRACT
    assert waiting.waits_for is not None
    assert "Seg_2.csv is missing" in waiting.waits_for
    app.extracts.upsert(NEWEST + "Seg_2.csv", b"Bo,bo@example.com\n")
    done = to_the_end(app, run)
    assert (done.status, done.counts.sent, done.waits_for) == (RunStatus.SUCCEEDED, 2, None)


def test_a_run_that_has_waited_long_enough_takes_the_delivery_before_and_says_so() -> None:
    before = {EARLIER + "Seg_1.csv": ROWS, EARLIER + "Seg_2.csv": b"Bo,bo@example.com\n"}
    app = an_app(half_delivered() | before)
    done = to_the_end(app, app.start())
    assert done.counts.sent == 2
    assert done.extracts[0].version == "2026/02/27/2300"
    assert any("Seg_2.csv is missing" in warning for warning in done.warnings)


def test_where_the_delivery_before_was_sent_already_the_run_does_not_call_it_unchanged() -> None:
    files = {EARLIER + "Seg_1.csv": ROWS, EARLIER + "Seg_2.csv": b"Bo,bo@example.com\n"}
    app = an_app(files | half_delivered())
    to_the_end(app, app.start())
    done = to_the_end(app, app.start())
    assert done.reason is not None
    assert (done.status, done.reason.code) == (RunStatus.FAILED, ReasonCode.EXTRACT_INCOMPLETE)
    assert "sent already" in done.reason.message


def test_a_run_that_has_waited_in_vain_ends_and_sends_nothing() -> None:
    app = an_app(half_delivered())
    run = app.start()
    done = to_the_end(app, run)
    assert done.reason is not None
    assert (done.status, done.reason.code) == (RunStatus.FAILED, ReasonCode.EXTRACT_INCOMPLETE)
    assert done.finished_at is not None
    assert done.finished_at - done.created_at >= timedelta(minutes=30)


@pytest.mark.parametrize("minutes", [0, 5])
def test_the_export_says_how_long_a_run_waits(minutes: int) -> None:
    app = an_app(half_delivered(), wait_minutes=minutes)
    done = to_the_end(app, app.start())
    assert done.finished_at is not None
    assert timedelta(minutes=minutes) <= done.finished_at - done.created_at < timedelta(minutes=minutes + 2)


def to_the_end(app: InMemoryApp, run: Run) -> Run:
    app.work()
    return app.run(run)
