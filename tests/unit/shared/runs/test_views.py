"""What people and programs are told of a run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.definitions.check import check_connection
from shared.definitions.resolve import resolve_export
from shared.errors import RunEndError
from shared.model.rejections import Rejected
from shared.model.runs import Run
from shared.runs.preview import preview_export
from shared.runs.views import RunView, get_rejected, get_run, get_run_details, list_runs
from shared.telemetry import Event
from tests.support.fake_sendgrid import LIST_ID, answer
from tests.support.in_memory_app import InMemoryApp, people
from tests.support.worlds import a_world

ROOT = Path(__file__).parents[4]


@pytest.fixture
def app() -> InMemoryApp:
    return a_world([*people(6), ("PERSON1@example.com", "Twin"), ("nobody", "Marker Person")])


def finished(app: InMemoryApp) -> Run:
    run = app.start()
    app.work()
    return app.run(run)


def test_a_story_tells_stages_chunks_and_jobs(app: InMemoryApp) -> None:
    run = finished(app)
    story = get_run_details(app.services, run.export, run.id)
    assert [stage.name for stage in story.stages] == ["queued", "planning", "uploading", "importing"]
    assert [(chunk.status, chunk.contacts, chunk.jobs) for chunk in story.deliveries] == [
        ("completed", 6, ("job-1",))
    ]
    assert story.next_step == "Nothing to do."


def test_a_story_tells_how_long_the_run_was_throttled(app: InMemoryApp) -> None:
    slow = answer(429, {"errors": [{"message": "too many requests"}]}, retry_after="40")
    app.sendgrid.fault = lambda request, number: slow if request.method == "PUT" and number < 5 else None
    run = finished(app)
    throttling = get_run_details(app.services, run.export, run.id).throttling
    assert throttling.waits >= 1
    assert throttling.seconds >= 40


def test_a_run_that_goes_on_tells_how_far_it_is(app: InMemoryApp) -> None:
    run = app.start()
    app.step()
    assert get_run(app.services, run.export, run.id).chunks.contacts_planned == 6
    app.step()
    on_the_way = get_run_details(app.services, run.export, run.id)
    assert (on_the_way.status, on_the_way.chunks.contacts_accepted) == ("importing", 6)
    assert on_the_way.deliveries[0].status == "accepted"


def test_runs_are_listed_newest_first_in_pages(app: InMemoryApp) -> None:
    ids = []
    for _ in range(3):
        ids.append(app.start(force=True).id)
        app.clock.now = app.clock.now.replace(minute=app.clock.now.minute + 1)
    first, following = list_runs(app.services, "newsletter", limit=2, shown=lambda _run: True)
    rest, end = list_runs(app.services, "newsletter", limit=2, before=following, shown=lambda _run: True)
    assert [run.id for run in first + rest] == ids[::-1]
    assert end is None


def test_the_list_of_rejections_names_row_and_reason(app: InMemoryApp) -> None:
    run = finished(app)
    text, more = get_rejected(app.services, run.export, run.id, 1)
    assert not more
    assert text.decode().splitlines()[1].split(",")[2:] == ["9", "", "EMail", "email_invalid"]
    assert b"Marker" not in text


def test_a_run_without_rejections_has_an_empty_list(app: InMemoryApp) -> None:
    app.clock.now = app.clock.now.replace(hour=23)
    app.deliver_extract(people(2))
    run = finished(app)
    text, _ = get_rejected(app.services, run.export, run.id, 1)
    assert text == b"segment,file,row,customer_id,column,reason\n"


def test_a_preview_masks_values_and_leaves_nothing_behind(app: InMemoryApp) -> None:
    before = set(app.names())
    shown = preview_export(app.services, resolve_export(app.services.store, "newsletter"), rows=100)
    assert shown.counts.sent == 6
    assert shown.contacts[0] == {"email": "p" + "*" * 11, "first_name": "N****"}
    assert shown.rejections[0]["reason"] == "email_invalid"
    assert set(app.names()) == before
    assert app.sendgrid.upserts == []


def test_a_connection_that_works_is_told_apart_from_one_that_does_not(app: InMemoryApp) -> None:
    assert check_connection(app.services, "main").key_accepted
    app.sendgrid.scopes = ["mail.send"]
    with pytest.raises(RunEndError, match=r"marketing\.\*"):
        check_connection(app.services, "main")


def test_every_limit_in_the_operations_guide_is_the_one_in_force() -> None:
    from shared import limits
    from shared.sendgrid.job_times import TIMES_KEPT

    guide = (ROOT / "docs" / "operations.md").read_text()
    for words in (
        f"{limits.CONTACTS_PER_REQUEST:,}",
        f"{limits.BYTES_PER_REQUEST:,}",
        f"{limits.REQUEST_DEADLINE:.0f} s",
        f"4, 8 … {limits.BACKOFF_CAP:.0f} s",
        f"{limits.BLOCK_WAIT:.0f} s, {limits.BLOCK_TRIES} tries",
        f"{limits.DELIVERY_DEADLINE / 3600:.0f} h after the plan",
        f"{limits.PREPARATION_DEADLINE / 3600:.0f} h after its start",
        f"| {limits.REFUSAL_REQUESTS} |",
        f"{limits.POLL_FIRST:.0f} s after acceptance",
        f"up to {limits.POLL_CAP:.0f} s",
        f"then after {limits.POLL_CLOSE:.0f} s and half as long again",
        f"{TIMES_KEPT} newest times",
        f"{limits.IMPORT_DEADLINE / 3600:.0f} h after acceptance",
        f"{limits.RESENDS} times",
        f"{limits.KEY_LIFETIME:.0f} s; read again",
        f"{limits.SWEEP_AFTER:,.0f} s late",
    ):
        assert words in guide, words


def test_names_of_events_and_rejections_are_plain_words() -> None:
    assert all(re.fullmatch(r"[a-z_]+", name) for name in [*Event, *Rejected])


def test_a_member_of_the_stored_run_is_shown_only_where_the_view_names_it(app: InMemoryApp) -> None:
    run = finished(app)
    shown = get_run_details(app.services, run.export, run.id).model_dump()
    own = {
        "stop",
        "looked_at",
        "extract_looked_at",
        "message_token",
        "planner",
        "waits_until",
        "export_uid",
        "connection_uid",
        "acts_for",
    }
    assert set(Run.model_fields) - set(shown) == own
    assert set(shown) - set(Run.model_fields) == {
        *("stages", "deliveries", "throttling", "examples", "next_step"),
        *("links", "duration_s", "extract_age_s"),
    }


def test_a_run_tells_how_long_it_took_and_where_everything_of_it_is(app: InMemoryApp) -> None:
    run = app.start()
    assert RunView.of(run).duration_s is None
    app.work()
    shown = RunView.of(app.run(run)).model_dump()
    own = f"/api/exports/newsletter/runs/{run.id}"
    ended = app.run(run).finished_at
    assert ended is not None
    assert shown["duration_s"] == pytest.approx((ended - run.created_at).total_seconds(), abs=0.1)
    assert shown["links"] == {
        "self": own,
        "report": f"{own}/report",
        "rejected": f"{own}/rejected",
        "export": "/api/exports/newsletter",
    }


def test_a_run_tells_the_name_that_its_list_had(app: InMemoryApp) -> None:
    run = finished(app)
    assert run.list_name == "List"
    again = app.start(force=True)
    app.sendgrid.list_names[str(LIST_ID)] = "Renamed"
    app.work()
    assert [app.run(each).list_name for each in (run, again)] == ["List", "Renamed"]
