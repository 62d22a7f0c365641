import csv
import io
import uuid

import httpx
import pytest

from local.sendgrid_simulator.faults import Fault, FaultKind, Outcome
from tests.support.simulated import CONTACTS, World

ANN, BOB = {"email": "ann@example.com"}, {"email": "bob@example.com"}


def inject(world: World, outcome: Outcome, **details: object) -> None:
    world.control.inject(Fault.model_validate({"kind": FaultKind.JOB, "outcome": outcome} | details))


def statuses(world: World, job_id: str, count: int) -> list[str]:
    return [world.job(job_id)["status"] for _ in range(count)]


def test_a_job_is_pending_until_its_delay_is_over(world: World) -> None:
    world.control.configure(job_delay_seconds=30)
    job_id = world.start_job(ANN)
    world.clock.pass_(29.9)
    before = world.job(job_id)["status"]
    world.clock.pass_(0.1)
    assert (before, world.job(job_id)["status"]) == ("pending", "completed")


def test_a_pending_job_counts_nothing(world: World) -> None:
    job = world.job(world.start_job(ANN))
    assert (job["job_type"], job["results"], "finished_at" in job) == ("upsert", {}, False)


def test_a_finished_job_says_when_it_began_and_ended(world: World) -> None:
    job = world.upsert(ANN)
    assert (job["started_at"], job["finished_at"]) == ("2023-11-14T22:13:20Z", "2023-11-14T22:13:21Z")


def test_a_finished_job_counts_what_it_did(world: World) -> None:
    world.upsert(ANN)
    assert world.upsert(ANN, BOB)["results"] == {"requested_count": 2, "created_count": 1, "updated_count": 1}


def test_an_unknown_job_is_not_found(world: World) -> None:
    assert world.api.get(f"{CONTACTS}/imports/{uuid.uuid4()}").status_code == 404


def test_a_list_deleted_meanwhile_does_not_stop_the_job(world: World) -> None:
    job_id = world.start_job(ANN)
    world.control.delete_list(world.list_id)
    world.clock.pass_(1)
    assert world.job(job_id)["status"] == "completed"


def test_an_errored_job_has_stored_the_others(world: World) -> None:
    inject(world, Outcome.ERRORED, emails=["Ann@example.com"])
    job = world.upsert(ANN, BOB)
    assert (job["status"], job["results"]["errored_count"], world.emails()) == ("errored", 1, ["bob@example.com"])


def test_an_errored_job_can_fail_as_many_as_wanted(world: World) -> None:
    inject(world, Outcome.ERRORED, errored_count=2)
    job = world.upsert(ANN, BOB, {"email": "eve@example.com"})
    assert (job["results"]["errored_count"], world.emails()) == (2, ["eve@example.com"])


def test_the_error_file_lies_at_sendgrids_address(world: World) -> None:
    inject(world, Outcome.ERRORED)
    job = world.upsert(ANN, BOB)
    assert job["results"]["errors_url"] == f"https://api.sendgrid.com/__errors/{job['id']}"


def test_the_error_file_needs_no_key_and_names_the_failures(world: World) -> None:
    inject(world, Outcome.ERRORED)
    path = httpx.URL(world.upsert(ANN, BOB)["results"]["errors_url"]).path
    rows = list(csv.DictReader(io.StringIO(httpx.get(f"{world.url}{path}", trust_env=False).text)))
    assert [(row["index"], row["email"]) for row in rows] == [("0", "ann@example.com")]


def test_there_is_no_error_file_of_an_unknown_job(world: World) -> None:
    assert httpx.get(f"{world.url}/__errors/{uuid.uuid4()}", trust_env=False).status_code == 404


def test_a_job_without_errors_has_no_error_file(world: World) -> None:
    assert "errors_url" not in world.upsert(ANN)["results"]


def test_a_failed_job_has_stored_nobody(world: World) -> None:
    inject(world, Outcome.FAILED)
    job = world.upsert(ANN, BOB)
    assert (job["status"], job["results"]["errored_count"], world.emails()) == ("failed", 2, [])


def test_a_job_can_stay_pending_for_ever(world: World) -> None:
    inject(world, Outcome.PENDING_FOREVER)
    job_id = world.start_job(ANN)
    world.clock.pass_(1e6)
    assert (world.job(job_id)["status"], world.emails()) == ("pending", [])


def test_a_job_can_vanish_although_it_was_done(world: World) -> None:
    inject(world, Outcome.VANISHES)
    job_id = world.start_job(ANN)
    world.clock.pass_(1)
    response = world.api.get(f"{CONTACTS}/imports/{job_id}")
    assert (response.status_code, world.emails()) == (404, ["ann@example.com"])


def test_counters_can_come_before_the_status(world: World) -> None:
    inject(world, Outcome.COUNTERS_BEFORE_STATUS, polls=1)
    job_id = world.start_job(ANN)
    world.clock.pass_(1)
    first, second = world.job(job_id), world.job(job_id)
    assert (first["status"], first["results"]["created_count"], second["status"]) == ("pending", 1, "completed")


def test_questions_before_the_job_is_done_do_not_bring_the_status_nearer(world: World) -> None:
    inject(world, Outcome.COUNTERS_BEFORE_STATUS, polls=1)
    job_id = world.start_job(ANN)
    statuses(world, job_id, 5)
    world.clock.pass_(1)
    assert statuses(world, job_id, 2) == ["pending", "completed"]


def test_the_status_can_come_before_the_counters(world: World) -> None:
    inject(world, Outcome.STATUS_BEFORE_COUNTERS, polls=1)
    job_id = world.start_job(ANN)
    world.clock.pass_(1)
    first, second = world.job(job_id), world.job(job_id)
    assert (first["status"], first["results"], second["results"]["created_count"]) == ("completed", {}, 1)


def test_an_unknown_status_can_come_first(world: World) -> None:
    inject(world, Outcome.UNKNOWN_STATUS_FIRST, polls=2)
    job_id = world.start_job(ANN)
    world.clock.pass_(1)
    assert statuses(world, job_id, 3) == ["processing", "processing", "completed"]


def test_an_outcome_is_for_accepted_upserts_only(world: World) -> None:
    inject(world, Outcome.FAILED)
    world.errors({"email": "not an address"})
    assert world.upsert(ANN)["status"] == "failed"


def test_an_outcome_for_certain_contacts_waits_for_them(world: World) -> None:
    inject(world, Outcome.ERRORED, emails=["ann@example.com"])
    assert [world.upsert(BOB)["status"], world.upsert(ANN, BOB)["status"]] == ["completed", "errored"]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_an_outcome_strikes_once_unless_told_otherwise(world: World, outcome: Outcome) -> None:
    inject(world, outcome)
    world.start_job(ANN)
    assert world.upsert(BOB)["status"] == "completed"


def test_jobs_are_counted_by_their_true_status(world: World) -> None:
    inject(world, Outcome.UNKNOWN_STATUS_FIRST)
    world.upsert(ANN)
    world.start_job(BOB)
    assert world.control.counts().jobs == {"completed": 1, "pending": 1}
