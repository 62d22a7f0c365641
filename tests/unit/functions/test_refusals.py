"""What the API refuses before anything is done: callers who may not, and exports that cannot run."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from functions import connections, exports, runs
from shared.model.definitions import Connection, Saved
from shared.model.reasons import RunStatus
from shared.runs import views
from shared.storage.layout import connection_blob
from tests.support.factories import a_request, use_services
from tests.support.fake_sendgrid import answer
from tests.support.in_memory_app import InMemoryApp, a_connection, people

if TYPE_CHECKING:
    from collections.abc import Callable

    import azure.functions as func

NO_ROLE = base64.b64encode(b'{"claims": []}').decode()
EXPORT = {"id": "newsletter"}
ON_EXPORTS = {
    "start": (runs.start_run, EXPORT),
    "retry": (runs.retry_run, EXPORT | {"run": "20260302T090000Z-ab12"}),
    "preview": (exports.preview_export, EXPORT),
    "plan": (runs.plan_export, EXPORT),
    "adopt": (runs.adopt_list, EXPORT),
    "confirm removals": (runs.confirm_removals, EXPORT | {"run": "20260302T090000Z-ab12"}),
}
CALLS: dict[str, tuple[Any, dict[str, str]]] = {
    **ON_EXPORTS,
    "others": (runs.get_others, EXPORT | {"run": "20260302T090000Z-ab12"}),
    "cancel": (runs.cancel_run, EXPORT | {"run": "20260302T090000Z-ab12"}),
    "check": (connections.check_connection, {"id": "main"}),
}


@pytest.fixture
def app() -> InMemoryApp:
    app = InMemoryApp()
    app.save()
    app.deliver_extract(people(3))
    use_services(app.services)
    return app


def call(name: str, *, caller: str | None = None, **params: str) -> func.HttpResponse:
    """Call the function, as whoever holds the key or as a principal without any role."""
    registered, usual = CALLS[name]
    function: Callable[[func.HttpRequest], func.HttpResponse] = registered._function.get_user_function()
    principal = {"X-MS-CLIENT-PRINCIPAL": NO_ROLE, "X-MS-CLIENT-PRINCIPAL-NAME": caller} if caller else {}
    request = a_request(method="POST", route_params=usual | params, headers=principal)
    return function(request)


@pytest.mark.parametrize("name", CALLS)
def test_a_stranger_to_the_connection_is_refused(app: InMemoryApp, name: str) -> None:
    assert call(name, caller="erik@example.com").status_code == 403
    assert (app.queues.waiting, app.sendgrid.upserts) == ([], [])


@pytest.mark.usefixtures("app")
def test_a_connection_that_is_not_there_looks_to_a_stranger_like_one_of_others() -> None:
    there, not_there = (call("check", caller="erik@example.com", id=name) for name in ("main", "other"))
    assert (there.status_code, not_there.status_code) == (403, 403)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("name", ON_EXPORTS)
def test_an_export_that_is_not_there_is_not_found(name: str) -> None:
    response = call(name, id="no-such")
    assert (response.status_code, json.loads(response.get_body())["code"]) == (404, "export_missing")


@pytest.mark.parametrize("name", ON_EXPORTS)
def test_without_consent_nothing_is_read_or_sent(app: InMemoryApp, name: str) -> None:
    app.save_connection(a_connection(consent=None))
    response = call(name)
    assert (response.status_code, json.loads(response.get_body())["code"]) == (409, "consent_missing")
    assert (app.queues.waiting, app.sendgrid.upserts) == ([], [])


@pytest.mark.parametrize("name", ["start", "retry", "adopt"])
def test_a_disabled_export_starts_no_run(app: InMemoryApp, name: str) -> None:
    app.save(enabled=False)
    response = call(name)
    assert (response.status_code, json.loads(response.get_body())["code"]) == (409, "export_disabled")
    assert app.queues.waiting == []


def test_a_preview_of_a_disabled_export_is_shown(app: InMemoryApp) -> None:
    app.save(enabled=False)
    assert call("preview").status_code == 200


def test_a_user_of_the_connection_is_served(app: InMemoryApp) -> None:
    app.save_connection(a_connection(users=("nora@example.com",)))
    assert call("start", caller="nora@example.com").status_code == 202


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


def test_what_a_run_left_over_is_not_sent_by_those_who_may_not_use_its_connection(app: InMemoryApp) -> None:
    """The export goes through another connection by now, which the caller may use."""
    app.sendgrid.fault = lambda request, _number: answer(451, {}) if request.method == "PUT" else None
    run = app.start()
    app.work()
    app.sendgrid.fault = lambda _request, _number: None
    lead_elsewhere(app)
    assert call("retry", caller="erik@example.com", run=run.id).status_code == 409
    assert call("confirm removals", caller="erik@example.com", run=run.id).status_code == 409
    app.work()
    assert not app.on_list()


def test_a_live_run_is_not_cancelled_by_those_who_may_not_use_its_connection(app: InMemoryApp) -> None:
    run = app.start()
    app.step()
    lead_elsewhere(app)
    assert call("cancel", caller="erik@example.com", run=run.id).status_code == 403
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED


def lead_elsewhere(app: InMemoryApp) -> None:
    """Let the export go through a connection that Erik may use."""
    saved = app.services.store.get(connection_blob("main"), Saved[Connection]).document
    other = saved.model_copy(
        update={"id": "other", "definition": saved.definition.model_copy(update={"users": ("erik@example.com",)})}
    )
    app.services.store.upsert(connection_blob("other"), other)
    app.save(connection="other")
    app.services.store.upsert(connection_blob("main"), saved)
