"""Two exports on one list: whom one of them brings, the other does not take off."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.model.definitions import Export, MaxRemovals, Saved
from shared.model.reasons import RunStatus
from shared.model.runs import RunLock
from shared.storage.layout import RunBlobs, export_blob, list_lock_blob
from tests.support.fake_sendgrid import LIST_ID
from tests.support.in_memory_app import InMemoryApp, emails, people

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.model.runs import Run

ONE, OTHER = "one", "other"
PEOPLE = people(20)
BY_HAND = {"by.hand@example.com"}


@pytest.fixture
def app() -> InMemoryApp:
    return a_world()


def a_world(**changes: Any) -> InMemoryApp:  # noqa: ANN401 - an export's fields
    app = InMemoryApp()
    for export in (ONE, OTHER):
        wishes: dict[str, Any] = {"leavers": "remove", "max_removals": MaxRemovals(share=1.0)} | changes
        app.save(export, segments=(export,), **wishes)
    for address in BY_HAND:
        app.sendgrid.contacts[address] = {"email": address}
        app.on_list().add(address)
    return app


def run_with(app: InMemoryApp, export: str, delivered: Iterable[tuple[str, str]]) -> Run:
    app.clock.now += timedelta(hours=1)
    app.deliver_extract(delivered, segment=export)
    run = app.start(export)
    app.work()
    done = app.run(run)
    assert done.counts.adds_up
    return done


@pytest.mark.parametrize("left", ["nothing", "another export", "what cannot be read"])
def test_whom_a_deleted_export_has_brought_is_held_by_nobody(app: InMemoryApp, left: str) -> None:
    """Its deletion was cut off, so its members are still there; one that cannot be read may be there, too."""
    run_with(app, ONE, PEOPLE[:12])
    run_with(app, OTHER, PEOPLE[8:])
    app.blobs.delete(export_blob(OTHER))
    if left == "another export":
        app.save(OTHER, segments=(OTHER,))
        app.services.store.update(
            export_blob(OTHER), Saved[Export], lambda saved: saved.model_copy(update={"uid": "uid-2"})
        )
    if left == "what cannot be read":
        app.blobs.upsert(export_blob(OTHER), b"{}")
    done = run_with(app, ONE, PEOPLE[:4])
    assert done.counts.removed == (4 if left == "what cannot be read" else 8)


def test_whom_the_other_brings_stays_until_that_one_lets_go(app: InMemoryApp) -> None:
    run_with(app, ONE, PEOPLE[:12])
    run_with(app, OTHER, PEOPLE[8:])
    done = run_with(app, ONE, PEOPLE[:4])
    assert done.status is RunStatus.SUCCEEDED
    assert done.counts.removed == 4
    assert app.on_list() == emails(PEOPLE[:4] + PEOPLE[8:]) | BY_HAND
    run_with(app, OTHER, PEOPLE[14:])
    assert app.on_list() == emails(PEOPLE[:4] + PEOPLE[14:]) | BY_HAND


def test_who_has_left_both_is_kept_by_neither(app: InMemoryApp) -> None:
    run_with(app, ONE, PEOPLE)
    run_with(app, OTHER, PEOPLE)
    assert run_with(app, ONE, PEOPLE[5:]).counts.removed == 0
    assert run_with(app, OTHER, PEOPLE[5:]).counts.removed == 5
    assert app.on_list() == emails(PEOPLE[5:]) | BY_HAND


def test_who_is_rejected_for_a_value_is_brought_still(app: InMemoryApp) -> None:
    app = a_world(mapping={"email": "EMail", "first_name": "FirstName", "over_long": {"first_name": "reject"}})
    run_with(app, ONE, PEOPLE)
    run_with(app, OTHER, PEOPLE)
    run_with(app, OTHER, [(PEOPLE[0][0], "x" * 60), *PEOPLE[1:]])
    run_with(app, ONE, PEOPLE[1:])
    assert app.on_list() == emails(PEOPLE) | BY_HAND


def test_runs_on_one_list_come_one_after_the_other(app: InMemoryApp) -> None:
    """Else one could take off whom the other brings at the same moment."""
    run_with(app, ONE, PEOPLE)
    app.clock.now += timedelta(hours=1)
    app.deliver_extract(PEOPLE[:10], segment=ONE)
    app.deliver_extract(PEOPLE[10:], segment=OTHER)
    first, second = app.start(ONE), app.start(OTHER)
    over: list[str] = []
    while app.queues.waiting:
        app.step()
        over += [run.export for run in (app.run(first), app.run(second)) if run.status.is_terminal]
        if not app.run(first).status.is_terminal:
            assert app.run(second).uploading_at is None
    assert over[0] == ONE
    assert app.run(first).counts.removed == 10
    assert app.on_list() == emails(PEOPLE) | BY_HAND


@pytest.mark.parametrize("document", [None, b"{}"], ids=["gone", "damaged"])
def test_a_lock_of_a_run_that_nobody_can_go_on_with_is_free(app: InMemoryApp, document: bytes | None) -> None:
    holder = RunLock(export="third", run="20260101T000000Z-x")
    app.services.store.upsert(list_lock_blob(LIST_ID), holder)
    if document is not None:
        app.blobs.upsert(RunBlobs(export=holder.export, run=holder.run).document, document)
    assert run_with(app, ONE, PEOPLE).status is RunStatus.SUCCEEDED


def test_a_broken_membership_of_another_export_takes_nobody_off(app: InMemoryApp) -> None:
    run_with(app, ONE, PEOPLE)
    app.blobs.upsert(f"members/{OTHER}.json", b"{}")
    app.clock.now += timedelta(hours=1)
    app.deliver_extract(PEOPLE[5:], segment=ONE)
    app.start(ONE)
    message = app.queues.take()
    assert message is not None
    with pytest.raises(ValueError, match="Membership"):
        app.trigger(message.queue, message.body, "m1")
    assert app.on_list() == emails(PEOPLE) | BY_HAND


crowds = st.lists(st.integers(0, 11), min_size=1, max_size=10, unique=True)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    deliveries=st.lists(st.tuples(st.sampled_from([ONE, OTHER]), crowds), min_size=2, max_size=6),
    crashes=st.dictionaries(st.integers(5, 300), st.sampled_from(["before", "after"]), max_size=5),
)
def test_after_every_run_the_list_is_both_segments_and_those_put_there_by_hand(
    deliveries: list[tuple[str, list[int]]], crashes: dict[int, str]
) -> None:
    app = a_world()
    everybody = people(12)
    segments: dict[str, set[str]] = {ONE: set(), OTHER: set()}
    kept = dict(crashes)
    for export, delivered in deliveries:
        chosen = [everybody[number] for number in delivered]
        app.crashes.at = {}
        app.clock.now += timedelta(hours=1)
        app.deliver_extract(chosen, segment=export)
        run = app.start(export, force=True)
        app.crashes.at = kept
        app.work()
        kept = app.crashes.at
        segments[export] = emails(chosen)
        assert app.run(run).status is RunStatus.SUCCEEDED
        assert app.on_list() == segments[ONE] | segments[OTHER] | BY_HAND
