from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.limits import REQUEST_OVERHEAD_BYTES
from shared.model.definitions import CustomField
from shared.sendgrid.api import (
    ImportJob,
    JobStatus,
    Request,
    Response,
    custom_fields,
    get_field_definitions,
    get_import,
    get_list,
    get_scopes,
    has_marketing_scope,
    import_job,
    job_id,
    upsert_contacts,
)
from tests.support.factories import LIST_ID, an_answer, an_error

if TYPE_CHECKING:
    from uuid import UUID

JOB = "41ef3a7e-5b9e-4c1a-8c4f-0d2a3f1b7c55"
DECIPHERERS = [
    import_job,
    job_id,
    has_marketing_scope,
    custom_fields,
]

names = st.sampled_from(
    ["errors", "message", "field", "job_id", "status", "results", "scopes", "custom_fields", "name", "id"]
)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
)
bodies = st.binary() | documents.map(lambda value: json.dumps(value).encode())


# --- requests -----------------------------------------------------------------------------------------------


contacts = st.lists(st.fixed_dictionaries({"email": st.emails(), "first_name": st.text()}), min_size=1)


@given(contacts=contacts, closed=st.booleans())
def test_an_upsert_holds_every_contact_and_the_list(contacts: list[dict[str, str]], *, closed: bool) -> None:
    lines = b"\n".join(json.dumps(contact).encode() for contact in contacts) + b"\n" * closed
    request = upsert_contacts(LIST_ID, lines)
    assert json.loads(request.body or b"") == {"list_ids": [str(LIST_ID)], "contacts": contacts}


@given(list_id=st.uuids())
def test_an_upsert_is_little_longer_than_its_lines(list_id: UUID) -> None:
    lines = b'{"email":"a@example.com"}\n' * 3
    assert len(upsert_contacts(list_id, lines).body or b"") <= len(lines) + REQUEST_OVERHEAD_BYTES


@pytest.mark.parametrize(
    ("request_", "method", "path"),
    [
        (upsert_contacts(LIST_ID, b"{}"), "PUT", "/v3/marketing/contacts"),
        (get_import(JOB), "GET", f"/v3/marketing/contacts/imports/{JOB}"),
        (get_list(LIST_ID), "GET", f"/v3/marketing/lists/{LIST_ID}"),
        (get_scopes(), "GET", "/v3/scopes"),
        (get_field_definitions(), "GET", "/v3/marketing/field_definitions"),
    ],
)
def test_a_request_goes_to_its_endpoint(request_: Request, method: str, path: str) -> None:
    assert (request_.method, request_.path) == (method, path)


def test_nobody_appears_in_the_repr_of_an_exchange() -> None:
    request, answer = upsert_contacts(LIST_ID, b'{"email":"nora@example.com"}'), an_error("nora@example.com?")
    assert "nora" not in f"{request!r} {answer!r}"


# --- whatever comes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("decipher", DECIPHERERS, ids=lambda decipher: decipher.__name__)
@given(body=bodies)
def test_any_body_is_survived(decipher: Any, body: bytes) -> None:  # noqa: ANN401 - one of several functions
    decipher(an_answer(400, body))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="deeply nested"),
        pytest.param(b'{"errors":[{"message":"x","field":"contacts[' + b"9" * 5000 + b']"}]}', id="huge index"),
        pytest.param(b'{"scopes":5}', id="scopes that are no list"),
        pytest.param(b'{"custom_fields":5}', id="custom fields that are no list"),
        pytest.param(b'{"custom_fields":[{"id":"e1_B","name":"vip","field_type":"Boolean"}]}', id="new type"),
        pytest.param(b'{"status":["completed"],"results":[]}', id="status that is no word"),
    ],
)
def test_an_unheard_of_body_is_survived(body: bytes) -> None:
    for decipher in DECIPHERERS:
        decipher(an_answer(400, body))


# --- what SendGrid tells ------------------------------------------------------------------------------------


def test_an_import_job_brings_its_counters() -> None:
    results = {
        "requested_count": 5,
        "created_count": 2,
        "updated_count": 2,
        "deleted_count": 0,
        "errored_count": 1,
        "errors_url": "https://files.s3.amazonaws.com/errors.csv?sig=1",
    }
    assert import_job(an_answer(200, {"id": JOB, "status": "errored", "results": results})) == ImportJob(
        status=JobStatus.ERRORED,
        requested=5,
        created=2,
        updated=2,
        errored=1,
        errors_url="https://files.s3.amazonaws.com/errors.csv?sig=1",
    )


def test_an_import_job_says_how_long_it_took() -> None:
    times = {"started_at": "2026-03-02T09:00:00Z", "finished_at": "2026-03-02T09:00:30.5Z"}
    assert import_job(an_answer(200, {"status": "completed", **times})).seconds == 30.5


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-03-02T09:00:00Z", None),
        (None, "2026-03-02T09:00:00Z"),
        ("2026-03-02T09:00:00Z", "2026-03-02T09:00:30"),
        ("2026-03-02T09:00:30Z", "2026-03-02T09:00:00Z"),
        ("yesterday", "today"),
        (0, 30),
    ],
)
def test_moments_that_make_no_sense_say_nothing(start: object, end: object) -> None:
    answer = an_answer(200, {"status": "completed", "started_at": start, "finished_at": end})
    assert import_job(answer).seconds is None


@pytest.mark.parametrize("status", ["pending", "queued", "", None, 7])
def test_a_job_that_has_not_ended_is_pending(status: object) -> None:
    assert import_job(an_answer(200, {"status": status})) == ImportJob(status=JobStatus.PENDING)


@pytest.mark.parametrize("status", JobStatus)
def test_a_job_status_is_understood(status: JobStatus) -> None:
    assert import_job(an_answer(200, {"status": str(status), "results": {}})).status is status


@pytest.mark.parametrize("value", [None, "5", -1, 2.5])
def test_a_counter_that_is_no_count_is_absent(value: object) -> None:
    job = import_job(an_answer(200, {"status": "completed", "results": {"errored_count": value}}))
    assert job.errored is None


@pytest.mark.parametrize("url", ["", None, "http://storage.example/e.csv", "file:///etc/passwd"])
def test_an_error_file_is_fetched_over_https_only(url: object) -> None:
    assert import_job(an_answer(200, {"status": "errored", "results": {"errors_url": url}})).errors_url is None


def test_an_accepted_upsert_has_a_job() -> None:
    assert job_id(an_answer(202, {"job_id": JOB})) == JOB


@pytest.mark.parametrize("value", [None, "", 5, "../../scopes", "a?b", "x" * 101, "a\n"])
def test_a_job_id_that_would_not_fit_a_path_is_none(value: object) -> None:
    assert job_id(an_answer(202, {"job_id": value})) is None


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [(["marketing.read"], True), (["mail.send", "marketing"], True), (["mail.send"], False), ([], False)],
)
def test_a_key_may_use_marketing_campaigns_by_scope(scopes: list[str], *, allowed: bool) -> None:
    assert has_marketing_scope(an_answer(200, {"scopes": scopes})) is allowed


def test_custom_fields_are_known_by_lower_case_name() -> None:
    rows = [{"id": "e1_T", "name": "Shoe_Size", "field_type": "Number"}]
    body = {"custom_fields": rows, "reserved_fields": [{"id": "_rf0_T", "name": "first_name"}]}
    assert custom_fields(an_answer(200, body)) == {"shoe_size": CustomField(id="e1_T", type="Number")}


@pytest.mark.parametrize(
    "row",
    [
        {"id": """x":"' || (SELECT 1) || '","y"""},
        *({"id": identifier} for identifier in ("a'b", 'a"b', "a b", "é", "x" * 101, "", None, 5, ["e1_T"])),
        *({"field_type": kind} for kind in ("Blob", "", None, 5, ["Text"])),
        {"name": ""},
    ],
)
def test_a_custom_field_of_another_form_is_none(row: dict[str, object]) -> None:
    good = {"id": "e1_T", "name": "Shoe_Size", "field_type": "Number"}
    body = {"custom_fields": [{**good, "name": "other", **row}, good]}
    assert set(custom_fields(an_answer(200, body))) == {"shoe_size"}


def test_an_account_may_have_no_custom_fields() -> None:
    assert custom_fields(an_answer(200, {"reserved_fields": []})) == {}


@pytest.mark.parametrize(("status", "ok"), [(199, False), (200, True), (202, True), (299, True), (300, False)])
def test_two_hundreds_are_taken(status: int, *, ok: bool) -> None:
    assert Response(status=status).ok is ok
