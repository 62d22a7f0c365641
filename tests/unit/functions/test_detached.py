"""An export without a connection: kept as it is, it runs nothing, and is an administrator's for so long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.model.definitions import OwnSchedule
from shared.model.reasons import RunStatus
from shared.runs.membership import other_memberships
from tests.support.fake_sendgrid import LIST_ID
from tests.support.http_api import ask, serve, told
from tests.support.in_memory_app import InMemoryApp, a_connection, people

EVERY_MINUTE = OwnSchedule(kind="cron", cron="* * * * *", time_zone="UTC")
DETACH = {"connection": None}


@pytest.fixture
def app() -> InMemoryApp:
    app = InMemoryApp()
    app.save(schedule=EVERY_MINUTE)
    app.save_connection(a_connection(users=("nora", "otto")))
    app.deliver_extract(people(3))
    return serve(app)


def detach(caller: str = "admin") -> Any:  # noqa: ANN401 - JSON is anything
    answer = ask("patch_export", DETACH, caller=caller)
    assert answer.status_code == 200, answer.get_body()
    return told(answer)


def attach() -> None:
    assert ask("patch_export", {"connection": "main"}).status_code == 200


@pytest.mark.usefixtures("app")
def test_a_detached_export_is_kept_as_it_is_and_says_so() -> None:
    before = told(ask("get_export"))
    detached = detach()
    assert [each["code"] for each in detached["warnings"]] == ["export_detached"]
    assert detached["next_run_at"] is None
    not_kept = {
        "connection",
        "last_run",
        "next_run_at",
        "overdue",
        "waits_for",
        "warnings",
        "updated_at",
        "updated_by",
    }
    kept = before.keys() - not_kept
    assert {name: detached[name] for name in kept} == {name: before[name] for name in kept}
    attach()
    again = told(ask("get_export"))
    assert again["connection"] == "main"
    assert {name: again[name] for name in kept} == {name: before[name] for name in kept}


@pytest.mark.usefixtures("app")
def test_only_an_administrator_detaches_and_sees_what_is_detached() -> None:
    assert ask("patch_export", DETACH, caller="nora").status_code == 403
    definition = told(ask("get_export", caller="nora"))
    assert ask("put_export", definition | DETACH, caller="nora").status_code == 403
    assert told(ask("get_export"))["connection"] == "main"
    detach()
    for function in ("get_export", "list_runs", "start_run", "delete_export", "duplicate_export"):
        body = {"id": "other"} if function == "duplicate_export" else b""
        assert ask(function, body, caller="nora").status_code == 404, function
    assert ask("put_export", definition, caller="nora").status_code == 404
    assert told(ask("list_exports", caller="nora"))["exports"] == []
    assert [each["id"] for each in told(ask("list_exports"))["exports"]] == ["newsletter"]


@pytest.mark.usefixtures("app")
def test_a_contributor_cannot_make_one_without_a_connection() -> None:
    definition = told(ask("get_export", caller="nora"))
    assert ask("put_export", definition | DETACH, caller="nora", id="new").status_code == 403
    missing = {name: value for name, value in definition.items() if name != "connection"}
    refused = ask("put_export", missing, id="new")
    assert [each["field"] for each in told(refused)["errors"]] == ["connection"]
    by_name = {name: value for name, value in definition.items() if name != "list_id"} | {"list_name": "List"}
    refused = ask("put_export", by_name | DETACH, id="new")
    assert [each["field"] for each in told(refused)["errors"]] == ["list_name"]


@pytest.mark.parametrize("function", ["start_run", "plan_export", "adopt_list", "preview_export"])
@pytest.mark.usefixtures("app")
def test_nothing_of_a_detached_export_can_be_started(function: str) -> None:
    detach()
    refused = ask(function)
    assert (refused.status_code, told(refused)["code"]) == (409, "export_detached")


def test_neither_its_schedule_nor_the_refresh_runs_it(app: InMemoryApp) -> None:
    app.tick()
    detach()
    app.clock.now += timedelta(minutes=3)
    app.tick()
    assert app.runs() == []
    assert ask("patch_export", {"schedule": {"kind": "refresh"}}).status_code == 200
    assert told(ask("refresh_all"))["runs"] == []
    attach()
    assert len(told(ask("refresh_all"))["runs"]) == 1


def test_a_run_that_is_not_planned_yet_ends_and_sends_nothing(app: InMemoryApp) -> None:
    run = app.start()
    detach()
    app.work()
    ended = app.run(run)
    assert (ended.status, ended.reason and ended.reason.code) == (RunStatus.FAILED, "export_detached")
    assert app.sendgrid.contacts == {}


def test_a_run_that_is_planned_goes_on_and_can_be_cancelled(app: InMemoryApp) -> None:
    run = app.start()
    app.step()
    detach()
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED
    assert told(ask("get_run", run=run.id, caller="nora"))["status"] == "succeeded"
    refused = ask("retry_run", run=run.id, caller="nora")
    assert (refused.status_code, told(refused)["code"]) == (409, "export_detached")


def test_what_was_started_under_a_key_is_answered_again(app: InMemoryApp) -> None:
    first = ask("start_run", headers={"idempotency-key": "k"})
    detach()
    again = ask("start_run", headers={"idempotency-key": "k"})
    assert (again.status_code, told(again)["id"]) == (202, told(first)["id"])
    del app


def test_its_members_are_kept_and_known_again(app: InMemoryApp) -> None:
    app.run_to_its_end()
    detach()
    (kept,) = other_memberships(app.services, "another", LIST_ID)
    assert kept.run == app.runs()[-1].id
    app.clock.now += timedelta(minutes=1)
    attach()
    app.deliver_extract(people(4))
    ran = app.run_to_its_end()
    assert (ran.counts.sent, ran.counts.unchanged) == (1, 3)


def test_runs_stay_to_be_read_by_whom_their_connection_is_shared_with(app: InMemoryApp) -> None:
    run = app.run_to_its_end()
    detach()
    assert [each["id"] for each in told(ask("list_all_runs", caller="nora"))["runs"]] == [run.id]
    assert [each["id"] for each in told(ask("list_runs"))["runs"]] == [run.id]


def test_given_a_connection_again_its_schedule_acts_for_the_administrator(app: InMemoryApp) -> None:
    app.tick()
    detach()
    attach()
    app.clock.now += timedelta(minutes=1)
    app.tick()
    (run,) = app.runs()
    assert (run.acts_for.id, run.acts_for.is_administrator) == ("admin", True)


def test_a_connection_can_be_deleted_once_its_exports_are_detached(app: InMemoryApp) -> None:
    app.save("second", schedule=EVERY_MINUTE)
    refused = told(ask("delete_connection", id="main"))
    assert refused["code"] == "conflict"
    assert "newsletter, second" in refused["detail"]
    assert '{"connection": null}' in refused["detail"]
    detach()
    assert "second" in told(ask("delete_connection", id="main"))["detail"]
    assert ask("patch_export", DETACH, id="second").status_code == 200
    assert ask("delete_connection", id="main").status_code == 204
    assert told(ask("get_export"))["warnings"][0]["code"] == "export_detached"


def test_it_is_written_down_who_detached_it(app: InMemoryApp) -> None:
    detach()
    entries = told(ask("get_audit", params={"export": "newsletter"}))["entries"]
    changed = [each for each in entries if each["operationName"] == "Exports.Change"]
    assert len(changed) == 2
    assert "connection" in str(changed[0])
    del app
