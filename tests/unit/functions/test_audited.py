"""What is done over HTTP is written down: before it is done, by whom, and how it ended; never anybody's data."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from functions import audit, connections, exports, row_lists, runs
from shared.access.keys import KeyHolders
from shared.errors import StorageUnavailableError
from shared.settings import Keys
from tests.support.factories import a_draft, a_request, plain, use_services
from tests.support.in_memory_app import InMemoryApp, a_connection, people

if TYPE_CHECKING:
    from collections.abc import Callable

    import azure.functions as func

KEYS = Keys.model_validate({"roles": {"admin": {"role": "Administrator"}, "nora": {"role": "Contributor"}}})


@pytest.fixture
def app() -> InMemoryApp:
    app = InMemoryApp()
    app.services = replace(app.services, authenticator=KeyHolders(KEYS))
    app.save()
    app.save_connection(a_connection(users=("nora",)))
    app.deliver_extract([*people(3), ("no address", "Zebedee")])
    use_services(app.services)
    return app


def call(
    registered: Any,  # noqa: ANN401 - the library's
    body: object = b"",
    *,
    caller: str = "admin",
    params: dict[str, str] | None = None,
    **route: str,
) -> func.HttpResponse:
    function: Callable[[func.HttpRequest], func.HttpResponse] = plain(registered)
    headers = {"x-functions-key": f"{caller}.{'0' * 64}"} if caller else {}
    return function(
        a_request(body, headers=headers, route_params={"id": "newsletter"} | route, params=params or {})
    )


def entries(**params: str) -> list[dict[str, Any]]:
    """What the log tells, the oldest first, but for the readings of itself."""
    answer = call(audit.get_audit, params=params)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = json.loads(answer.get_body())["entries"]
    return [entry for entry in reversed(found) if entry["operationName"] != "Audit.Read"]


def told(**params: str) -> list[tuple[str, str, str | None]]:
    return [(each["operationName"], each["resultType"], each.get("resultSignature")) for each in entries(**params)]


@pytest.mark.usefixtures("app")
def test_a_change_is_written_down_before_and_after_by_the_names_of_its_fields() -> None:
    answer = call(connections.put_connection, a_draft(contact_limit=5).model_dump(mode="json"), id="main")
    assert answer.status_code == 200
    assert told() == [("Connections.Save", "Running", None), ("Connections.Save", "Success", "200")]
    begun, done = (entry["properties"] for entry in entries())
    assert (begun["callerObjectId"], begun["callerType"], begun["connection"]) == ("admin", "key", "main")
    assert {"contact_limit", "display_name", "consent.given_at"} <= set(done["fieldsAfter"])
    assert "secret_name" not in done["fieldsAfter"]  # it is as it was


@pytest.mark.usefixtures("app")
def test_a_deletion_tells_what_was_there() -> None:
    assert call(exports.delete_export, caller="nora").status_code == 204
    (_, done) = entries(operation="Exports.Delete", caller="nora")
    assert {"list_id", "mapping.email", "segments"} <= set(done["properties"]["fieldsBefore"])
    assert "fieldsAfter" not in done["properties"] or not done["properties"]["fieldsAfter"]


def test_a_run_is_written_down_from_its_request_to_its_end(app: InMemoryApp) -> None:
    run = json.loads(call(runs.start_run, caller="nora").get_body())["id"]
    app.work()
    assert told() == [
        ("Runs.Start", "Running", None),
        ("Export.WorkflowStarted", "Running", None),
        ("Runs.Start", "Success", "202"),
        ("Export.WorkflowCompleted", "Successful", None),
    ]
    (begin, end) = entries(run=run)
    assert (begin["properties"]["submittedBy"], begin["properties"]["connection"]) == ("nora", "main")
    assert end["properties"]["workflowStatus"] == "completed_with_warnings"


@pytest.mark.parametrize("reading", [row_lists.get_rejected, exports.preview_export])
def test_a_reading_of_peoples_data_is_written_down(app: InMemoryApp, reading: Any) -> None:  # noqa: ANN401
    run = app.run_to_its_end().id
    assert call(reading, caller="nora", run=run).status_code == 200
    (entry,) = entries(caller="nora", result="Success")
    assert entry["properties"]["export"] == "newsletter"
    text = json.dumps(entries())
    assert not [word for word in ("Zebedee", "person1@", "Name1") if word in text]


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(("caller", "status"), [("", 401), ("other", 401), ("nora", 403)])
def test_a_denial_is_written_down(caller: str, status: int) -> None:
    for _ in range(5):
        assert call(connections.delete_connection, caller=caller, id="main").status_code == status
    (entry,) = entries(denied="true")
    assert (entry["operationName"], entry["resultSignature"]) == ("Connections.Delete", str(status))
    assert entry["properties"]["callerObjectId"] == (caller if status == 403 else "nobody")


@pytest.mark.usefixtures("app")
def test_what_is_not_there_is_no_denial() -> None:
    assert call(exports.get_export, id="no-such").status_code == 404
    assert call(exports.get_export, id="No such id!").status_code == 400
    assert told() == []


@pytest.mark.parametrize(
    ("registered", "status"),
    [
        (exports.delete_export, 503),
        (runs.start_run, 503),
        (row_lists.get_rejected, 503),
        (exports.get_export, 200),
    ],
)
def test_what_cannot_be_written_down_is_not_done_and_not_shown(
    app: InMemoryApp,
    monkeypatch: pytest.MonkeyPatch,
    registered: Any,  # noqa: ANN401 - the library's
    status: int,
) -> None:
    run = app.run_to_its_end().id
    before = dict(app.blobs._stored)

    def away(*_args: object, **_options: object) -> None:
        raise StorageUnavailableError("Azure Storage did not answer")

    monkeypatch.setattr(app.audit_blobs, "append", away)
    monkeypatch.setattr(app.audit_blobs, "create", away)
    answer = call(registered, run=run)
    assert answer.status_code == status
    assert app.blobs._stored == before
    assert app.queues.waiting == []


def test_the_log_is_for_administrators(app: InMemoryApp) -> None:
    assert call(audit.get_audit, caller="nora").status_code == 403
    assert call(audit.get_audit, params={"limit": "0"}).status_code == 400
    assert call(audit.get_audit, params={"surprise": "1"}).status_code == 400
    del app
