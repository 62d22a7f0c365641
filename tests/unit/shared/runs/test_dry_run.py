"""A dry run says what a run would do, and does nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from shared.definitions.resolve import resolve_export
from shared.errors import ConflictError
from shared.model.definitions import FieldMapping, MaxRemovals
from shared.model.members import Membership
from shared.model.reasons import RunStatus
from shared.runs.dry_run import start_dry_run
from shared.runs.retry import retry_run
from shared.runs.start import new_run_id
from shared.runs.views import get_rejected, get_run_details
from shared.storage.layout import membership_blob
from tests.support.factories import ADA
from tests.support.fake_sendgrid import answer
from tests.support.in_memory_app import InMemoryApp, a_connection, people

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.model.runs import Run

PEOPLE = people(20)
NEXT = [
    *PEOPLE[2:18],
    (PEOPLE[18][0], "Another"),
    (PEOPLE[19][0], "Name"),
    ("new@example.com", "New"),
    ("nobody", "N"),
]
EVERYBODY = MaxRemovals(share=1.0)


@pytest.fixture
def app() -> InMemoryApp:
    app = InMemoryApp()
    app.save(leavers="remove", max_removals=EVERYBODY)
    deliver(app, PEOPLE)
    app.start()
    app.work()
    return app


def deliver(app: InMemoryApp, rows: Iterable[tuple[str, str]]) -> None:
    app.clock.now += timedelta(hours=1)
    app.deliver_extract(rows)


def dry_run(app: InMemoryApp) -> Run:
    job = resolve_export(app.services.store, "newsletter")
    run = start_dry_run(app.services, job, by=ADA, run_id=new_run_id(app.services))
    app.work()
    return app.run(run)


def state(app: InMemoryApp) -> dict[str, bytes]:
    """All blobs but those of runs."""
    return {
        name: app.blobs.get(name).data
        for name in app.names()
        if not name.startswith(("runs/", "active/", "limiters/", "processes/"))
    }


def test_it_tells_what_a_run_would_do_and_does_nothing(app: InMemoryApp) -> None:
    deliver(app, NEXT)
    before, requests, on_list = state(app), len(app.sendgrid.upserts), set(app.on_list())
    done = dry_run(app)
    assert done.reason is not None
    assert (done.status, done.reason.code) == (RunStatus.SUCCEEDED, "dry_run")
    found = done.forecast
    assert found is not None
    assert (found.new, found.changed, found.unchanged, found.rejected) == (1, 2, 16, 1)
    assert (found.leaving, found.removed, found.requests) == (2, 2, 3)
    assert (found.account_contacts, found.account_contacts_after) == (20, 21)
    assert (done.counts.sent, done.counts.not_sent, done.counts.adds_up) == (0, 3, True)
    assert (state(app), len(app.sendgrid.upserts), app.on_list()) == (before, requests, on_list)
    assert app.sendgrid.removals == []
    assert not list(app.names("active/"))


def test_the_run_after_it_does_just_that(app: InMemoryApp) -> None:
    deliver(app, NEXT)
    found = dry_run(app).forecast
    run = app.start()
    app.work()
    counts = app.run(run).counts
    assert found is not None
    assert (counts.sent, counts.unchanged, counts.removed) == (
        found.new + found.changed,
        found.unchanged,
        found.removed,
    )


def test_the_examples_are_masked(app: InMemoryApp) -> None:
    deliver(app, NEXT)
    done = dry_run(app)
    details = get_run_details(app.services, done.export, done.id)
    assert details.examples is not None
    assert details.examples.new == ({"email": "n" + "*" * 11, "first_name": "N**"},)
    assert [contact["first_name"] for contact in details.examples.changed] == ["A******", "N***"]
    assert details.examples.leaving == ("p" + "*" * 11,) * 2
    text = details.model_dump_json()
    assert "@" not in text
    assert "Another" not in text


def test_its_rejected_rows_can_be_looked_at(app: InMemoryApp) -> None:
    deliver(app, NEXT)
    done = dry_run(app)
    assert app.rejected_rows(done) == [("21", "email_invalid")]
    deliver(app, PEOPLE)
    assert get_rejected(app.services, done.export, dry_run(app).id, 1)[0].count(b"\n") == 1


def test_an_export_that_never_ran_has_only_new_contacts() -> None:
    app = InMemoryApp()
    app.save()
    app.deliver_extract(PEOPLE)
    found = dry_run(app).forecast
    assert found is not None
    assert (found.new, found.changed, found.leaving, found.sends_all) == (20, 0, 0, True)
    assert not app.services.store.find(membership_blob("newsletter"), Membership)


def test_files_that_are_read_side_by_side_are_compared_as_one_file_is(app: InMemoryApp) -> None:
    app.clock.now += timedelta(hours=1)
    for number, rows in enumerate((PEOPLE[:15], [*PEOPLE[15:], ("new@example.com", "New")]), 1):
        lines = "".join(f"{email},Other\n" for email, _ in rows)
        app.extracts.upsert(
            f"Customers/2026/03/02/1200/Customers_{number}.csv", f"EMail,FirstName\n{lines}".encode()
        )
    found = dry_run(app).forecast
    assert found is not None
    assert (found.new, found.changed, found.leaving) == (1, 20, 0)


def test_removals_that_would_wait_are_told(app: InMemoryApp) -> None:
    app.save(leavers="remove")
    deliver(app, PEOPLE[10:])
    done = dry_run(app)
    assert done.forecast is not None
    assert (done.forecast.leaving, done.forecast.removed, done.removals_to_confirm) == (10, 0, 0)
    assert any("max_removals" in warning for warning in done.warnings)


def test_an_account_that_would_hold_more_than_it_may_is_told(app: InMemoryApp) -> None:
    app.save_connection(a_connection(contact_limit=20))
    deliver(app, NEXT)
    assert any("contact_limit of 20" in warning for warning in dry_run(app).warnings)


def test_an_account_that_does_not_tell_its_contacts_hinders_nothing(app: InMemoryApp) -> None:
    app.sendgrid.fault = lambda request, _number: (
        answer(403, {}) if request.path.endswith("/marketing/contacts/count") else None
    )
    deliver(app, NEXT)
    found = dry_run(app).forecast
    assert found is not None
    assert (found.new, found.account_contacts, found.account_contacts_after) == (1, None, None)


def test_what_would_end_a_run_ends_it(app: InMemoryApp) -> None:
    app.save(mapping=FieldMapping(email="Nothing"))
    deliver(app, NEXT)
    done = dry_run(app)
    assert done.reason is not None
    assert (done.status, done.reason.code, done.forecast) == (RunStatus.FAILED, "column_missing", None)


def test_a_disabled_export_may_be_looked_at(app: InMemoryApp) -> None:
    app.save(enabled=False)
    assert dry_run(app).status is RunStatus.SUCCEEDED


def test_it_goes_beside_a_run_of_the_export(app: InMemoryApp) -> None:
    deliver(app, NEXT)
    run = app.start()
    app.step()
    job = resolve_export(app.services.store, "newsletter")
    looked = start_dry_run(app.services, job, by=ADA, run_id=new_run_id(app.services))
    app.work()
    assert app.run(looked).status is RunStatus.SUCCEEDED
    assert app.run(run).status is RunStatus.SUCCEEDED


def test_there_is_nothing_to_retry_or_send_of_it(app: InMemoryApp) -> None:
    deliver(app, NEXT)
    done = dry_run(app)
    with pytest.raises(ConflictError):
        retry_run(
            app.services,
            resolve_export(app.services.store, done.export),
            done.id,
            by=ADA,
            run_id=new_run_id(app.services),
        )


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_dry_run_that_is_cut_off_anywhere_ends_and_changes_nothing(app: InMemoryApp, when: str) -> None:
    deliver(app, NEXT)
    before = state(app)
    for call in range(4, 60, 4):
        job = resolve_export(app.services.store, "newsletter")
        run = start_dry_run(app.services, job, by=ADA, run_id=new_run_id(app.services))
        app.crashes.at, app.crashes.calls = {call: when}, 0
        app.work()
        app.crashes.at = {}
        assert app.run(run).status is RunStatus.SUCCEEDED
    assert state(app) == before
    assert app.sendgrid.removals == []
