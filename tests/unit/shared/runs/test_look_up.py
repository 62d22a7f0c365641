"""The ids of many leavers come from one export of the list; whatever goes wrong with it, they are searched."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.definitions.resolve import resolve_export
from shared.errors import FileGoneError
from shared.limits import LOOK_UP_PATIENCE, RETENTION, SWEEP_AFTER
from shared.model.look_up import LookUp
from shared.model.messages import CHUNKS_QUEUE
from shared.model.reasons import RunStatus
from shared.runs.confirm_removals import confirm_removals
from shared.runs.dry_run import start_dry_run
from shared.runs.start import new_run_id
from shared.storage.documents import Store
from shared.storage.layout import RunBlobs
from tests.support.factories import ADA
from tests.support.fake_sendgrid import answer, contact_id, export_file
from tests.support.in_memory_app import InMemoryApp, emails, people
from tests.support.worlds import BY_HAND, a_world_with_leavers, members, run_with, start_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.model.runs import Run

PEOPLE = people(30)
STAY, LEAVE = PEOPLE[20:], PEOPLE[:20]
A_CHUNK = 7


@pytest.fixture(scope="module", autouse=True)
def _few_are_many() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.runs.look_up.LOOK_UP_FROM", 10)
        patch.setattr("shared.planning.plan.REMOVALS_PER_REQUEST", A_CHUNK)
        patch.setattr("shared.planning.look_up.GROUP", 2)
        yield


def a_world(**changes: Any) -> InMemoryApp:  # noqa: ANN401 - an export's fields
    app = a_world_with_leavers(**changes)
    run_with(app, PEOPLE)
    return app


@pytest.fixture
def app() -> InMemoryApp:
    return a_world()


@pytest.fixture
def searches(app: InMemoryApp) -> list[int]:
    """How many addresses each search was about."""
    counted: list[int] = []
    search = app.sendgrid.search

    def counting(addresses: list[str]) -> Any:  # noqa: ANN401
        counted.append(len(addresses))
        return search(addresses)

    app.sendgrid.search = counting  # type: ignore[method-assign]
    return counted


def is_done(app: InMemoryApp, run: Run) -> None:
    """Everybody who has left is off the list, and nobody else."""
    done = app.run(run)
    assert done.status is RunStatus.SUCCEEDED
    assert done.counts.removed == len(LEAVE)
    assert app.on_list() == emails(STAY) | BY_HAND
    assert members(app) == emails(STAY)


def test_many_leavers_are_found_in_one_export(app: InMemoryApp, searches: list[int]) -> None:
    is_done(app, run_with(app, STAY))
    assert (searches, len(app.sendgrid.exports)) == ([], 1)
    assert sorted(map(len, app.sendgrid.removals)) == [6, 7, 7]


def test_few_leavers_are_searched(app: InMemoryApp, searches: list[int]) -> None:
    assert run_with(app, PEOPLE[9:]).counts.removed == 9
    assert (searches, app.sendgrid.exports) == ([7, 2], [])


def test_a_forecast_counts_the_requests(app: InMemoryApp) -> None:
    start_with(app, STAY)
    app.queues.take()
    run = start_dry_run(
        app.services, resolve_export(app.services.store, "newsletter"), by=ADA, run_id=new_run_id(app.services)
    )
    app.work()
    forecast = app.run(run).forecast
    assert forecast is not None
    assert forecast.requests == 3 + 1


def test_who_is_not_on_the_list_any_more_needs_no_removal(app: InMemoryApp, searches: list[int]) -> None:
    for address in emails(LEAVE[:7]):
        app.on_list().discard(address)
    is_done(app, run_with(app, STAY))
    assert searches == []
    assert {address for removal in app.sendgrid.removals for address in removal} == emails(LEAVE[7:])


def test_removals_that_were_confirmed_are_found_so_too(app: InMemoryApp, searches: list[int]) -> None:
    app.save(leavers="remove")
    held = run_with(app, STAY)
    assert held.removals_to_confirm == len(LEAVE)
    job = resolve_export(app.services.store, held.export)
    run = confirm_removals(app.services, job, held.id, by=ADA, run_id=new_run_id(app.services))
    app.work()
    is_done(app, run)
    assert searches == []


def test_the_ids_are_gone_when_the_run_has_succeeded(app: InMemoryApp) -> None:
    run_with(app, STAY)
    assert not [name for name in app.names("runs/") if "found-ids" in name]


def test_the_ids_are_gone_after_their_retention(app: InMemoryApp) -> None:
    app.sendgrid.job_answer = lambda job_id, job: (
        {"id": job_id, "status": "failed", "results": {}} if job.removes else None
    )
    run_with(app, STAY)
    assert [name for name in app.names("runs/") if "found-ids" in name]
    app.clock.now += timedelta(seconds=RETENTION + 3600)
    app.tick()
    assert not [name for name in app.names("runs/") if "found-ids" in name]


# --- the removals that wait ---------------------------------------------------------------------------------


def test_one_chunk_follows_the_export_and_the_others_wait(app: InMemoryApp) -> None:
    app.sendgrid.looks_until_done = 6
    run = start_with(app, STAY)
    app.work()
    is_done(app, run)
    (export,) = app.sendgrid.exports
    assert export.looks == 6


def test_waiting_takes_no_slots_from_the_rate_limiter(app: InMemoryApp, monkeypatch: pytest.MonkeyPatch) -> None:
    reserved: list[str] = []
    reserve = type(app.services.sendgrid).reserve

    def counting(self: Any, connection: str, endpoint: str, **options: Any) -> Any:  # noqa: ANN401
        reserved.append(endpoint)
        return reserve(self, connection, endpoint, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(type(app.services.sendgrid), "reserve", counting)
    app.sendgrid.looks_until_done = 20
    run_with(app, STAY)
    assert [endpoint for endpoint in reserved if endpoint != "lists"] == ["removals"] * 3


def test_who_follows_the_export_and_is_lost_is_replaced(app: InMemoryApp) -> None:
    run = start_with(app, STAY)
    blobs = RunBlobs(export=run.export, run=run.id)
    while Store(app.blobs).find(blobs.look_up, LookUp) is None:
        app.step()
    chunk = Store(app.blobs).get(blobs.look_up, LookUp).document.chunk
    app.queues.waiting[:] = [each for each in app.queues.waiting if f'"chunk":{chunk}}}' not in each.body]
    app.work(until=app.clock.now + timedelta(seconds=SWEEP_AFTER + 60))
    app.tick()
    app.work()
    is_done(app, run)
    assert len(app.sendgrid.exports) == 1


def test_a_chunk_that_is_given_up_leaves_the_others_to_search(app: InMemoryApp, searches: list[int]) -> None:
    run = start_with(app, STAY)
    blobs = RunBlobs(export=run.export, run=run.id)
    while Store(app.blobs).find(blobs.look_up, LookUp) is None:
        app.step()
    chunk = Store(app.blobs).get(blobs.look_up, LookUp).document.chunk
    message = next(each for each in app.queues.waiting if f'"chunk":{chunk}' in each.body)
    app.queues.waiting.remove(message)
    for _ in range(2):
        app.trigger(f"{CHUNKS_QUEUE}-poison", message.body.replace("{", '{"revived":true,', 1), "poison")
    app.work()
    done = app.run(run)
    assert done.counts.removed == len(LEAVE) - A_CHUNK
    assert sum(searches) == len(LEAVE) - A_CHUNK


# --- when it goes wrong -------------------------------------------------------------------------------------


def fails(app: InMemoryApp) -> None:
    app.sendgrid.export_answer = lambda _export: {"status": "failure"}


def is_unknown(app: InMemoryApp) -> None:
    app.sendgrid.fault = lambda request, _number: (
        answer(404, {"errors": []}) if request.method == "GET" and "/exports/" in request.path else None
    )


def is_refused(app: InMemoryApp) -> None:
    app.sendgrid.fault = lambda request, _number: (
        answer(400, {"errors": [{"message": "no"}]}) if request.path.endswith("/exports") else None
    )


def is_throttled(app: InMemoryApp) -> None:
    app.sendgrid.fault = lambda request, _number: (
        answer(429, {}, retry_after="50") if "exports" in request.path else None
    )


def never_ends(app: InMemoryApp) -> None:
    app.sendgrid.export_answer = lambda _export: {"status": "pending"}


def expires(app: InMemoryApp) -> None:
    def gone() -> Iterator[bytes]:
        yield from ()
        raise FileGoneError("the file store answered 403")

    app.sendgrid.read = lambda _url: gone()


def is_damaged(app: InMemoryApp) -> None:
    app.sendgrid.read = lambda _url: iter([b"<html>"])


def is_cut_off(app: InMemoryApp) -> None:
    app.sendgrid.read = lambda _url: iter([export_file([PEOPLE[0][0]])])


TROUBLES = [fails, is_unknown, is_refused, is_throttled, never_ends, expires, is_damaged, is_cut_off]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_whatever_goes_wrong_the_ids_are_searched(
    app: InMemoryApp, searches: list[int], trouble: Callable[[InMemoryApp], None]
) -> None:
    trouble(app)
    begun = app.clock.now
    run = start_with(app, STAY)
    app.work()
    is_done(app, run)
    assert sum(searches) == len(LEAVE)
    assert len(app.sendgrid.exports) <= 1
    assert (app.clock.now - begun).total_seconds() < 3600 + 2 * LOOK_UP_PATIENCE


def test_a_contact_that_was_deleted_meanwhile_has_its_chunk_searched(
    app: InMemoryApp, searches: list[int]
) -> None:
    run = start_with(app, STAY)
    while not app.sendgrid.removals:
        app.step()
    address = max(emails(LEAVE) - {each for removal in app.sendgrid.removals for each in removal})
    del app.sendgrid.contacts[address]
    app.on_list().discard(address)
    app.work()
    is_done(app, run)
    assert len(searches) == 1


def test_an_id_that_is_none_is_not_sent(app: InMemoryApp) -> None:
    address = LEAVE[0][0]
    app.sendgrid.export_files = lambda addresses: [
        export_file(addresses, packed=False).replace(contact_id(address).encode(), b"1/../x?")
    ]
    done = run_with(app, STAY)
    assert done.status is RunStatus.SUCCEEDED
    assert app.on_list() == emails(STAY) | BY_HAND | {address}


# --- whatever happens ---------------------------------------------------------------------------------------


def test_every_message_twice_does_the_same(app: InMemoryApp) -> None:
    run = start_with(app, STAY)
    while app.queues.waiting:
        message = app.queues.waiting[0]
        app.step()
        if message.queue == CHUNKS_QUEUE:
            app.trigger(message.queue, message.body, "again")
    is_done(app, run)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    crashes=st.dictionaries(st.integers(0, 220), st.sampled_from(["before", "after"]), max_size=6),
    busy=st.sets(st.integers(1, 40), max_size=6),
)
def test_crashes_anywhere_and_a_busy_sendgrid_take_off_the_same(crashes: dict[int, str], busy: set[int]) -> None:
    app = a_world()
    before = app.sendgrid.requests
    app.sendgrid.fault = lambda _request, number: (
        answer(429, {}, retry_after="9") if number - before in busy else None
    )
    run = start_with(app, STAY)
    app.crashes.calls, app.crashes.at = 0, dict(crashes)
    app.work()
    app.crashes.at = {}
    is_done(app, run)
    assert app.sendgrid.exports
