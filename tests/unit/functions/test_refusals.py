"""What the API refuses: exports that cannot run, and what goes through connections the caller may not use."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from functions import connections, exports, row_lists, runs
from shared.access.keys import KeyHolders
from shared.definitions import manage
from shared.model.reasons import RunStatus
from shared.model.roles import Role
from shared.runs import views
from shared.settings import Keys
from tests.support.factories import a_caller, a_request, plain, use_services
from tests.support.fake_sendgrid import answer
from tests.support.in_memory_app import InMemoryApp, a_connection, people

if TYPE_CHECKING:
    from collections.abc import Callable

    import azure.functions as func

    from shared.model.runs import Run

CALLS: dict[str, Any] = {
    "start": runs.start_run,
    "preview": exports.preview_export,
    "plan": runs.plan_export,
    "adopt": runs.adopt_list,
    "retry": runs.retry_run,
    "confirm removals": runs.confirm_removals,
    "cancel": runs.cancel_run,
    "others": row_lists.get_others,
    "rejected": row_lists.get_rejected,
    "list runs": runs.list_runs,
    "get run": runs.get_run,
    "put": exports.put_export,
    "delete": exports.delete_export,
    "check": connections.check_connection,
}
STARTS = ("start", "preview", "plan", "adopt", "retry", "confirm removals")
KEYS = Keys.model_validate(
    {
        "roles": {
            "admin": {"role": "Administrator"},
            "nora": {"role": "Contributor"},
            "erik": {"role": "Contributor"},
            "crm": {"role": "Operator", "export": "newsletter"},
        }
    }
)


@pytest.fixture
def app() -> InMemoryApp:
    """An app with a connection and an export; whose second connection, `other`, is Erik's to use."""
    app = InMemoryApp()
    app.services = replace(app.services, authenticator=KeyHolders(KEYS))
    app.save()
    app.save_connection(a_connection(users=("erik",)), "other")
    app.deliver_extract(people(3))
    use_services(app.services)
    return app


def call(
    name: str, *, caller: str = "admin", body: object = b"", headers: dict[str, str] | None = None, **params: str
) -> func.HttpResponse:
    """Call the function with the key of that name."""
    function: Callable[[func.HttpRequest], func.HttpResponse] = plain(CALLS[name])
    route = {"id": "newsletter", "run": "20260302T090000Z-ab12"} | params
    key = {"x-functions-key": f"{caller}.{'0' * 64}"}
    return function(a_request(body, method="POST", route_params=route, headers=key | (headers or {})))


def failed(app: InMemoryApp) -> Run:
    """A run that SendGrid has not let through, and that may be tried again."""
    run = app.run_to_its_end(lambda request, _number: answer(451, {}) if request.method == "PUT" else None)
    app.sendgrid.fault = lambda _request, _number: None
    app.sendgrid.upserts.clear()
    return run


def lead_elsewhere(app: InMemoryApp) -> None:
    """Let the export go through the connection that Erik may use."""
    definition = manage.get_export(app.services, "newsletter").document.definition
    elsewhere = definition.model_copy(update={"connection": "other"})
    by = a_caller(Role.ADMINISTRATOR, id="admin")
    manage.put_export(app.services, "newsletter", elsewhere, caller=by, etag=None)


def make_anew(app: InMemoryApp) -> None:
    """Delete the export, and let Erik make one of the same id through his connection."""
    definition = manage.get_export(app.services, "newsletter").document.definition.model_dump(mode="json")
    assert call("delete").status_code == 204
    assert call("put", caller="erik", body=definition | {"connection": "other"}).status_code == 201


# --- exports that cannot run --------------------------------------------------------------------------------


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("name", ["start", "preview", "plan", "adopt"])
def test_an_export_that_is_not_there_is_not_found(name: str) -> None:
    response = call(name, id="no-such")
    assert (response.status_code, json.loads(response.get_body())["detail"]) == (
        404,
        "There is no export no-such.",
    )


@pytest.mark.parametrize("name", STARTS)
def test_without_consent_nothing_is_read_or_sent(app: InMemoryApp, name: str) -> None:
    run = failed(app).id
    app.save_connection(a_connection(consent=None))
    response = call(name, run=run)
    assert (response.status_code, json.loads(response.get_body())["code"]) == (409, "consent_missing")
    assert (app.queues.waiting, app.sendgrid.upserts) == ([], [])


@pytest.mark.parametrize("name", ["start", "retry", "adopt"])
def test_a_disabled_export_starts_no_run(app: InMemoryApp, name: str) -> None:
    run = failed(app).id
    app.save(enabled=False)
    response = call(name, run=run)
    assert (response.status_code, json.loads(response.get_body())["code"]) == (409, "export_disabled")
    assert app.queues.waiting == []


def test_a_preview_of_a_disabled_export_is_shown(app: InMemoryApp) -> None:
    app.save(enabled=False)
    assert call("preview").status_code == 200


def test_a_user_of_the_connection_is_served(app: InMemoryApp) -> None:
    app.save_connection(a_connection(users=("nora",)))
    assert call("start", caller="nora").status_code == 202
    assert call("start", caller="erik").status_code == 404


def test_an_adoption_is_started_once_and_its_others_are_shown_in_parts(
    app: InMemoryApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.planning.chunks.PART_BYTES", 1)
    app.on_list().add("=by.hand@example.com")
    first, again = call("adopt"), call("adopt")
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.headers["Location"] == again.headers["Location"]
    app.work()
    run = first.headers["Location"].rpartition("/")[2]
    part = call("others", run=run)
    assert (part.mimetype, part.get_body()) == ("text/csv", b"email,contact_id\n")
    assert part.headers["Content-Disposition"] == f'attachment; filename="newsletter-{run}-others-1.csv"'
    assert part.headers["Link"] == f'</api/exports/newsletter/runs/{run}/others?part=2>; rel="next"'
    second, _ = views.get_others(app.services, "newsletter", run, 2)
    assert second.startswith(b"'=by.hand@example.com,")  # no spreadsheet runs it


# --- what belongs to a run's connection -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["retry", "confirm removals", "cancel", "get run", "rejected", "others"])
def test_a_run_is_judged_by_the_connection_it_went_through(app: InMemoryApp, name: str) -> None:
    """The export goes through another connection by now, which the caller may use."""
    run = failed(app).id
    lead_elsewhere(app)
    assert call(name, caller="erik", run=run).status_code == 404
    app.work()
    assert not app.on_list()


def test_what_went_through_another_connection_is_not_sent_through_this_one(app: InMemoryApp) -> None:
    run = failed(app).id
    lead_elsewhere(app)
    assert call("retry", run=run).status_code == 409
    app.work()
    assert not app.on_list()


def test_runs_through_a_connection_one_may_not_use_are_not_listed(app: InMemoryApp) -> None:
    failed(app)
    lead_elsewhere(app)
    assert json.loads(call("list runs", caller="erik").get_body()) == {"runs": [], "next": None}
    assert len(json.loads(call("list runs").get_body())["runs"]) == 1


def test_a_live_run_is_not_cancelled_by_those_who_may_not_use_its_connection(app: InMemoryApp) -> None:
    run = app.start()
    app.step()
    lead_elsewhere(app)
    assert call("cancel", caller="erik", run=run.id).status_code == 404
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED


def test_an_export_that_is_led_elsewhere_before_its_run_is_planned_takes_the_run_along(app: InMemoryApp) -> None:
    run = app.start()
    lead_elsewhere(app)
    app.work()
    assert (app.run(run).status, app.run(run).connection) == (RunStatus.SUCCEEDED, "other")
    assert call("get run", caller="erik", run=run.id).status_code == 200


@pytest.mark.parametrize("planned", [False, True])
def test_a_connection_made_anew_under_an_old_id_inherits_nothing(app: InMemoryApp, *, planned: bool) -> None:
    """Its users are others, and it may lead to another account."""
    run = app.start()
    if planned:
        app.step()
    app.save_connection(a_connection(users=("erik",)), uid="uid-2")
    if planned:
        app.work()
        done = app.run(run)
        assert (done.status, done.reason and done.reason.code) == (RunStatus.FAILED, "connection_missing")
        assert call("rejected", caller="erik", run=run.id).status_code == 404
        assert app.sendgrid.upserts == []
    else:
        app.work()
        assert app.run(run).connection_uid == "uid-2"


# --- an export made anew under an old id ------------------------------------------------------------------------


@pytest.mark.parametrize("caller", ["admin", "erik"])
def test_an_export_made_anew_inherits_no_run(app: InMemoryApp, caller: str) -> None:
    run = failed(app).id
    make_anew(app)
    for name in ("get run", "retry", "confirm removals", "rejected", "cancel"):
        assert call(name, caller=caller, run=run).status_code == 404, name
    assert json.loads(call("list runs", caller=caller).get_body())["runs"] == []
    app.work()
    assert not app.on_list()


def test_a_run_of_an_export_that_was_made_anew_does_not_send_for_the_new_one(app: InMemoryApp) -> None:
    run = app.start()
    make_anew(app)
    app.work()
    done = app.run(run)
    assert (done.status, done.reason and done.reason.code) == (RunStatus.FAILED, "export_missing")
    assert not app.on_list()


def test_an_export_made_anew_does_not_take_what_the_old_one_sent_for_its_own(app: InMemoryApp) -> None:
    app.run_to_its_end()
    make_anew(app)
    done = app.run_to_its_end()
    assert (done.status, done.counts.sent, done.counts.unchanged) == (RunStatus.SUCCEEDED, 3, 0)


def test_a_run_that_ends_after_its_export_was_deleted_leaves_no_members_behind(app: InMemoryApp) -> None:
    app.start()
    app.step()
    assert call("delete").status_code == 204
    app.work()
    assert not list(app.names("members/"))


# --- what is taken back while it is under way -------------------------------------------------------------------


def test_consent_that_is_withdrawn_stops_what_is_not_sent_yet(app: InMemoryApp) -> None:
    run = app.start()
    app.step()
    app.save_connection(a_connection(consent=None))
    app.work()
    done = app.run(run)
    assert (done.status, done.reason and done.reason.code) == (RunStatus.FAILED, "consent_withdrawn")
    assert (done.counts.not_sent, app.sendgrid.upserts) == (3, [])
    assert done.counts.adds_up


@pytest.mark.parametrize("planned", [False, True])
def test_a_run_of_somebody_who_lost_the_connection_sends_nothing_more(app: InMemoryApp, *, planned: bool) -> None:
    app.save_connection(a_connection(users=("nora",)))
    assert call("start", caller="nora").status_code == 202
    if planned:
        app.step()
    app.save_connection(a_connection())
    app.work()
    (done,) = app.runs()
    assert (done.status, done.reason and done.reason.code) == (RunStatus.FAILED, "access_withdrawn")
    assert app.sendgrid.upserts == []


def test_a_schedule_whose_owner_lost_the_connection_does_not_run_and_says_so(app: InMemoryApp) -> None:
    app.save_connection(a_connection(users=("nora",)))
    definition = manage.get_export(app.services, "newsletter").document.definition
    hourly = definition.model_dump(mode="json") | {"schedule": {"kind": "cron", "cron": "0 * * * *"}}
    assert call("put", caller="nora", body=hourly).status_code == 200
    app.tick()
    for users, code in [(("nora",), "done"), ((), "access_withdrawn")]:
        app.save_connection(a_connection(users=users))
        app.clock.now = app.clock.now.replace(minute=59)
        app.tick()
        app.clock.now = app.clock.now.replace(hour=app.clock.now.hour + 1, minute=0)
        app.tick()
        app.work()
        done = app.runs()[-1]
        assert done.reason is not None
        assert done.reason.code == code
    assert len(app.sendgrid.upserts) == 1


def test_a_segment_that_is_taken_from_the_connection_is_not_exported(app: InMemoryApp) -> None:
    app.start()
    app.save_connection(a_connection(segments=("Staff",)))
    for name in ("start", "preview"):
        response = call(name)
        assert (response.status_code, json.loads(response.get_body())["code"]) == (409, "segment_not_shared")
    app.work()
    assert [run.reason and run.reason.code for run in app.runs()] == ["segment_not_shared"]


def test_a_layout_that_may_find_other_segments_is_not_read_through_a_connection_of_some(app: InMemoryApp) -> None:
    app.save(source={"layout": "{part}/Staff.csv"})
    app.start()
    app.save_connection(a_connection(segments=("Customers",)))
    for name in ("start", "preview"):
        response = call(name)
        assert (response.status_code, json.loads(response.get_body())["code"]) == (409, "segment_not_shared")
    app.work()
    assert [run.reason and run.reason.code for run in app.runs()] == ["segment_not_shared"]


# --- keys -----------------------------------------------------------------------------------------------------


def test_a_systems_key_starts_its_export_and_sees_no_other(app: InMemoryApp) -> None:
    app.save("other-export")
    app.save_connection(a_connection(users=("crm",)))
    assert call("start", caller="crm").status_code == 202
    assert call("start", caller="crm", id="other-export").status_code == 404
    assert call("delete", caller="crm").status_code == 403
    assert call("check", caller="crm", id="main").status_code == 403


def test_an_idempotency_key_is_its_callers_and_its_requests(app: InMemoryApp) -> None:
    app.save_connection(a_connection(users=("nora",)))
    header = {"Idempotency-Key": "k"}
    first = call("start", caller="nora", headers=header).headers["Location"]
    assert call("start", caller="nora", headers=header).headers["Location"] == first
    assert call("start", headers=header).headers["Location"] != first
    changed = call("start", caller="nora", headers=header, body={"force": True})
    assert (changed.status_code, changed.headers.get("Location")) == (422, None)
