"""Requests that cannot be served get a problem document which says what to change, and change nothing."""

import json
from dataclasses import dataclass

import pytest

from tests.support.running_app import RunningApp, SavedExport

VALUE = "refusedvalue"
"""Part of what was wrong in a request; no answer may repeat it."""
LIST_ID = "6f0e8c1e-0a0e-4a55-9d0e-6d1a3a1f7d11"
CONNECTION = {"display_name": "Marketing", "secret_name": "key"}
EXPORT = {
    "name": "Newsletter",
    "connection": "marketing",
    "list_id": LIST_ID,
    "segments": ["Customers"],
    "mapping": {"email": "EMail"},
}
NEW_CONNECTION = "/api/connections/new"
NEW_EXPORT = "/api/exports/new"
RUN = "20260101T000000Z-abcdef"


@dataclass(frozen=True)
class Refusal:
    """A request, and the status and, where one is to blame, the field to be answered."""

    method: str
    path: str
    body: object
    status: int
    field: str | None = None

    def __str__(self) -> str:
        body = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return f"{self.method} {self.path} {body[:60]}"


def put_connection(field: str | None, **changes: object) -> Refusal:
    return Refusal("PUT", NEW_CONNECTION, CONNECTION | changes, 400, field)


def put_export(field: str | None, **changes: object) -> Refusal:
    return Refusal("PUT", NEW_EXPORT, EXPORT | changes, 400, field)


REFUSALS = [
    # no JSON object
    Refusal("PUT", NEW_CONNECTION, "{", 400),
    Refusal("PUT", NEW_CONNECTION, "", 400),
    Refusal("PUT", NEW_CONNECTION, VALUE, 400),
    Refusal("PUT", NEW_EXPORT, "[]", 400),
    Refusal("PUT", NEW_EXPORT, "null", 400),
    Refusal("PUT", NEW_EXPORT, "[" * 100_000, 400),
    Refusal("PUT", NEW_EXPORT, json.dumps({"name": "x" * 1_000_000}), 400),
    Refusal("POST", "/api/exports/new/runs", "{", 400),
    # unknown, missing and wrong members
    put_connection("colour", colour=VALUE),
    put_connection("display_name", display_name=5),
    put_connection("display_name", display_name=""),
    put_connection("secret_name", secret_name=f"SG.{VALUE}.key"),
    put_connection("secret_name", secret_name=None),
    put_connection("region", region=VALUE),
    put_connection("consent.text", consent={}),
    put_connection("consent.text", consent={"text": "", "given_by": "A", "given_at": "2026-01-01T00:00:00Z"}),
    put_connection("consent.version", consent={"text": "x", "version": 5}),
    put_connection("users", users=["ann", "ann"]),
    put_export("connection", connection="missing"),
    put_export("connection", connection="../connections/x"),
    put_export("list_id", list_id=VALUE),
    put_export("segments", segments=[]),
    put_export("segments", segments="Customers"),
    put_export("segments.0", segments=["../other/Customers"]),
    put_export("mapping.email", mapping={}),
    put_export("mapping.email", mapping={"email": 5}),
    put_export("mapping.frist_name", mapping={"email": "EMail", "frist_name": VALUE}),
    put_export("max_contacts", max_contacts="many"),
    put_export("max_contacts", max_contacts=0),
    put_export("max_contacts", max_contacts=1.5),
    put_export("enabled", enabled="yes"),
    put_export("schedule.cron", schedule={"kind": "cron", "cron": VALUE}),
    put_export("schedule.time_zone", schedule={"kind": "cron", "cron": "* * * * *", "time_zone": VALUE}),
    put_export("schedule", schedule={"kind": VALUE}),
    Refusal("POST", "/api/exports/new/runs", {"force": VALUE}, 400, "force"),
    Refusal("POST", "/api/exports/new/runs", {"colour": VALUE}, 400, "colour"),
    # ids that are none
    Refusal("GET", "/api/exports/UPPER", "", 400, "id"),
    Refusal("GET", "/api/exports/-x", "", 400, "id"),
    Refusal("GET", f"/api/exports/{'x' * 64}", "", 400, "id"),
    Refusal("GET", "/api/exports/x%0A", "", 400, "id"),
    Refusal("GET", "/api/exports/%2e%2e%2fconnections%2fx", "", 400, "id"),
    Refusal("PUT", "/api/exports/..%2fschedule", EXPORT, 400, "id"),
    Refusal("PUT", "/api/connections/..%5cx", CONNECTION, 400, "id"),
    Refusal("DELETE", "/api/exports/%2e%2e%2fschedule", "", 400, "id"),
    Refusal("POST", "/api/exports/..%2fx/runs", "", 400, "id"),
    Refusal("GET", f"/api/exports/new/runs/{RUN}%2f..%2f..", "", 400, "run"),
    Refusal("GET", "/api/exports/new/runs/..", "", 404),
    Refusal("GET", f"/api/exports/new/runs/%2e%2e%2f{RUN}/rejected", "", 400, "run"),
    Refusal("GET", "/api/exports/new/runs?before=..%2f..", "", 400, "before"),
    Refusal("GET", "/api/exports/new/runs?limit=0", "", 400, "limit"),
    Refusal("GET", "/api/exports/new/runs?limit=x", "", 400, "limit"),
    # what does not exist
    Refusal("GET", NEW_CONNECTION, "", 404),
    Refusal("GET", NEW_EXPORT, "", 404),
    Refusal("DELETE", NEW_EXPORT, "", 404),
    Refusal("POST", "/api/exports/new/runs", "", 404),
    Refusal("GET", f"/api/exports/new/runs/{RUN}", "", 404),
    Refusal("GET", f"/api/exports/new/runs/{RUN}/rejected", "", 404),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_a_bad_request_is_refused_in_words_and_changes_nothing(running: RunningApp, refusal: Refusal) -> None:
    before = definitions(running)
    content = refusal.body if isinstance(refusal.body, str) else json.dumps(refusal.body)
    answer = running.api.request(refusal.method, refusal.path, content=content)
    assert (answer.status_code, definitions(running)) == (refusal.status, before)
    assert VALUE not in answer.text
    if answer.headers.get("content-type", "").startswith("application/problem+json") or refusal.status == 400:
        problem = answer.json()
        fields = [error["field"] for error in problem.get("errors", ())]
        assert (problem["status"], fields) == (refusal.status, [refusal.field] if refusal.field else [])


def definitions(running: RunningApp) -> set[str]:
    """Name the blobs that HTTP requests may write, and those at the top where a path trick would lead."""
    names = set(running.state.list_blob_names())
    return {name for name in names if name.startswith(("connections/", "exports/")) or "/" not in name}


def test_without_the_key_nothing_is_told(running: RunningApp) -> None:
    answer = running.api.get("/api/connections", headers={"x-functions-key": "wrong"})
    assert (answer.status_code, answer.content) == (401, b"")


def test_whether_the_app_is_well_is_told_to_anybody(running: RunningApp) -> None:
    answer = running.api.get("/api/health", headers={"x-functions-key": ""})
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


# --- what the state of things forbids -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def export(running: RunningApp) -> SavedExport:
    return running.export()


def test_a_disabled_export_is_not_started(running: RunningApp) -> None:
    assert running.api.post(running.export(enabled=False).runs_path).status_code == 409


def test_without_consent_nothing_is_started(running: RunningApp) -> None:
    answer = running.api.post(running.export(connection=running.connection(consent=None)).runs_path)
    assert (answer.status_code, "consent" in answer.json()["detail"]) == (409, True)


def test_saving_starts_nothing(export: SavedExport) -> None:
    assert export.runs() == []


def test_a_connection_in_use_is_not_deleted(running: RunningApp, export: SavedExport) -> None:
    assert running.api.delete(f"/api/connections/{export.get()['connection']}").status_code == 409


def test_a_change_by_somebody_else_in_between_is_not_overwritten(running: RunningApp, export: SavedExport) -> None:
    path = f"/api/exports/{export.id}"
    etag = running.api.get(path).headers["ETag"]
    definition = export.get()
    codes = [
        running.api.put(path, json=definition | {"name": name}, headers={"If-Match": etag}).status_code
        for name in ("First", "Second")
    ]
    assert (codes, export.get()["name"]) == ([200, 412], "First")
