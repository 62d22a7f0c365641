import csv
import io
import uuid

import httpx
import pytest

from local.sendgrid_simulator.faults import Fault, FaultKind, Outcome
from tests.support.simulated import CONTACTS, InMemorySendGrid

ANN, BOB = {"email": "ann@example.com"}, {"email": "bob@example.com"}


def inject(sendgrid: InMemorySendGrid, outcome: Outcome, **details: object) -> None:
    sendgrid.control.inject(Fault.model_validate({"kind": FaultKind.JOB, "outcome": outcome} | details))


def statuses(sendgrid: InMemorySendGrid, job_id: str, count: int) -> list[str]:
    return [sendgrid.job(job_id)["status"] for _ in range(count)]


def test_a_job_is_pending_until_its_delay_is_over(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.configure(job_delay_seconds=30)
    job_id = sendgrid.start_job(ANN)
    sendgrid.clock.pass_(29.9)
    before = sendgrid.job(job_id)["status"]
    sendgrid.clock.pass_(0.1)
    assert (before, sendgrid.job(job_id)["status"]) == ("pending", "completed")


def test_a_pending_job_counts_nothing(sendgrid: InMemorySendGrid) -> None:
    job = sendgrid.job(sendgrid.start_job(ANN))
    assert (job["job_type"], job["results"], "finished_at" in job) == ("upsert", {}, False)


def test_a_finished_job_says_when_it_began_and_ended(sendgrid: InMemorySendGrid) -> None:
    job = sendgrid.upsert(ANN)
    assert (job["started_at"], job["finished_at"]) == ("2023-11-14T22:13:20Z", "2023-11-14T22:13:21Z")


def test_a_finished_job_counts_what_it_did(sendgrid: InMemorySendGrid) -> None:
    sendgrid.upsert(ANN)
    assert sendgrid.upsert(ANN, BOB)["results"] == {"requested_count": 2, "created_count": 1, "updated_count": 1}


def test_an_unknown_job_is_not_found(sendgrid: InMemorySendGrid) -> None:
    assert sendgrid.api.get(f"{CONTACTS}/imports/{uuid.uuid4()}").status_code == 404


def test_a_list_deleted_meanwhile_does_not_stop_the_job(sendgrid: InMemorySendGrid) -> None:
    job_id = sendgrid.start_job(ANN)
    sendgrid.control.delete_list(sendgrid.list_id)
    sendgrid.clock.pass_(1)
    assert sendgrid.job(job_id)["status"] == "completed"


def test_an_errored_job_has_stored_the_others(sendgrid: InMemorySendGrid) -> None:
    inject(sendgrid, Outcome.ERRORED, emails=["Ann@example.com"])
    job = sendgrid.upsert(ANN, BOB)
    assert (job["status"], job["results"]["errored_count"], sendgrid.emails()) == (
        "errored",
        1,
        ["bob@example.com"],
    )


def test_an_errored_job_can_fail_as_many_as_wanted(sendgrid: InMemorySendGrid) -> None:
    inject(sendgrid, Outcome.ERRORED, errored_count=2)
    job = sendgrid.upsert(ANN, BOB, {"email": "eve@example.com"})
    assert (job["results"]["errored_count"], sendgrid.emails()) == (2, ["eve@example.com"])


def test_the_error_file_lies_at_sendgrids_address(sendgrid: InMemorySendGrid) -> None:
    inject(sendgrid, Outcome.ERRORED)
    job = sendgrid.upsert(ANN, BOB)
    assert job["results"]["errors_url"] == f"https://api.sendgrid.com/__errors/{job['id']}"


def test_the_error_file_needs_no_key_and_names_the_failures(sendgrid: InMemorySendGrid) -> None:
    inject(sendgrid, Outcome.ERRORED)
    path = httpx.URL(sendgrid.upsert(ANN, BOB)["results"]["errors_url"]).path
    rows = list(csv.DictReader(io.StringIO(httpx.get(f"{sendgrid.url}{path}", trust_env=False).text)))
    assert [(row["index"], row["email"]) for row in rows] == [("0", "ann@example.com")]


def test_there_is_no_error_file_of_an_unknown_job(sendgrid: InMemorySendGrid) -> None:
    assert httpx.get(f"{sendgrid.url}/__errors/{uuid.uuid4()}", trust_env=False).status_code == 404


def test_a_job_without_errors_has_no_error_file(sendgrid: InMemorySendGrid) -> None:
    assert "errors_url" not in sendgrid.upsert(ANN)["results"]


def test_a_failed_job_has_stored_nobody(sendgrid: InMemorySendGrid) -> None:
    inject(sendgrid, Outcome.FAILED)
    job = sendgrid.upsert(ANN, BOB)
    assert (job["status"], job["results"]["errored_count"], sendgrid.emails()) == ("failed", 2, [])


def test_a_job_can_stay_pending_for_ever(sendgrid: InMemorySendGrid) -> None:
    inject(sendgrid, Outcome.PENDING_FOREVER)
    job_id = sendgrid.start_job(ANN)
    sendgrid.clock.pass_(1e6)
    assert (sendgrid.job(job_id)["status"], sendgrid.emails()) == ("pending", [])


def test_a_job_can_vanish_although_it_was_done(sendgrid: InMemorySendGrid) -> None:
    inject(sendgrid, Outcome.VANISHES)
    job_id = sendgrid.start_job(ANN)
    sendgrid.clock.pass_(1)
    response = sendgrid.api.get(f"{CONTACTS}/imports/{job_id}")
    assert (response.status_code, sendgrid.emails()) == (404, ["ann@example.com"])


def test_counters_can_come_before_the_status(sendgrid: InMemorySendGrid) -> None:
    inject(sendgrid, Outcome.COUNTERS_BEFORE_STATUS, polls=1)
    job_id = sendgrid.start_job(ANN)
    sendgrid.clock.pass_(1)
    first, second = sendgrid.job(job_id), sendgrid.job(job_id)
    assert (first["status"], first["results"]["created_count"], second["status"]) == ("pending", 1, "completed")


def test_questions_before_the_job_is_done_do_not_bring_the_status_nearer(sendgrid: InMemorySendGrid) -> None:
    inject(sendgrid, Outcome.COUNTERS_BEFORE_STATUS, polls=1)
    job_id = sendgrid.start_job(ANN)
    statuses(sendgrid, job_id, 5)
    sendgrid.clock.pass_(1)
    assert statuses(sendgrid, job_id, 2) == ["pending", "completed"]


def test_the_status_can_come_before_the_counters(sendgrid: InMemorySendGrid) -> None:
    inject(sendgrid, Outcome.STATUS_BEFORE_COUNTERS, polls=1)
    job_id = sendgrid.start_job(ANN)
    sendgrid.clock.pass_(1)
    first, second = sendgrid.job(job_id), sendgrid.job(job_id)
    assert (first["status"], first["results"], second["results"]["created_count"]) == ("completed", {}, 1)


def test_an_unknown_status_can_come_first(sendgrid: InMemorySendGrid) -> None:
    inject(sendgrid, Outcome.UNKNOWN_STATUS_FIRST, polls=2)
    job_id = sendgrid.start_job(ANN)
    sendgrid.clock.pass_(1)
    assert statuses(sendgrid, job_id, 3) == ["processing", "processing", "completed"]


def test_an_outcome_is_for_accepted_upserts_only(sendgrid: InMemorySendGrid) -> None:
    inject(sendgrid, Outcome.FAILED)
    sendgrid.errors({"email": "not an address"})
    assert sendgrid.upsert(ANN)["status"] == "failed"


def test_an_outcome_for_certain_contacts_waits_for_them(sendgrid: InMemorySendGrid) -> None:
    inject(sendgrid, Outcome.ERRORED, emails=["ann@example.com"])
    assert [sendgrid.upsert(BOB)["status"], sendgrid.upsert(ANN, BOB)["status"]] == ["completed", "errored"]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_an_outcome_strikes_once_unless_told_otherwise(sendgrid: InMemorySendGrid, outcome: Outcome) -> None:
    inject(sendgrid, outcome)
    sendgrid.start_job(ANN)
    assert sendgrid.upsert(BOB)["status"] == "completed"


def test_jobs_are_counted_by_their_true_status(sendgrid: InMemorySendGrid) -> None:
    inject(sendgrid, Outcome.UNKNOWN_STATUS_FIRST)
    sendgrid.upsert(ANN)
    sendgrid.start_job(BOB)
    assert sendgrid.control.counts().jobs == {"completed": 1, "pending": 1}
