import gzip

import httpx
import pytest

from local.sendgrid_simulator.faults import Fault, FaultKind, Outcome
from tests.support.simulated import CONTACTS, InMemorySendGrid, Json

IMPORTS = f"{CONTACTS}/imports"
EMAIL, FIRST_NAME, ALTERNATES, EXTERNAL_ID = "_rf2_T", "_rf0_T", "_rf3_T", "_rf25_T"
FILE = b"mail,name\nAnn@example.com,Ann\nbob@example.com,\n"


def start(sendgrid: InMemorySendGrid, *mappings: str | None, **members: object) -> Json:
    body = {"file_type": "csv", "field_mappings": mappings, "list_ids": [sendgrid.list_id]} | members
    response = sendgrid.api.put(IMPORTS, json=body)
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


def upload(sendgrid: InMemorySendGrid, started: Json, content: bytes, **headers: str) -> httpx.Response:
    wanted = {each["header"]: each["value"] for each in started["upload_headers"]}
    url = started["upload_uri"].replace("https://api.sendgrid.com", sendgrid.url)
    return httpx.put(url, content=content, headers=wanted | headers, trust_env=False)


def imported(sendgrid: InMemorySendGrid, content: bytes, *mappings: str | None) -> Json:
    started = start(sendgrid, *mappings)
    assert upload(sendgrid, started, content).status_code == 200
    sendgrid.clock.pass_(1)
    return sendgrid.job(started["job_id"])


def test_a_file_becomes_contacts_on_the_lists(sendgrid: InMemorySendGrid) -> None:
    job = imported(sendgrid, FILE, EMAIL, FIRST_NAME)
    assert (job["status"], job["results"]["created_count"]) == ("completed", 2)
    assert [(each["email"], each["first_name"]) for each in sendgrid.control.contacts(sendgrid.list_id)] == [
        ("ann@example.com", "Ann"),
        ("bob@example.com", ""),
    ]


def test_a_file_can_be_compressed(sendgrid: InMemorySendGrid) -> None:
    assert imported(sendgrid, gzip.compress(FILE), EMAIL, FIRST_NAME)["results"]["created_count"] == 2


def test_a_column_can_be_skipped(sendgrid: InMemorySendGrid) -> None:
    imported(sendgrid, FILE, EMAIL, None)
    assert (sendgrid.control.contact("ann@example.com") or {})["first_name"] == ""


def test_columns_can_be_custom_fields_and_alternate_emails(sendgrid: InMemorySendGrid) -> None:
    shoe = sendgrid.control.create_custom_field("shoe", "Number")
    imported(sendgrid, b'm,s,a\nann@example.com,38,"lee@example.com, liz@example.com"\n', EMAIL, shoe, ALTERNATES)
    contact = sendgrid.control.contact("ann@example.com") or {}
    assert contact["custom_fields"] == {"shoe": 38}
    assert contact["alternate_emails"] == ["lee@example.com", "liz@example.com"]


def test_nothing_happens_before_the_file_is_there(sendgrid: InMemorySendGrid) -> None:
    started = start(sendgrid, EMAIL)
    sendgrid.clock.pass_(1_000)
    assert sendgrid.job(started["job_id"])["status"] == "pending"


def test_a_bad_row_fails_by_itself(sendgrid: InMemorySendGrid) -> None:
    job = imported(sendgrid, b"mail,name\nnobody,Ann\n,Bob\neve@example.com,Eve\n", EMAIL, FIRST_NAME)
    assert (job["status"], job["results"]["errored_count"]) == ("errored", 2)
    lines = sendgrid.download(job["results"]["errors_url"]).text.splitlines()
    assert lines[1:] == ["0,nobody,email 'nobody' is not valid", "1,,at least one identifier is required"]
    assert sendgrid.emails() == ["eve@example.com"]


FORM = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nmail,name\r\nann@example.com,Ann\r\n--x--'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"mail\nann@example.com\n",
        FORM,
        b'mail,name\nann@example.com,"Ann\n',
        b"mail,name\nann@example.com,\xff\n",
        gzip.compress(FILE, mtime=0)[:-9],
    ],
)
def test_a_file_that_cannot_be_read_fails_as_a_whole(sendgrid: InMemorySendGrid, content: bytes) -> None:
    job = imported(sendgrid, content, EMAIL, FIRST_NAME)
    assert (job["status"], sendgrid.emails()) == ("failed", [])


def test_a_file_may_be_larger_than_an_upsert(sendgrid: InMemorySendGrid) -> None:
    rows = b"".join(b"%d@example.com,%s\n" % (number, b"x" * 100_000) for number in range(80))
    assert imported(sendgrid, b"mail,name\n" + rows, EMAIL, None)["results"]["created_count"] == 80


@pytest.mark.parametrize(
    ("headers", "status"), [({"x-amz-server-side-encryption": "none"}, 403), ({"Authorization": "Bearer x"}, 400)]
)
def test_an_upload_needs_the_headers_told_and_no_key(
    sendgrid: InMemorySendGrid, headers: dict[str, str], status: int
) -> None:
    assert upload(sendgrid, start(sendgrid, EMAIL), b"m\n", **headers).status_code == status


def test_an_upload_needs_the_signature(sendgrid: InMemorySendGrid) -> None:
    started = start(sendgrid, EMAIL)
    started["upload_uri"] = started["upload_uri"].partition("?")[0]
    assert upload(sendgrid, started, b"m\n").status_code == 403


def test_an_upload_that_comes_again_changes_nothing(sendgrid: InMemorySendGrid) -> None:
    started = start(sendgrid, EMAIL)
    answers = [upload(sendgrid, started, b"m\n%s@example.com\n" % name).status_code for name in (b"ann", b"bob")]
    sendgrid.clock.pass_(1)
    assert (answers, sendgrid.emails()) == ([200, 200], ["ann@example.com"])


def test_a_job_can_fail_at_will(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.inject(Fault(kind=FaultKind.JOB, path=IMPORTS, outcome=Outcome.ERRORED, errored_count=1))
    assert imported(sendgrid, FILE, EMAIL, FIRST_NAME)["status"] == "errored"


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"file_type": "json"}, 400),
        ({"field_mappings": []}, 400),
        ({"field_mappings": "x"}, 400),
        ({"field_mappings": [5]}, 400),
        ({"field_mappings": [EMAIL, "e9_T"]}, 400),
        ({"field_mappings": [EMAIL, "_rf21_D"]}, 400),
        ({"field_mappings": [FIRST_NAME]}, 400),
        ({"field_mappings": [EXTERNAL_ID], "list_ids": ["11111111-1111-4111-8111-111111111111"]}, 404),
    ],
)
def test_an_import_that_makes_no_sense_is_refused(sendgrid: InMemorySendGrid, wrong: Json, status: int) -> None:
    body = {"file_type": "csv", "field_mappings": [EMAIL]} | wrong
    assert sendgrid.api.put(IMPORTS, json=body).status_code == status
