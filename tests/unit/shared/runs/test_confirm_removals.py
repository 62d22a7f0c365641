"""Removals beyond the limit wait until somebody confirms those very ones, and are done once."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from shared.definitions.resolve import resolve_export
from shared.errors import ConflictError
from shared.limits import RETENTION
from shared.model.reasons import RunStatus
from shared.runs.confirm_removals import confirm_removals
from shared.runs.start import new_run_id
from shared.runs.views import get_run_details
from tests.support.factories import ADA
from tests.support.in_memory_app import CrashError, InMemoryApp, emails, people

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.model.runs import Run

PEOPLE = people(30)


@pytest.fixture
def app() -> InMemoryApp:
    app = InMemoryApp()
    app.save(leavers="remove")
    run_with(app, PEOPLE)
    return app


def run_with(app: InMemoryApp, delivered: Iterable[tuple[str, str]], export: str = "newsletter") -> Run:
    app.clock.now += timedelta(hours=1)
    app.deliver_extract(delivered, segment="Customers" if export == "newsletter" else export)
    run = app.start(export)
    app.work()
    return app.run(run)


def confirm(app: InMemoryApp, run: Run) -> Run:
    job = resolve_export(app.services.store, run.export)
    started = confirm_removals(app.services, job, run.id, by=ADA, run_id=new_run_id(app.services))
    app.work()
    return app.run(started)


def test_the_run_says_what_waits_and_the_confirmation_does_it(app: InMemoryApp) -> None:
    held = run_with(app, PEOPLE[10:])
    assert (held.status, held.removals_to_confirm) == (RunStatus.COMPLETED_WITH_WARNINGS, 10)
    assert app.on_list() == emails(PEOPLE)
    assert "confirm" in get_run_details(app.services, held.export, held.id).next_step
    done = confirm(app, held)
    assert (done.status, done.counts.removed, done.confirms) == (RunStatus.SUCCEEDED, 10, held.id)
    assert done.counts.adds_up
    assert app.on_list() == emails(PEOPLE[10:])
    assert done.members is not None
    assert (done.members.before, done.members.left, done.members.after) == (30, 10, 20)


def test_confirming_twice_is_one_run(app: InMemoryApp) -> None:
    held = run_with(app, PEOPLE[10:])
    first, second = confirm(app, held), confirm(app, held)
    assert first.id == second.id
    assert [len(removal) for removal in app.sendgrid.removals] == [10]


def test_a_confirmation_that_was_cut_off_is_taken_up_by_the_next(app: InMemoryApp) -> None:
    held = run_with(app, PEOPLE[10:])
    for call in range(40):
        app.crashes.calls, app.crashes.at = 0, {call: "after"}
        with contextlib.suppress(CrashError):
            confirm(app, held)
        app.crashes.at = {}
    confirm(app, held)
    assert app.on_list() == emails(PEOPLE[10:])
    assert [len(removal) for removal in app.sendgrid.removals] == [10]


def test_an_unchanged_extract_leaves_the_removals_to_be_confirmed(app: InMemoryApp) -> None:
    held = run_with(app, PEOPLE[10:])
    again = app.start()
    app.work()
    assert app.run(again).status is RunStatus.SKIPPED
    assert confirm(app, held).counts.removed == 10


def test_a_later_run_makes_the_confirmation_pointless(app: InMemoryApp) -> None:
    held = run_with(app, PEOPLE[10:])
    run_with(app, PEOPLE)
    with pytest.raises(ConflictError, match="looked anew"):
        confirm(app, held)
    assert app.on_list() == emails(PEOPLE)


def test_a_run_that_gets_ahead_of_the_confirmation_makes_it_fail(app: InMemoryApp) -> None:
    held = run_with(app, PEOPLE[10:])
    app.clock.now += timedelta(hours=1)
    app.deliver_extract([*PEOPLE, ("new@example.com", "New")])
    ahead = app.start()
    job = resolve_export(app.services.store, held.export)
    app.step()
    confirmation = confirm_removals(app.services, job, held.id, by=ADA, run_id=new_run_id(app.services))
    app.work()
    assert app.run(ahead).status is RunStatus.SUCCEEDED
    done = app.run(confirmation)
    assert done.reason is not None
    assert (done.status, done.reason.code) == (RunStatus.FAILED, "chunks_gone")
    assert app.on_list() == emails(PEOPLE) | {"new@example.com"}


def test_whom_another_export_brings_by_then_stays(app: InMemoryApp) -> None:
    held = run_with(app, PEOPLE[10:])
    app.save("other", segments=("other",))
    run_with(app, PEOPLE[:4], export="other")
    assert confirm(app, held).counts.removed == 6
    assert app.on_list() == emails(PEOPLE) - emails(PEOPLE[4:10])


def test_when_another_export_brings_all_of_them_nobody_is_taken_off(app: InMemoryApp) -> None:
    held = run_with(app, PEOPLE[10:])
    app.save("other", segments=("other",))
    run_with(app, PEOPLE[:10], export="other")
    done = confirm(app, held)
    assert (done.status, done.counts.removed) == (RunStatus.SUCCEEDED, 0)
    assert app.on_list() == emails(PEOPLE)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"leavers": "keep"}, "keeps leavers"),
        ({"leavers": "remove", "list_id": UUID("00000000-0000-4000-8000-000000000002")}, "elsewhere"),
    ],
)
def test_an_export_that_wants_something_else_by_now_is_not_confirmed(
    app: InMemoryApp, changes: dict[str, Any], words: str
) -> None:
    held = run_with(app, PEOPLE[10:])
    app.save(**changes)
    with pytest.raises(ConflictError, match=words):
        confirm(app, held)
    assert app.on_list() == emails(PEOPLE)


def test_a_run_that_holds_nothing_has_nothing_to_confirm(app: InMemoryApp) -> None:
    done = run_with(app, PEOPLE[1:])
    with pytest.raises(ConflictError, match="nothing to confirm"):
        confirm(app, done)


def test_doubts_about_the_extract_cannot_be_confirmed_away(app: InMemoryApp) -> None:
    done = run_with(app, [*PEOPLE[10:], ('x","y","z', "too many values")])
    assert done.reason is not None
    assert (done.reason.code, done.removals_to_confirm) == ("removals_withheld", 0)


def test_what_is_past_its_retention_is_not_removed(app: InMemoryApp) -> None:
    held = run_with(app, PEOPLE[10:])
    app.clock.now += timedelta(seconds=RETENTION + 3600)
    app.tick()
    done = confirm(app, held)
    assert done.reason is not None
    assert done.reason.code == "chunks_gone"
    assert app.on_list() == emails(PEOPLE)


# --- grace --------------------------------------------------------------------------------------------------


def test_who_is_missing_has_left_after_so_many_runs(app: InMemoryApp) -> None:
    app.save(leavers="remove", after_missing_runs=3)
    for expected in (30, 30, 28):
        run_with(app, [*PEOPLE[2:], (f"new{expected}{app.clock.now:%H}@example.com", "New")])
        left = {address for address in app.on_list() if address.startswith("person")}
        assert len(left) == expected


def test_who_comes_back_in_time_begins_anew(app: InMemoryApp) -> None:
    app.save(leavers="remove", after_missing_runs=2)
    for delivered in (PEOPLE[1:], PEOPLE, PEOPLE[1:]):
        run_with(app, delivered)
        assert app.on_list() == emails(PEOPLE)
    run_with(app, [*PEOPLE[1:], ("new@example.com", "New")])
    assert PEOPLE[0][0] not in app.on_list()


def test_an_extract_in_doubt_counts_for_nothing(app: InMemoryApp) -> None:
    app.save(leavers="remove", after_missing_runs=2)
    for number in range(3):
        run_with(app, [*PEOPLE[1:], (f'x{number}","y","z', "too many values")])
    run_with(app, PEOPLE[1:])
    assert app.on_list() == emails(PEOPLE)
