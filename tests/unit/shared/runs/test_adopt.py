"""A list that another tool has filled is taken over: its people become members, and nobody is sent or removed."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared.definitions.resolve import resolve_export
from shared.errors import ConflictError, NotFoundError
from shared.limits import RETENTION
from shared.model.definitions import FieldMapping
from shared.model.reasons import RunStatus
from shared.model.runs import Success
from shared.runs.adopt import start_adoption
from shared.runs.cancel import cancel_run
from shared.runs.retry import retry_run
from shared.runs.start import new_run_id
from shared.runs.views import RunView, get_others, get_run, get_run_details
from shared.storage.documents import Store
from shared.storage.layout import list_lock_blob, success_blob
from tests.support.factories import ADA, BO
from tests.support.fake_sendgrid import EXPORT_URL, LIST_ID, contact_id, export_file
from tests.support.in_memory_app import CrashError, InMemoryApp, emails

if TYPE_CHECKING:
    from shared.model.runs import Run

from tests.support.adoptions import (
    BY_HAND,
    ON_LIST,
    PEOPLE,
    a_world,
    adopted,
    begin,
    fill,
    members,
    membership,
    others,
    reason_of,
)


@pytest.fixture
def app() -> InMemoryApp:
    return a_world()


# --- what it does -------------------------------------------------------------------------------------------


def test_who_is_on_the_list_and_in_the_segment_becomes_a_member(app: InMemoryApp) -> None:
    done = adopted(app)
    assert (done.status, reason_of(done)) == (RunStatus.SUCCEEDED, "adopted")
    assert members(app) == dict.fromkeys(emails(PEOPLE[5:]), 0)
    assert done.adopted is not None
    assert done.members is not None
    figures = done.adopted
    assert (figures.on_list, figures.made, figures.known, figures.others) == (17, 15, 0, 2)
    assert (done.members.before, done.members.joined, done.members.left, done.members.after) == (0, 15, 0, 15)
    assert [extract.segment for extract in done.extracts] == ["Customers"]
    assert done.list_count_before == 17
    assert done.waits_for is None
    assert done.counts.adds_up


def test_nothing_is_sent_and_nobody_removed(app: InMemoryApp) -> None:
    adopted(app)
    assert (app.sendgrid.upserts, app.sendgrid.removals) == ([], [])
    assert app.on_list() == ON_LIST


def test_the_others_are_listed_to_be_looked_at(app: InMemoryApp) -> None:
    done = adopted(app)
    assert others(app, done) == [
        {"email": address, "contact_id": contact_id(address)} for address in sorted(BY_HAND)
    ]
    assert "others" in get_run_details(app.services, done.export, done.id).next_step


def test_the_next_run_sends_all_for_nobody_knows_how_they_are_at_sendgrid(app: InMemoryApp) -> None:
    adopted(app)
    assert Store(app.blobs).find(success_blob("newsletter"), Success) is None
    run = app.start()
    app.work()
    done = app.run(run)
    assert (done.status, done.counts.sent, done.counts.unchanged) == (RunStatus.SUCCEEDED, 20, 0)
    assert done.members is not None
    assert (done.members.before, done.members.joined, done.members.after) == (15, 5, 20)
    assert app.on_list() == emails(PEOPLE) | BY_HAND


def test_who_leaves_later_is_taken_off_and_who_was_put_there_by_hand_stays(app: InMemoryApp) -> None:
    adopted(app)
    app.clock.now += timedelta(hours=1)
    app.deliver_extract(PEOPLE[8:])
    run = app.start()
    app.work()
    assert app.run(run).counts.removed == 3
    assert app.on_list() == emails(PEOPLE[8:]) | BY_HAND


def test_members_stay_as_they_are_and_are_not_counted_again(app: InMemoryApp) -> None:
    run = app.start()
    app.work()
    before = members(app)
    sent_all_at = membership(app).sent_all_at
    fill(app, {"new@example.com"})
    app.clock.now += timedelta(hours=1)
    app.deliver_extract([*PEOPLE[1:], ("new@example.com", "New")])
    done = adopted(app)
    assert done.adopted is not None
    assert (done.adopted.made, done.adopted.known, done.adopted.others) == (1, 20, 2)
    assert members(app) == before | {"new@example.com": 0}
    assert membership(app).sent_all_at == sent_all_at
    with pytest.raises(ConflictError):
        retry_run(
            app.services,
            resolve_export(app.services.store, run.export),
            done.id,
            by=ADA,
            run_id=new_run_id(app.services),
        )
    again = app.start()
    app.work()
    assert (app.run(again).counts.sent, app.run(again).counts.unchanged) == (1, 19)


def test_whom_another_export_to_the_list_brings_is_no_other(app: InMemoryApp) -> None:
    app.save("second", segments=("Second",))
    app.deliver_extract([("by.hand@example.com", "Hand")], segment="Second")
    app.start("second")
    app.work()
    done = adopted(app)
    assert done.adopted is not None
    assert (done.adopted.known, done.adopted.others) == (1, 1)
    assert [row["email"] for row in others(app, done)] == ["o'hand@example.com"]


def test_addresses_are_compared_in_sendgrids_form(app: InMemoryApp) -> None:
    app.clock.now += timedelta(hours=1)
    app.deliver_extract([("O'Hand@Example.COM ", "A"), ("person7@EXAMPLE.com", "B")])
    adopted(app)
    assert set(members(app)) == {"o'hand@example.com", "person7@example.com"}


def test_who_is_in_the_extract_twice_or_with_a_bad_value_is_in_it() -> None:
    mapping = FieldMapping(email="EMail", first_name="FirstName", over_long={"first_name": "reject"})
    app = a_world(mapping=mapping)
    app.clock.now += timedelta(hours=1)
    app.deliver_extract([(PEOPLE[6][0], "x" * 60), PEOPLE[7], PEOPLE[7], ("nobody", "x")])
    adopted(app)
    assert set(members(app)) == emails(PEOPLE[6:8])


# --- how often ----------------------------------------------------------------------------------------------


def test_asked_twice_it_is_one_run_until_that_is_over(app: InMemoryApp) -> None:
    first = begin(app)
    app.step()
    assert begin(app).id == first.id
    app.work()
    assert app.run(first).status is RunStatus.SUCCEEDED
    second = adopted(app)
    assert second.id != first.id
    assert second.adopted is not None
    assert (second.adopted.made, second.adopted.known) == (0, 15)
    assert [run.kind for run in app.runs()] == ["adoption", "adoption"]


@pytest.mark.parametrize("call", range(8))
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_start_that_is_cut_off_is_finished_by_the_next(app: InMemoryApp, call: int, when: str) -> None:
    app.crashes.calls, app.crashes.at = 0, {call: when}
    try:
        begin(app)
    except CrashError:
        app.services = app._services(None)
    app.crashes.at = {}
    adopted(app)
    assert set(members(app)) == emails(PEOPLE[5:])
    assert all(run.status.is_terminal for run in app.runs())


def test_asked_twice_at_the_same_moment_it_is_one_run(app: InMemoryApp, monkeypatch: pytest.MonkeyPatch) -> None:
    job = resolve_export(app.services.store, "newsletter")
    ahead: list[Run] = []
    find = app.services.store.find

    def late(name: str, kind: Any) -> Any:  # noqa: ANN401
        found = find(name, kind)
        if name.endswith("-adoption.json") and not ahead:
            monkeypatch.undo()
            ahead.append(start_adoption(app.services, job, by=BO, run_id=new_run_id(app.services)))
        return found

    monkeypatch.setattr(app.services.store, "find", late)
    assert start_adoption(app.services, job, by=ADA, run_id=new_run_id(app.services)).id == ahead[0].id


def test_it_waits_for_other_runs_of_the_export_and_on_the_list(app: InMemoryApp) -> None:
    app.save("second", segments=("Second",))
    app.deliver_extract(PEOPLE[:5], segment="Second")
    other = app.start("second")
    app.step()
    assert list_lock_blob(LIST_ID) in set(app.names())
    run = begin(app)
    while not app.run(other).status.is_terminal:
        assert app.sendgrid.exports == []
        app.step()
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED


def test_a_run_that_waits_says_for_what_and_can_be_cancelled(app: InMemoryApp) -> None:
    app.sendgrid.export_answer = lambda _export: {"status": "pending"}
    run = begin(app)
    app.work(until=app.clock.now + timedelta(minutes=5))
    waiting = get_run(app.services, run.export, run.id)
    assert waiting.status is RunStatus.PLANNING
    assert waiting.waits_for is not None
    cancel_run(app.services, run.export, run.id, by=BO)
    app.work()
    assert app.run(run).status is RunStatus.CANCELLED
    assert not list(app.names("members/"))


# --- people's data ------------------------------------------------------------------------------------------


def test_the_others_are_gone_after_their_retention(app: InMemoryApp) -> None:
    done = adopted(app)
    app.clock.now += timedelta(seconds=RETENTION + 3600)
    app.tick()
    with pytest.raises(NotFoundError):
        get_others(app.services, done.export, done.id, 1)


def test_a_run_that_adopts_nothing_has_no_others(app: InMemoryApp) -> None:
    run = app.start()
    app.work()
    with pytest.raises(NotFoundError):
        get_others(app.services, run.export, run.id, 1)


def test_the_others_come_in_parts(app: InMemoryApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.planning.chunks.PART_BYTES", 60)
    monkeypatch.setattr("shared.planning.list_file.PIECE_BYTES", 100)
    app.sendgrid.export_files = lambda addresses: [export_file(addresses, packed=False)]
    done = adopted(app)
    assert get_others(app.services, done.export, done.id, 1)[1]
    assert len(others(app, done)) == 2


def test_neither_addresses_of_files_nor_of_people_leak(app: InMemoryApp, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    damaged = b'"EMAIL","FIRST_NAME","CONTACT_ID"\n"person7@example.com","x"\n'
    app.sendgrid.read = lambda url: iter([damaged]) if url.startswith(f"{EXPORT_URL}0/") else None
    bodies: list[str] = []
    run = begin(app)
    while app.queues.waiting:
        bodies.append(app.queues.waiting[0].body)
        app.step()
    shown = RunView.of(app.run(run)).model_dump_json()
    kept = [name for name in app.names("runs/") if "/others/" not in name]
    stored = "".join(app.blobs.get(name).data.decode() for name in kept)
    for text in (*bodies, caplog.text, stored, shown):
        assert "secret-address" not in text
        assert "@example.com" not in text
