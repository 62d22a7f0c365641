"""A draft of an export is tried on the first rows, by whom may use its connection, and nothing is saved."""

from __future__ import annotations

from typing import Any

import pytest

from functions import wiring
from shared.model.definitions import FieldMapping
from tests.support.fake_sendgrid import LIST_ID
from tests.support.http_api import ask, serve, told
from tests.support.in_memory_app import InMemoryApp, a_connection

DRAFT = {
    "name": "New",
    "connection": "main",
    "list_id": str(LIST_ID),
    "segments": ["Customers"],
    "mapping": {"email": "EMail", "first_name": "FirstName"},
    "enabled": False,
}


@pytest.fixture
def app() -> InMemoryApp:
    app = InMemoryApp()
    app.save_connection(a_connection(users=("nora", "newsletter-only"), segments=("Customers",)))
    app.deliver_extract(
        [("a@example.com", "A" * 60), ("b@example.com", ""), ("none", "C"), ("d@example.com", "D")]
    )
    return serve(app)


def preview(caller: str = "nora", **changes: object) -> Any:  # noqa: ANN401 - JSON is anything
    return ask("preview_draft", DRAFT | changes, caller=caller)


def test_each_field_has_a_verdict_and_nothing_is_saved(app: InMemoryApp) -> None:
    before = set(app.blobs._stored)
    shown = told(preview())
    assert shown["fields"] == [
        {
            "field": "first_name",
            "column": "FirstName",
            "is_custom": False,
            "type": "text",
            "limit": 50,
            "filled": 2,
            "empty": 1,
            "cut": 1,
            "unusable": 0,
            "rejected": 0,
            "is_missing": False,
        }
    ]
    assert (shown["counts"]["sent"], shown["counts"]["rejected"]) == (3, 1)
    assert shown["contacts"][0]["email"].startswith("a*")
    assert {name for name in set(app.blobs._stored) - before if name.startswith("exports/")} == set()
    assert app.sendgrid.contacts == {}


def test_rows_that_a_field_rejects_are_counted_at_it(app: InMemoryApp) -> None:
    app.sendgrid.custom_fields = [{"id": "e1_N", "name": "points", "field_type": "Number"}]
    mapping = {"email": "EMail", "first_name": "FirstName", "custom_fields": {"points": "FirstName"}}
    strict = {"over_long": {"first_name": "reject"}, "unusable": {"points": "reject"}}
    shown = told(preview(mapping=mapping | strict))
    assert {each["field"]: each["rejected"] for each in shown["fields"]} == {"first_name": 1, "points": 1}
    assert shown["counts"]["rejected_by_reason"] == {
        "email_invalid": 1,
        "number_invalid": 1,
        "value_too_long": 1,
    }


def test_a_custom_field_that_sendgrid_has_not_is_its_own_verdict(app: InMemoryApp) -> None:
    app.sendgrid.custom_fields = [{"id": "e1_T", "name": "nick", "field_type": "Text"}]
    mapping = {"email": "EMail", "custom_fields": {"shoe": "FirstName", "nick": "FirstName"}}
    shown = told(preview(mapping=mapping))
    assert {each["field"]: (each["is_missing"], each["filled"]) for each in shown["fields"]} == {
        "nick": (False, 2),
        "shoe": (True, 0),
    }
    assert shown["counts"]["sent"] == 3
    app.save(mapping=FieldMapping(email="EMail", custom_fields={"shoe": "FirstName"}))
    refused = ask("preview_export")
    assert (refused.status_code, told(refused)["code"]) == (409, "custom_field_missing")


def test_only_what_the_caller_may_export_is_read(app: InMemoryApp) -> None:
    refused = preview(segments=["Staff"])
    assert [each["field"] for each in told(refused)["errors"]] == ["segments"]
    assert preview(caller="otto").status_code == 403
    assert preview(caller="newsletter-only").status_code == 404
    app.save_connection(a_connection())
    assert preview().status_code == 404
    assert preview(caller="admin").status_code == 200


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("connection", [None, "", "../x", 5])
def test_a_draft_names_its_connection(connection: object) -> None:
    refused = preview(connection=connection)
    assert (refused.status_code, [each["field"] for each in told(refused)["errors"]]) == (400, ["connection"])


def test_what_is_saved_may_be_tried_as_it_was_answered(app: InMemoryApp) -> None:
    app.save()
    assert ask("preview_draft", told(ask("get_export"))).status_code == 200


def test_a_few_extracts_are_read_at_a_time(app: InMemoryApp) -> None:
    app.save()
    app.save_connection(a_connection(users=("nora",)))
    gate = wiring.reading_extracts()
    with gate.entered("nora"), gate.entered("nora"):
        for refused in (preview(), ask("preview_export", caller="nora"), ask("list_segments", caller="nora")):
            assert refused.status_code == 429
            assert int(refused.headers["Retry-After"]) > 0
    assert preview().status_code == 200


@pytest.mark.usefixtures("app")
def test_reading_it_is_written_down() -> None:
    assert preview().status_code == 200
    (entry,) = told(ask("get_audit", params={"operation": "Exports.PreviewDraft"}))["entries"]
    assert (entry["properties"]["connection"], entry["properties"]["callerObjectId"]) == ("main", "nora")
