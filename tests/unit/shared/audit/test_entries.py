from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from shared.audit.entries import ENDS, changed_fields, denial, intent, outcome, run_ended, run_started
from shared.audit.log import serialize_entry
from shared.model.audit import AuditEntry
from shared.model.reasons import RunStatus
from tests.support.audited import ADA, a_caller, a_request, an_entry
from tests.support.factories import NOW, RUN_ID, a_connection, a_reason, a_run, an_export


def as_json(entry: AuditEntry) -> dict[str, object]:
    line = serialize_entry(entry)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    document: dict[str, object] = json.loads(line)
    return document


# --- requests -----------------------------------------------------------------------------------------------


def test_a_change_is_written_in_the_names_of_customer_insights() -> None:
    before, after = an_export(), an_export(enabled=False)
    entry = outcome(a_request(), NOW, status=200, duration_ms=12, before=before, after=after)
    assert as_json(entry) == {
        "time": "2026-03-02T06:30:00.000000Z",
        "operationName": "Exports.Save",
        "category": "Audit",
        "resultType": "Success",
        "resultSignature": "200",
        "durationMs": 12,
        "level": "Informational",
        "correlationId": "c-1",
        "identity": {"Authorization": {"UserRole": "Administrator", "RequiredRoles": []}},
        "properties": {
            "eventType": "ApiEvent",
            "method": "PUT",
            "path": "/api/exports/{id}",
            "operationStatus": "Success",
            "callerObjectId": ADA,
            "callerType": "person",
            "export": "loyal",
            "fieldsBefore": ["enabled"],
            "fieldsAfter": ["enabled"],
        },
    }


def test_what_was_written_is_read_back() -> None:
    for entry in (
        an_entry(),
        denial(a_request(), NOW, status=403, count=7),
        run_started(a_run(), NOW, connection="m", submitted_by=None),
    ):
        assert AuditEntry.model_validate_json(serialize_entry(entry)) == entry


def test_members_of_a_newer_version_are_passed_over() -> None:
    document = json.loads(serialize_entry(an_entry())) | {"novelty": 1}
    assert AuditEntry.model_validate_json(json.dumps(document)) == an_entry()


def test_an_intent_has_no_end_yet() -> None:
    document = as_json(intent(a_request(), NOW))
    assert document["resultType"] == "Running"
    assert "resultSignature" not in document


@pytest.mark.parametrize(
    ("status", "result", "level"),
    [
        (200, "Success", "Informational"),
        (304, "Success", "Informational"),
        (400, "ClientError", "Warning"),
        (409, "ClientError", "Warning"),
        (500, "Failure", "Error"),
        (503, "Failure", "Error"),
    ],
)
def test_the_status_says_how_it_ended(status: int, result: str, level: str) -> None:
    entry = an_entry(status=status)
    assert (entry.result_type, entry.level, entry.result_signature) == (result, level, str(status))


def test_a_denial_is_the_callers_error_and_says_how_often() -> None:
    document = as_json(denial(a_request(), NOW, status=403, count=7))
    assert document["resultType"] == "ClientError"
    assert document["properties"] == {
        "eventType": "ApiEvent",
        "method": "PUT",
        "path": "/api/exports/{id}",
        "operationStatus": "ClientError",
        "callerObjectId": ADA,
        "callerType": "person",
        "export": "loyal",
        "denied": True,
        "count": 7,
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"caller": a_caller(id="ada@example.com")},
        {"caller": a_caller(id="Ada Lovelace")},
        {"caller": a_caller(id="a\nevent=audit")},
        {"path": "/api/exports/{id}?code=secret"},
        {"path": "/api/exports/ada@example.com"},
        {"export": "ada@example.com"},
        {"run": "ada@example.com"},
        {"operation": "ada@example.com"},
        {"correlation_id": "ada@example.com"},
    ],
    ids=str,
)
def test_nothing_has_room_for_an_address_or_a_key(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        a_request(**changes)


# --- fields -------------------------------------------------------------------------------------------------


def test_of_a_new_definition_all_fields_are_new() -> None:
    before, after = changed_fields(None, a_connection(consent=None))
    assert (before, after) == ((), ("display_name", "region", "secret_name", "users"))


def test_of_a_deleted_definition_all_fields_are_gone() -> None:
    before, after = changed_fields(a_connection(consent=None), None)
    assert (before, after) == (("display_name", "region", "secret_name", "users"), ())


def test_fields_are_told_apart_by_what_became_of_them() -> None:
    old = an_export(mapping={"email": "Email", "first_name": "First", "city": "City"})
    new = an_export(mapping={"email": "Mail", "first_name": "First", "country": "Land"})
    assert changed_fields(old, new) == (("mapping.city", "mapping.email"), ("mapping.country", "mapping.email"))


def test_what_is_the_same_is_not_told() -> None:
    assert changed_fields(an_export(), an_export()) == ((), ())


def test_values_and_names_that_people_gave_stay_out() -> None:
    old = an_export(mapping={"email": "Email"})
    new = an_export(
        name="ada@example.com",
        mapping={"email": "bob@example.com", "custom_fields": {"CleoLane": "dan@example.com"}},
    )
    line = serialize_entry(outcome(a_request(), NOW, status=200, before=old, after=new))
    assert b"mapping.custom_fields" in line
    assert b"CleoLane" not in line
    assert b"@" not in line


def test_of_a_connection_users_and_consent_are_names_only() -> None:
    line = serialize_entry(outcome(a_request(), NOW, status=201, after=a_connection(users=("ada@example.com",))))
    assert b'"users"' in line
    assert b"consent.given_by" in line
    assert b"@" not in line
    assert b"Data officer" not in line


# --- runs ---------------------------------------------------------------------------------------------------


def test_a_run_that_begins_is_a_workflow_event() -> None:
    document = as_json(run_started(a_run(), NOW, connection="marketing", submitted_by=None))
    assert document == {
        "time": "2026-03-02T06:30:00.000000Z",
        "operationName": "Export.WorkflowStarted",
        "category": "Operational",
        "resultType": "Running",
        "level": "Informational",
        "correlationId": RUN_ID,
        "properties": {
            "eventType": "WorkflowEvent",
            "workflowJobId": RUN_ID,
            "operationType": "Export",
            "workflowSubmissionKind": "Scheduled",
            "workflowStatus": "queued",
            "submittedTimestamp": "2026-03-02T06:30:00.000000Z",
            "identifier": "loyal",
            "connection": "marketing",
            "additionalInfo": {"Kind": "send"},
        },
    }


def test_a_run_that_is_over_says_how_and_why() -> None:
    run = a_run(status="failed", reason=a_reason(), finished_at="2026-03-02T06:31:30Z", trigger="on_demand")
    entry = run_ended(run, NOW, connection="marketing", submitted_by=ADA)
    document = as_json(entry)
    assert (document["resultType"], document["level"], document["durationMs"]) == ("Failure", "Error", 90_000)
    properties = document["properties"]
    assert isinstance(properties, dict)
    assert properties["additionalInfo"] == {"Kind": "send", "MessageCode": "unavailable"}
    assert (properties["submittedBy"], properties["workflowSubmissionKind"]) == (ADA, "OnDemand")


def test_the_name_of_who_asked_for_a_run_is_not_written() -> None:
    run = a_run(requested_by="ada@example.com", status="succeeded")
    assert b"ada@" not in serialize_entry(run_ended(run, NOW, connection=None, submitted_by=ADA))


def test_every_end_of_a_run_has_a_result() -> None:
    assert set(ENDS) == {status for status in RunStatus if status.is_terminal}
