import uuid

import pytest

from tests.support.simulated import CONTACTS, InMemorySendGrid, Json

ANN = {"email": "ann@example.com", "external_id": "E4"}
BOB = {"email": "bob@example.com"}


@pytest.fixture
def filled(sendgrid: InMemorySendGrid) -> InMemorySendGrid:
    sendgrid.upsert(ANN, BOB)
    return sendgrid


def id_of(sendgrid: InMemorySendGrid, email: str) -> str:
    return str((sendgrid.control.contact(email) or {})["id"])


def finished(sendgrid: InMemorySendGrid, job_id: str) -> Json:
    sendgrid.clock.pass_(1)
    return sendgrid.job(job_id)


def delete(sendgrid: InMemorySendGrid, **query: str) -> Json:
    return finished(sendgrid, sendgrid.api.delete(CONTACTS, params=query).json()["job_id"])


def strip(sendgrid: InMemorySendGrid, contact_id: str, kind: str, value: str) -> int:
    body = {"identifier_type": kind, "identifier_value": value}
    return sendgrid.api.request("DELETE", f"{CONTACTS}/{contact_id}/identifiers", json=body).status_code


def test_deleting_is_a_job_that_counts(filled: InMemorySendGrid) -> None:
    job = delete(filled, ids=f"{id_of(filled, 'ann@example.com')},{uuid.uuid4()}")
    assert (job["status"], job["job_type"]) == ("completed", "delete")
    assert (job["results"], filled.emails()) == ({"requested_count": 1, "deleted_count": 1}, ["bob@example.com"])


def test_all_contacts_can_be_deleted(filled: InMemorySendGrid) -> None:
    delete(filled, delete_all_contacts="true")
    assert filled.control.counts().contacts == 0


@pytest.mark.parametrize(
    "query", [{}, {"ids": ""}, {"delete_all_contacts": "false"}, {"ids": "x", "delete_all_contacts": "true"}]
)
def test_deleting_nobody_in_particular_is_refused(filled: InMemorySendGrid, query: dict[str, str]) -> None:
    assert filled.api.delete(CONTACTS, params=query).status_code == 400
    assert filled.control.counts().contacts == 2


def test_an_identifier_can_be_taken_off_a_contact(filled: InMemorySendGrid) -> None:
    assert strip(filled, id_of(filled, "ann@example.com"), "EXTERNALID", "E4") == 202
    filled.clock.pass_(1)
    assert "external_id" not in (filled.control.contact("ann@example.com") or {})
    assert filled.upsert({"external_id": "E4"})["results"]["created_count"] == 1


def test_the_last_identifier_stays(filled: InMemorySendGrid) -> None:
    assert strip(filled, id_of(filled, "bob@example.com"), "EMAIL", "bob@example.com") == 202
    filled.clock.pass_(1)
    assert (filled.emails(), filled.control.counts().jobs["failed"]) == (["ann@example.com", "bob@example.com"], 1)


def test_an_identifier_that_is_gone_by_then_fails_the_job(filled: InMemorySendGrid) -> None:
    ann = id_of(filled, "ann@example.com")
    assert [strip(filled, ann, "EXTERNALID", "E4") for _ in range(2)] == [202, 202]
    filled.clock.pass_(1)
    assert filled.control.counts().jobs == {"completed": 2, "failed": 1}


@pytest.mark.parametrize(
    ("kind", "value", "status"),
    [("NAME", "Ann", 400), ("EXTERNALID", "E5", 400), ("EMAIL", "bob@example.com", 400)],
)
def test_an_identifier_that_the_contact_lacks_is_refused(
    filled: InMemorySendGrid, kind: str, value: str, status: int
) -> None:
    assert strip(filled, id_of(filled, "ann@example.com"), kind, value) == status


def test_an_identifier_of_nobody_is_not_found(filled: InMemorySendGrid) -> None:
    assert strip(filled, str(uuid.uuid4()), "EXTERNALID", "E4") == 404
