"""What SendGrid has behind a connection, lists by name, and the refresh on demand."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from shared.model.definitions import OwnSchedule
from shared.sendgrid import choices
from tests.support.fake_sendgrid import LIST_ID, answer
from tests.support.http_api import ask, serve, told
from tests.support.in_memory_app import InMemoryApp, a_connection, people

SECOND = UUID("99999999-2222-4333-8444-555555555555")
DAILY = OwnSchedule(kind="cron", cron="30 9 * * *", time_zone="UTC")


@pytest.fixture
def app() -> InMemoryApp:
    app = InMemoryApp()
    app.save()
    app.save_connection(a_connection(users=("nora",)))
    app.sendgrid.lists[str(SECOND)] = {"ada@example.com"}
    app.sendgrid.list_names[str(SECOND)] = "Café & friends"
    app.deliver_extract(people(2))
    return serve(app)


def wish(**changes: object) -> dict[str, Any]:
    """The newsletter as it is saved, without its list."""
    saved = told(ask("get_export"))
    return {name: value for name, value in saved.items() if name != "list_id"} | changes


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("caller", ["admin", "nora"])
def test_lists_are_told_by_name(caller: str) -> None:
    assert told(ask("list_lists", id="main", caller=caller))["lists"] == [
        {"id": str(SECOND), "name": "Café & friends", "contact_count": 1},
        {"id": str(LIST_ID), "name": "List", "contact_count": 0},
    ]


def test_lists_come_by_pages_and_not_for_ever(app: InMemoryApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "LISTS_PER_PAGE", 1)
    assert len(told(ask("list_lists", id="main"))["lists"]) == 2
    page = {"result": [], "_metadata": {"next": "https://elsewhere.example/?page_token=again"}}
    app.sendgrid.fault = lambda _request, _number: answer(200, page)
    app.sendgrid.requests = 0
    assert told(ask("list_lists", id="main"))["lists"] == []
    assert app.sendgrid.requests == choices.LIST_PAGES_MAX


@pytest.mark.parametrize(
    "body", [[], {"result": {}}, {"result": ["x", {"id": "no uuid", "name": "x"}], "_metadata": 1}]
)
def test_what_is_no_list_is_left_out(app: InMemoryApp, body: object) -> None:
    app.sendgrid.fault = lambda _request, _number: answer(200, body)
    assert told(ask("list_lists", id="main"))["lists"] == []


def test_fields_are_told_by_kind(app: InMemoryApp) -> None:
    fields = {
        "custom_fields": [
            {"id": "e2_N", "name": "zeta", "field_type": "Number"},
            {"id": "e3_T", "name": "beta", "field_type": "Text"},
            {"id": "e1_T", "name": "Alpha"},
        ],
        "reserved_fields": [
            {"id": "_rf1_T", "name": "first_name", "field_type": "Text"},
            {"id": "_rf2_D", "name": "last_opened", "field_type": "Date"},
            {"id": 7},
        ],
    }
    app.sendgrid.fault = lambda _request, _number: answer(200, fields)
    shown = told(ask("list_fields", id="main"))
    lengths = {each["name"]: each["max_length"] for each in (*shown["custom"], *shown["reserved"])}
    assert list(lengths.items()) == [
        ("Alpha", None),
        ("beta", 1_000),
        ("zeta", None),
        ("first_name", 50),
        ("last_opened", None),
    ]
    assert shown["reserved"][0] == {"id": "_rf1_T", "name": "first_name", "type": "Text", "max_length": 50}


def test_a_key_that_sendgrid_refuses_is_said(app: InMemoryApp) -> None:
    app.sendgrid.keys.clear()
    refused = ask("list_lists", id="main")
    assert (refused.status_code, told(refused)["code"]) == (409, "key_refused")


# --- lists by name --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("function", ["put_export", "patch_export"])
def test_a_list_may_be_named_instead_of_its_id(function: str) -> None:
    body = {"list_name": "Café & friends"}
    saved = ask(function, wish(**body) if function == "put_export" else body, caller="nora")
    assert (saved.status_code, told(saved)["list_id"]) == (200, str(SECOND))


@pytest.mark.parametrize("second", ["List", "list"])
def test_a_name_must_be_one_lists(app: InMemoryApp, second: str) -> None:
    app.sendgrid.list_names[str(SECOND)] = second
    refused = ask("put_export", wish(list_name="List" if second == "List" else "no such"))
    assert refused.status_code == 400
    assert [error["pointer"] for error in told(refused)["errors"]] == ["/list_name"]
    assert told(ask("get_export"))["list_id"] == str(LIST_ID)


@pytest.mark.usefixtures("app")
def test_a_list_has_a_name_or_an_id_and_not_both() -> None:
    assert ask("put_export", wish(list_name="List", list_id=str(LIST_ID))).status_code == 400
    refused = ask("put_export", wish())
    assert [error["field"] for error in told(refused)["errors"]] == ["list_id"]


def test_no_list_of_a_connection_of_others_is_looked_up(app: InMemoryApp) -> None:
    app.save_connection(a_connection(), "other")
    assert ask("put_export", wish(list_name="List", connection="other"), caller="nora").status_code == 403
    assert app.sendgrid.requests == 0


# --- deletions ------------------------------------------------------------------------------------------------


def test_a_connection_in_use_says_by_which_exports(app: InMemoryApp) -> None:
    app.save("offers")
    refused = ask("delete_connection", id="main")
    assert refused.status_code == 409
    assert "newsletter, offers" in told(refused)["detail"]


# --- refresh --------------------------------------------------------------------------------------------------


def test_a_refresh_starts_what_follows_it_and_nothing_else(app: InMemoryApp) -> None:
    app.save("offers")
    app.save("by-itself", schedule=DAILY)
    app.save("on-demand", schedule={"kind": "off"})
    app.save("disabled", enabled=False)
    started = ask("refresh_all")
    assert (started.status_code, started.headers["Retry-After"]) == (202, "3")
    assert [(run["export"], run["trigger"]) for run in told(started)["runs"]] == [
        ("newsletter", "on_demand"),
        ("offers", "on_demand"),
    ]
    app.work()
    assert [run.status for run in app.runs("newsletter")] == ["succeeded"]


def test_runs_of_a_refresh_are_seen_by_whom_may_see_the_export(app: InMemoryApp) -> None:
    app.save_connection(a_connection(users=("nora", "otto")))
    ((run),) = told(ask("refresh_all"))["runs"]
    for caller in ("nora", "otto"):
        assert told(ask("get_run", caller=caller, run=run["id"]))["status"] == "queued"
        assert [each["id"] for each in told(ask("list_all_runs", caller=caller))["runs"]] == [run["id"]]
    assert ask("cancel_run", caller="nora", run=run["id"]).status_code == 202


def test_a_refresh_under_a_key_starts_one_run_of_each(app: InMemoryApp) -> None:
    key = {"Idempotency-Key": "k"}
    first = told(ask("refresh_all", headers=key))
    app.clock.now = app.clock.now.replace(minute=1)
    app.save("saved-since")
    again = ask("refresh_all", headers=key)
    assert [run["id"] for run in told(again)["runs"]] == [run["id"] for run in first["runs"]]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (len(app.runs()), app.runs("saved-since")) == (1, [])
    assert len(told(ask("refresh_all"))["runs"]) == 2


@pytest.mark.usefixtures("app")
def test_a_refresh_is_administrators() -> None:
    assert ask("refresh_all", caller="nora").status_code == 403


def test_a_refresh_that_was_cut_off_is_gone_on_with(app: InMemoryApp) -> None:
    app.save("offers")
    key = {"Idempotency-Key": "k"}
    first = told(ask("refresh_all", headers=key))
    for name in list(app.names("runs/offers/")):
        app.blobs.delete(name)
    again = told(ask("refresh_all", headers=key))
    assert json.dumps([run["id"] for run in again["runs"]]) == json.dumps([run["id"] for run in first["runs"]])
    assert len(app.runs("offers")) == 1
