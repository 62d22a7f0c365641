"""Whatever SendGrid's export does, and wherever the app is cut off: a list is adopted as it is, or not at all."""

from __future__ import annotations

import contextlib
import gzip
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import FileGoneError, TransientError
from shared.limits import LIST_EXPORT_DEADLINE, LIST_EXPORT_TRIES
from shared.model.reasons import RunStatus
from shared.runs import adopt
from shared.storage.layout import RunBlobs
from tests.support.fake_sendgrid import EXPORT_URL, answer, export_file
from tests.support.in_memory_app import InMemoryApp, emails

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.fake_sendgrid import ContactExport

from tests.support.adoptions import (
    BY_HAND,
    ON_LIST,
    PEOPLE,
    a_world,
    adopted,
    begin,
    members,
    membership,
    others,
    reason_of,
)


@pytest.fixture
def app() -> InMemoryApp:
    return a_world()


# --- SendGrid's export --------------------------------------------------------------------------------------


def unpacked(addresses: list[str]) -> list[bytes]:
    return [export_file(addresses, packed=False)]


def one_each(addresses: list[str]) -> list[bytes]:
    return [export_file([address], packed=bool(number % 2)) for number, address in enumerate(addresses)]


@pytest.mark.parametrize("files", [unpacked, one_each])
def test_files_may_be_several_and_not_packed(app: InMemoryApp, files: Callable[[list[str]], list[bytes]]) -> None:
    app.sendgrid.export_files = files
    done = adopted(app)
    assert done.adopted is not None
    assert (done.adopted.on_list, done.adopted.made) == (17, 15)


def test_an_empty_list_makes_nobody_a_member(app: InMemoryApp) -> None:
    app.on_list().clear()
    app.sendgrid.export_files = lambda _emails: []
    done = adopted(app)
    assert done.adopted is not None
    assert (done.status, done.adopted.on_list) == (RunStatus.SUCCEEDED, 0)
    assert others(app, done) == []


def fails(app: InMemoryApp, times: int) -> None:
    app.sendgrid.export_answer = lambda _export: (
        {"status": "failure", "message": "no"} if len(app.sendgrid.exports) <= times else None
    )


def is_unknown(app: InMemoryApp, times: int) -> None:
    def fault(request: Any, _number: int) -> Any:  # noqa: ANN401
        number = request.path.rpartition("/")[2]
        if "/exports/" in request.path and int(number) < times:
            return answer(404, {"errors": [{"message": "export not found"}]})
        return None

    app.sendgrid.fault = fault


def expires(app: InMemoryApp, times: int) -> None:
    def read(url: str) -> Iterator[bytes] | None:
        number = url.removeprefix(EXPORT_URL).partition("/")[0]
        return gone() if int(number) < times else None

    def gone() -> Iterator[bytes]:
        yield from ()
        raise FileGoneError("the file store answered 403")

    app.sendgrid.read = read


def is_damaged(data: bytes) -> Callable[[InMemoryApp, int], None]:
    def damage(app: InMemoryApp, times: int) -> None:
        def read(url: str) -> Iterator[bytes] | None:
            number = url.removeprefix(EXPORT_URL).partition("/")[0]
            return iter([data]) if int(number) < times else None

        app.sendgrid.read = read

    return damage


HEADER = b'"EMAIL","FIRST_NAME","CONTACT_ID","HAT"\n'
CUT_OFF = gzip.compress(export_file(sorted(ON_LIST), packed=False))[:-20]
TROUBLES = {
    "failure": (fails, "list_export_failed"),
    "unknown": (is_unknown, "list_export_failed"),
    "expired": (expires, "list_export_expired"),
    "cut off": (is_damaged(CUT_OFF), "list_export_damaged"),
    "no gzip": (is_damaged(b"\x1f\x8b nonsense"), "list_export_damaged"),
    "other columns": (is_damaged(b'"NAME","ID"\n"Ann","1"\n'), "list_export_damaged"),
    "an error page": (is_damaged(b"<html>no</html>"), "list_export_damaged"),
    "an open value": (is_damaged(HEADER + b'"secret@example.com","x\n'), "list_export_damaged"),
    "too few values": (is_damaged(HEADER + b'"secret@example.com","x"\n'), "list_export_damaged"),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_with_an_export_is_met_with_another_one(app: InMemoryApp, name: str) -> None:
    TROUBLES[name][0](app, LIST_EXPORT_TRIES - 1)
    assert adopted(app).status is RunStatus.SUCCEEDED
    assert len(app.sendgrid.exports) == LIST_EXPORT_TRIES
    assert set(members(app)) == emails(PEOPLE[5:])


@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_that_does_not_end_ends_the_run_with_its_reason(app: InMemoryApp, name: str) -> None:
    trouble, code = TROUBLES[name]
    trouble(app, LIST_EXPORT_TRIES)
    done = adopted(app)
    assert (done.status, reason_of(done)) == (RunStatus.FAILED, code)
    assert len(app.sendgrid.exports) == LIST_EXPORT_TRIES
    assert done.reason is not None
    assert "@" not in done.reason.message
    assert not list(app.names("members/"))


def test_an_export_that_is_never_ready_ends_the_run(app: InMemoryApp) -> None:
    app.sendgrid.export_answer = lambda _export: {"status": "in the queue", "urls": None}
    begun = app.clock.now
    assert reason_of(adopted(app)) == "list_export_unfinished"
    assert (app.clock.now - begun).total_seconds() > LIST_EXPORT_DEADLINE
    assert app.sendgrid.exports[0].looks < 250


def test_an_export_that_is_ready_has_its_files_a_moment_later(app: InMemoryApp) -> None:
    def no_files(export: ContactExport) -> dict[str, Any] | None:
        return {"status": "ready", "urls": [], "contact_count": 17} if export.looks < 4 else None

    app.sendgrid.export_answer = no_files
    assert adopted(app).status is RunStatus.SUCCEEDED
    assert app.sendgrid.exports[0].looks == 4


def test_a_list_that_is_gone_ends_the_run(app: InMemoryApp) -> None:
    app.sendgrid.lists.clear()
    assert reason_of(adopted(app)) == "list_missing"


def test_a_list_that_the_export_goes_to_by_now_is_the_one_that_is_adopted(app: InMemoryApp) -> None:
    run = begin(app)
    app.step()
    other = UUID(int=5)
    app.sendgrid.lists[str(other)] = {PEOPLE[0][0]}
    app.save(list_id=other)
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED
    assert set(members(app)) == {PEOPLE[0][0]}
    assert membership(app).list_id == other


@pytest.mark.parametrize(
    ("rows", "code", "status"),
    [
        ([], "extract_empty", RunStatus.SKIPPED),
        ([("nobody", "x")], "no_valid_contact", RunStatus.FAILED),
    ],
)
def test_an_extract_without_anybody_makes_nobody_a_member(
    app: InMemoryApp, rows: list[tuple[str, str]], code: str, status: RunStatus
) -> None:
    app.clock.now += timedelta(hours=1)
    app.deliver_extract(rows)
    done = adopted(app)
    assert (reason_of(done), done.status) == (code, status)
    assert not list(app.names("members/"))


@pytest.mark.parametrize(
    "refusal", [answer(429, {}, retry_after="20"), answer(500, {}), answer(406, {}), answer(202, {"id": "?/"})]
)
def test_a_sendgrid_that_is_busy_is_waited_for(app: InMemoryApp, refusal: Any) -> None:  # noqa: ANN401
    refused: list[str] = []

    def fault(request: Any, _number: int) -> Any:  # noqa: ANN401
        if "exports" in request.path and len(refused) < 4:
            refused.append(request.method)
            return refusal
        return None

    app.sendgrid.fault = fault
    assert adopted(app).status is RunStatus.SUCCEEDED
    assert set(members(app)) == emails(PEOPLE[5:])


def test_a_download_that_breaks_off_is_begun_again(app: InMemoryApp) -> None:
    broken: list[str] = []

    def read(url: str) -> Iterator[bytes] | None:
        broken.append(url)
        return breaks() if len(broken) < 3 else None

    def breaks() -> Iterator[bytes]:
        yield HEADER
        raise TransientError("the file store does not answer")

    app.sendgrid.read = read
    assert adopted(app).status is RunStatus.SUCCEEDED
    assert len(app.sendgrid.exports) == 1


# --- whatever happens ---------------------------------------------------------------------------------------


def test_every_message_twice_does_the_same(app: InMemoryApp) -> None:
    run = begin(app)
    while app.queues.waiting:
        message = app.queues.waiting[0]
        app.step()
        app.trigger(message.queue, message.body, "again")
    assert app.run(run).status is RunStatus.SUCCEEDED
    assert set(members(app)) == emails(PEOPLE[5:])


def test_a_step_that_comes_late_does_not_undo_a_later_run(
    app: InMemoryApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another message of the run, and then a run that sends, are quicker than one that reads the list."""
    read = vars(adopt)["_read"]

    def slow(*args: Any) -> Any:  # noqa: ANN401
        found = read(*args)
        monkeypatch.undo()
        app.work()
        app.start()
        app.work()
        return found

    run = begin(app)
    app.step()
    message = app.queues.waiting[0]
    app.queues.send(message.queue, message.body)
    app.clock.reach(message.due)
    app.sendgrid.looks_until_done = 1
    monkeypatch.setattr(adopt, "_read", slow)
    monkeypatch.setattr(adopt, "one_planner", lambda **_: contextlib.nullcontext())
    app.step()
    assert app.run(run).status is RunStatus.SUCCEEDED
    assert membership(app).run != run.id
    assert set(members(app)) == emails(PEOPLE)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    crashes=st.dictionaries(st.integers(0, 90), st.sampled_from(["before", "after"]), max_size=6),
    busy=st.sets(st.integers(1, 14), max_size=5),
)
def test_crashes_anywhere_and_a_busy_sendgrid_lead_to_the_same_members(
    crashes: dict[int, str], busy: set[int]
) -> None:
    app = a_world()
    app.sendgrid.fault = lambda _request, number: answer(429, {}, retry_after="9") if number in busy else None
    run = begin(app)
    app.crashes.calls, app.crashes.at = 0, dict(crashes)
    app.work()
    app.crashes.at = {}
    done = app.run(run)
    assert done.status is RunStatus.SUCCEEDED
    assert members(app) == dict.fromkeys(emails(PEOPLE[5:]), 0)
    assert done.adopted is not None
    assert (done.adopted.on_list, done.adopted.others) == (17, 2)
    assert [row["email"] for row in others(app, done)] == sorted(BY_HAND)
    assert (app.sendgrid.upserts, app.on_list()) == ([], ON_LIST)
    app.tick()
    assert not list(app.names("active/"))


def test_a_message_that_vanished_is_sent_again_by_the_sweeper(app: InMemoryApp) -> None:
    run = begin(app)
    app.step()
    app.queues.take()
    app.clock.now += timedelta(minutes=3)
    app.tick()
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED


def test_a_poison_message_ends_the_run(app: InMemoryApp) -> None:
    run = begin(app)
    app.step()
    message = app.queues.take()
    assert message is not None
    app.trigger(f"{message.queue}-poison", message.body, "poison-0")
    again = app.queues.take()
    assert again is not None
    app.trigger(f"{message.queue}-poison", again.body, "poison-1")
    assert reason_of(app.run(run)) == "internal_error"
    assert not list(app.names(RunBlobs(export=run.export, run=run.id).plan))
