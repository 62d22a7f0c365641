"""Runs from start to end, in a world in memory."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared.errors import ConflictError
from shared.records import RunStatus
from shared.resuming import cancel_run, retry_run
from shared.sendgrid import Silence
from shared.store import RunBlobs
from tests.support.world import KEY, World, answer, emails, people

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def world() -> World:
    world = World()
    world.save()
    world.deliver_extract(people(25))
    return world


def test_an_extract_becomes_contacts_on_the_list(world: World) -> None:
    run = world.start()
    world.work()
    done = world.run(run)
    assert (done.status, done.counts.sent, done.counts.created) == (RunStatus.SUCCEEDED, 25, 25)
    assert world.on_list() == emails(people(25))
    assert done.counts.adds_up


def test_every_stage_of_a_run_has_its_time(world: World) -> None:
    run = world.start()
    world.work()
    done = world.run(run)
    times = [done.created_at, done.planning_at, done.uploading_at, done.importing_at, done.finished_at]
    assert None not in times
    assert times == sorted(times, key=lambda time: time or done.created_at)


def test_chunks_are_gone_after_a_success(world: World) -> None:
    world.start()
    world.work()
    assert not [name for name in world.names("runs/") if name.endswith(".ndjson")]
    assert not list(world.names("active/"))


def test_the_same_idempotency_key_starts_one_run(world: World) -> None:
    first = world.start(idempotency_key="order-66")
    second = world.start(idempotency_key="order-66")
    world.work()
    assert first.id == second.id
    assert len(world.runs()) == 1
    assert len(world.sendgrid.upserts) == 1


def test_nothing_changed_means_nothing_to_do(world: World) -> None:
    world.start()
    world.work()
    again = world.start()
    world.work()
    assert world.run(again).reason.code == "unchanged"  # type: ignore[union-attr]
    assert world.run(again).status is RunStatus.SKIPPED
    assert len(world.sendgrid.upserts) == 1


def test_force_sends_what_has_not_changed(world: World) -> None:
    world.start()
    world.work()
    again = world.start(force=True)
    world.work()
    assert world.run(again).status is RunStatus.SUCCEEDED
    assert len(world.sendgrid.upserts) == 2


@pytest.mark.parametrize(
    "change",
    [{"segments": ("Customers", "More")}, {"mapping": {"email": "EMail"}}],
    ids=["segments", "mapping"],
)
def test_another_definition_is_a_change(world: World, change: dict[str, Any]) -> None:
    world.start()
    world.work()
    world.deliver_extract(people(3), segment="More")
    world.save(**change)
    again = world.start()
    world.work()
    assert world.run(again).status is RunStatus.SUCCEEDED


def test_a_new_delivery_is_a_change(world: World) -> None:
    world.start()
    world.work()
    world.clock.now = world.clock.now.replace(hour=23)
    world.deliver_extract(people(30))
    world.start()
    world.work()
    assert world.on_list() == emails(people(30))


def test_another_name_or_schedule_is_no_change(world: World) -> None:
    world.start()
    world.work()
    world.save(name="Another name", schedule={"kind": "off"})
    again = world.start()
    world.work()
    assert world.run(again).status is RunStatus.SKIPPED


def test_too_many_contacts_are_not_sent_at_all(world: World) -> None:
    world.save(max_contacts=24)
    run = world.start()
    world.work()
    done = world.run(run)
    assert (done.status, world.sendgrid.upserts) == (RunStatus.SKIPPED, [])
    assert done.reason is not None
    assert "25" in done.reason.message


def test_an_empty_extract_sends_nothing(world: World) -> None:
    world.clock.now = world.clock.now.replace(hour=23)
    world.deliver_extract([])
    run = world.start()
    world.work()
    assert world.run(run).status is RunStatus.SKIPPED
    assert world.run(run).reason.code == "extract_empty"  # type: ignore[union-attr]


def test_no_valid_address_at_all_fails(world: World) -> None:
    world.clock.now = world.clock.now.replace(hour=23)
    world.deliver_extract([("nobody", "A"), ("", "B")])
    run = world.start()
    world.work()
    done = world.run(run)
    assert (done.status, done.counts.rejected) == (RunStatus.FAILED, 2)
    assert done.reason.code == "no_valid_contact"  # type: ignore[union-attr]
    assert done.counts.adds_up


def withdraw_consent(world: World) -> None:
    name = "connections/main.json"
    document = json.loads(world.blobs.get(name).data)
    del document["definition"]["consent"]
    world.blobs.upsert(name, json.dumps(document).encode())


FAILURES: dict[str, Callable[[World], object]] = {
    "list_missing": lambda world: world.sendgrid.lists.clear(),
    "key_refused": lambda world: world.sendgrid.keys.clear(),
    "scope_missing": lambda world: world.sendgrid.scopes.clear(),
    "secret_missing": lambda world: world.vault.secrets.clear(),
    "extract_missing": lambda world: world.extracts._stored.clear(),
    "column_missing": lambda world: world.save(mapping={"email": "Mail"}),
    "custom_field_missing": lambda world: world.save(
        mapping={"email": "EMail", "custom_fields": {"tier": "FirstName"}}
    ),
    "consent_missing": withdraw_consent,
}


@pytest.mark.parametrize("code", FAILURES)
def test_a_run_that_cannot_succeed_says_what_to_change_and_sends_nothing(world: World, code: str) -> None:
    run = world.start()
    FAILURES[code](world)
    world.work()
    done = world.run(run)
    assert done.status is RunStatus.FAILED
    assert done.reason is not None
    assert (done.reason.code, world.sendgrid.upserts) == (code, [])
    assert not list(world.names("active/"))


def test_a_rotated_key_is_read_again_at_once(world: World) -> None:
    world.start()
    world.work()
    world.vault.secrets["sendgrid-key"] = "SG.second-key"
    world.sendgrid.keys = {"SG.second-key"}
    again = world.start(force=True)
    world.work()
    assert world.run(again).status is RunStatus.SUCCEEDED


def test_a_key_in_memory_is_not_read_for_every_call(world: World) -> None:
    world.start()
    world.work()
    assert world.vault.reads == 1
    assert world.sendgrid.keys == {KEY}


def test_a_vault_that_is_away_puts_the_run_off(world: World) -> None:
    world.vault.away_until = world.clock.now + timedelta(hours=2)
    run = world.start()
    world.work()
    assert world.run(run).status is RunStatus.SUCCEEDED


def test_an_outage_of_six_hours_is_survived(world: World) -> None:
    back = world.clock.now + timedelta(hours=6)
    world.sendgrid.fault = lambda _request, _number: Silence.TIMEOUT if world.clock.now < back else None
    run = world.start()
    world.work()
    assert world.run(run).status is RunStatus.SUCCEEDED
    assert world.on_list() == emails(people(25))


def test_an_outage_of_a_day_ends_the_run_with_its_reason(world: World) -> None:
    world.sendgrid.fault = lambda _request, _number: answer(503, {})
    run = world.start()
    world.work()
    done = world.run(run)
    assert done.status is RunStatus.FAILED
    assert done.reason.code == "unavailable"  # type: ignore[union-attr]


def test_the_next_run_waits_until_the_first_is_over(world: World) -> None:
    world.sendgrid.looks_until_done = 6
    first = world.start()
    second = world.start(force=True)
    world.work()
    assert world.run(first).finished_at < world.run(second).planning_at  # type: ignore[operator]
    assert world.run(second).status is RunStatus.SUCCEEDED


def test_the_next_run_is_skipped_where_the_export_says_so(world: World) -> None:
    world.save(overlap="skip")
    world.start()
    second = world.start(force=True)
    world.work()
    assert world.run(second).reason.code == "overlap"  # type: ignore[union-attr]


def test_rejected_rows_are_listed_without_their_values(world: World) -> None:
    world.clock.now = world.clock.now.replace(hour=23)
    world.deliver_extract([*people(2), ("broken at example", "Secret Name")])
    run = world.start()
    world.work()
    blobs = RunBlobs(export=run.export, run=run.id)
    names = [name for name in world.names(blobs.attempts) if "rejected" in name]
    listed = b"".join(world.blobs.get(name).data for name in names)
    assert b"email_invalid" in listed
    assert b"broken" not in listed
    assert b"Secret" not in listed


# --- cancel and retry ---------------------------------------------------------------------------------------


def test_a_run_cancelled_before_it_is_planned_sends_nothing(world: World) -> None:
    run = world.start()
    cancel_run(world.services, run.export, run.id, requested_by="Ada")
    world.work()
    done = world.run(run)
    assert (done.status, world.sendgrid.upserts) == (RunStatus.CANCELLED, [])
    assert not list(world.names("active/"))


def test_a_run_cancelled_before_its_chunk_is_sent_tells_that_nothing_was(world: World) -> None:
    run = world.start()
    world.step()
    cancel_run(world.services, run.export, run.id, requested_by="Ada")
    world.work()
    done = world.run(run)
    assert (done.status, done.counts.not_sent, world.sendgrid.upserts) == (RunStatus.CANCELLED, 25, [])
    assert done.counts.adds_up


def test_a_run_cancelled_after_it_was_sent_tells_what_was(world: World) -> None:
    run = world.start()
    world.step()
    world.step()
    cancel_run(world.services, run.export, run.id, requested_by="Ada")
    world.work()
    done = world.run(run)
    assert (done.status, done.counts.sent) == (RunStatus.CANCELLED, 25)
    assert world.on_list() == emails(people(25))


def test_what_is_over_cannot_be_cancelled(world: World) -> None:
    run = world.start()
    world.work()
    with pytest.raises(ConflictError):
        cancel_run(world.services, run.export, run.id, requested_by="Ada")


def test_a_retry_sends_what_the_failed_run_did_not(world: World) -> None:
    gone = answer(451, {"errors": [{"message": "residency"}]})
    world.sendgrid.fault = lambda request, _number: gone if request.method == "PUT" else None
    run = world.start()
    world.work()
    world.sendgrid.fault = lambda _request, _number: None
    again = retry_run(world.services, run.export, run.id, requested_by="Ada")
    world.work()
    done = world.run(again)
    assert (world.run(run).status, done.status) == (RunStatus.FAILED, RunStatus.SUCCEEDED)
    assert (done.retry_of, done.counts.rows_read, done.counts.sent) == (run.id, 25, 25)
    assert world.on_list() == emails(people(25))


def test_a_run_that_left_nothing_cannot_be_retried(world: World) -> None:
    run = world.start()
    world.work()
    with pytest.raises(ConflictError):
        retry_run(world.services, run.export, run.id, requested_by="Ada")


def test_the_lists_own_count_is_told_before_and_after(world: World) -> None:
    world.on_list().add("somebody@example.com")
    run = world.start()
    world.work()
    done = world.run(run)
    assert (done.list_count_before, done.list_count_after) == (1, 26)
    assert done.warnings == ()


def test_a_list_that_counts_too_few_is_a_warning_with_figures(world: World) -> None:
    apply = world.sendgrid.apply

    def forgetful(job: Any) -> None:  # noqa: ANN401 - the fake's job
        apply(job)
        world.on_list().clear()

    world.sendgrid.apply = forgetful  # type: ignore[method-assign]
    run = world.start()
    world.work()
    done = world.run(run)
    assert "0 contacts on the list" in done.warnings[0]
    assert "25 were sent" in done.warnings[0]
