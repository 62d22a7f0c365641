"""The rows that were not sent, as CSV and as JSON."""

from __future__ import annotations

import csv

import pytest

from functions.requests import prefers
from shared.model.runs import Plan
from shared.storage.documents import Store
from shared.storage.layout import RunBlobs
from tests.support.factories import a_request
from tests.support.http_api import ask, serve, told
from tests.support.in_memory_app import InMemoryApp, people

JSON = {"Accept": "application/json"}


@pytest.fixture
def app() -> InMemoryApp:
    app = InMemoryApp()
    app.save()
    app.deliver_extract([*people(2), ("no address", "Marker"), ("", "Marker")])
    return serve(app)


def finished(app: InMemoryApp) -> str:
    run = app.start()
    app.work()
    return run.id


def add_part(app: InMemoryApp, run: str) -> None:
    """A second part of the list, as a larger extract has."""
    blobs = RunBlobs(export="newsletter", run=run)
    attempt = Store(app.blobs).get(blobs.plan, Plan).document.attempt
    app.blobs.upsert(blobs.rejected(attempt, 2), b'Customers,"a, b.csv",7,,EMail,email_missing\n')


def test_rows_are_told_as_json_to_who_asks_for_it(app: InMemoryApp) -> None:
    run = finished(app)
    as_json, as_csv = ask("get_rejected", run=run, headers=JSON), ask("get_rejected", run=run)
    assert (as_json.mimetype, as_csv.mimetype) == ("application/json", "text/csv")
    rows = told(as_json)["rows"]
    assert [(row["row"], row["reason"]) for row in rows] == [(4, "email_invalid"), (5, "email_missing")]
    listed = list(csv.DictReader(as_csv.get_body().decode().splitlines()))
    assert [{name: str(value or "") for name, value in row.items()} for row in rows] == listed
    assert "Marker" not in as_json.get_body().decode()


def test_parts_follow_each_other(app: InMemoryApp) -> None:
    run = finished(app)
    add_part(app, run)
    first = ask("get_rejected", run=run, headers=JSON)
    second = ask("get_rejected", run=run, headers=JSON, params={"part": "2"})
    address = f"/api/exports/newsletter/runs/{run}/rejected?part=2"
    assert (told(first)["next"], first.headers["Link"]) == (address, f'<{address}>; rel="next"')
    assert (told(second)["next"], second.headers.get("Link")) == (None, None)
    assert [(row["file"], row["row"], row["customer_id"]) for row in told(second)["rows"]] == [
        ("a, b.csv", 7, None)
    ]


def test_a_run_that_sent_all_has_no_rows(app: InMemoryApp) -> None:
    app.clock.now = app.clock.now.replace(hour=23)
    app.deliver_extract(people(2))
    assert told(ask("get_rejected", run=finished(app), headers=JSON)) == {"rows": [], "next": None}


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, False),
        ("*/*", False),
        ("text/csv", False),
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("text/csv, application/json", False),
        ("text/csv;q=0.5, application/json", True),
        ("application/json;q=0", False),
        ("application/json;q=x", False),
    ],
)
def test_json_is_for_who_would_rather_have_it(accept: str | None, *, expected: bool) -> None:
    request = a_request(headers={"Accept": accept} if accept else {})
    assert prefers(request, "application/json", "text/csv") is expected
