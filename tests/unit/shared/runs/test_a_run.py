"""Runs from start to end, in memory."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared.definitions.resolve import resolve_export
from shared.errors import ConflictError
from shared.model.reasons import RunStatus
from shared.runs.cancel import cancel_run
from shared.runs.retry import retry_run
from shared.runs.start import new_run_id
from shared.sendgrid.api import NoResponse
from shared.storage.layout import RunBlobs
from tests.support.factories import ADA
from tests.support.fake_sendgrid import KEY, answer
from tests.support.in_memory_app import InMemoryApp, emails, people
from tests.support.worlds import a_world

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def app() -> InMemoryApp:
    return a_world(people(25))


def test_an_extract_becomes_contacts_on_the_list(app: InMemoryApp) -> None:
    run = app.start()
    app.work()
    done = app.run(run)
    assert (done.status, done.counts.sent, done.counts.created) == (RunStatus.SUCCEEDED, 25, 25)
    assert app.on_list() == emails(people(25))
    assert done.counts.adds_up


def test_every_stage_of_a_run_has_its_time(app: InMemoryApp) -> None:
    run = app.start()
    app.work()
    done = app.run(run)
    times = [done.created_at, done.planning_at, done.uploading_at, done.importing_at, done.finished_at]
    assert None not in times
    assert times == sorted(times, key=lambda time: time or done.created_at)


def test_chunks_are_gone_after_a_success(app: InMemoryApp) -> None:
    app.start()
    app.work()
    assert not [name for name in app.names("runs/") if name.endswith(".ndjson")]
    assert not list(app.names("active/"))


def test_the_same_idempotency_key_starts_one_run(app: InMemoryApp) -> None:
    first = app.start(idempotency_key="order-66")
    second = app.start(idempotency_key="order-66")
    app.work()
    assert first.id == second.id
    assert len(app.runs()) == 1
    assert len(app.sendgrid.upserts) == 1


def test_nothing_changed_means_nothing_to_do(app: InMemoryApp) -> None:
    app.start()
    app.work()
    again = app.start()
    app.work()
    assert app.run(again).reason.code == "unchanged"  # type: ignore[union-attr]
    assert app.run(again).status is RunStatus.SKIPPED
    assert len(app.sendgrid.upserts) == 1


def test_force_sends_what_has_not_changed(app: InMemoryApp) -> None:
    app.start()
    app.work()
    again = app.start(force=True)
    app.work()
    assert app.run(again).status is RunStatus.SUCCEEDED
    assert len(app.sendgrid.upserts) == 2


@pytest.mark.parametrize(
    "change",
    [{"segments": ("Customers", "More")}, {"mapping": {"email": "EMail"}}],
    ids=["segments", "mapping"],
)
def test_another_definition_is_a_change(app: InMemoryApp, change: dict[str, Any]) -> None:
    app.start()
    app.work()
    app.deliver_extract(people(3), segment="More")
    app.save(**change)
    again = app.start()
    app.work()
    assert app.run(again).status is RunStatus.SUCCEEDED


def test_a_new_delivery_is_a_change(app: InMemoryApp) -> None:
    app.start()
    app.work()
    app.clock.now = app.clock.now.replace(hour=23)
    app.deliver_extract(people(30))
    app.start()
    app.work()
    assert app.on_list() == emails(people(30))


def test_another_name_or_schedule_is_no_change(app: InMemoryApp) -> None:
    app.start()
    app.work()
    app.save(name="Another name", schedule={"kind": "off"})
    again = app.start()
    app.work()
    assert app.run(again).status is RunStatus.SKIPPED


def test_too_many_contacts_are_not_sent_at_all(app: InMemoryApp) -> None:
    app.save(max_contacts=24)
    run = app.start()
    app.work()
    done = app.run(run)
    assert (done.status, app.sendgrid.upserts) == (RunStatus.SKIPPED, [])
    assert done.reason is not None
    assert "25" in done.reason.message


def test_an_empty_extract_sends_nothing(app: InMemoryApp) -> None:
    app.clock.now = app.clock.now.replace(hour=23)
    app.deliver_extract([])
    run = app.start()
    app.work()
    assert app.run(run).status is RunStatus.SKIPPED
    assert app.run(run).reason.code == "extract_empty"  # type: ignore[union-attr]


def test_no_valid_address_at_all_fails(app: InMemoryApp) -> None:
    app.clock.now = app.clock.now.replace(hour=23)
    app.deliver_extract([("nobody", "A"), ("", "B")])
    run = app.start()
    app.work()
    done = app.run(run)
    assert (done.status, done.counts.rejected) == (RunStatus.FAILED, 2)
    assert done.reason.code == "no_valid_contact"  # type: ignore[union-attr]
    assert done.counts.adds_up


def withdraw_consent(app: InMemoryApp) -> None:
    name = "connections/main.json"
    document = json.loads(app.blobs.get(name).data)
    del document["definition"]["consent"]
    app.blobs.upsert(name, json.dumps(document).encode())


FAILURES: dict[str, Callable[[InMemoryApp], object]] = {
    "list_missing": lambda app: app.sendgrid.lists.clear(),
    "key_refused": lambda app: app.sendgrid.keys.clear(),
    "scope_missing": lambda app: app.sendgrid.scopes.clear(),
    "secret_missing": lambda app: app.vault.secrets.clear(),
    "extract_missing": lambda app: app.extracts._stored.clear(),
    "column_missing": lambda app: app.save(mapping={"email": "Mail"}),
    "custom_field_missing": lambda app: app.save(
        mapping={"email": "EMail", "custom_fields": {"tier": "FirstName"}}
    ),
    "consent_missing": withdraw_consent,
}


@pytest.mark.parametrize("code", FAILURES)
def test_a_run_that_cannot_succeed_says_what_to_change_and_sends_nothing(app: InMemoryApp, code: str) -> None:
    run = app.start()
    FAILURES[code](app)
    app.work()
    done = app.run(run)
    assert done.status is RunStatus.FAILED
    assert done.reason is not None
    assert (done.reason.code, app.sendgrid.upserts) == (code, [])
    assert not list(app.names("active/"))


def test_a_rotated_key_is_read_again_at_once(app: InMemoryApp) -> None:
    app.start()
    app.work()
    app.vault.secrets["sendgrid-key"] = "SG.second-key"
    app.sendgrid.keys = {"SG.second-key"}
    again = app.start(force=True)
    app.work()
    assert app.run(again).status is RunStatus.SUCCEEDED


def test_a_key_in_memory_is_not_read_for_every_call(app: InMemoryApp) -> None:
    app.start()
    app.work()
    assert app.vault.reads == 1
    assert app.sendgrid.keys == {KEY}


def test_a_vault_that_is_away_puts_the_run_off(app: InMemoryApp) -> None:
    app.vault.away_until = app.clock.now + timedelta(hours=2)
    run = app.start()
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED


def test_an_outage_of_six_hours_is_survived(app: InMemoryApp) -> None:
    back = app.clock.now + timedelta(hours=6)
    app.sendgrid.fault = lambda _request, _number: NoResponse.TIMEOUT if app.clock.now < back else None
    run = app.start()
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED
    assert app.on_list() == emails(people(25))


def test_an_outage_of_a_day_ends_the_run_with_its_reason(app: InMemoryApp) -> None:
    app.sendgrid.fault = lambda _request, _number: answer(503, {})
    run = app.start()
    app.work()
    done = app.run(run)
    assert done.status is RunStatus.FAILED
    assert done.reason.code == "unavailable"  # type: ignore[union-attr]


def test_the_next_run_waits_until_the_first_is_over(app: InMemoryApp) -> None:
    app.sendgrid.looks_until_done = 6
    first = app.start()
    second = app.start(force=True)
    app.work()
    assert app.run(first).finished_at < app.run(second).planning_at  # type: ignore[operator]
    assert app.run(second).status is RunStatus.SUCCEEDED


def test_the_next_run_is_skipped_where_the_export_says_so(app: InMemoryApp) -> None:
    app.save(overlap="skip")
    app.start()
    second = app.start(force=True)
    app.work()
    assert app.run(second).reason.code == "overlap"  # type: ignore[union-attr]


def test_rejected_rows_are_listed_without_their_values(app: InMemoryApp) -> None:
    app.clock.now = app.clock.now.replace(hour=23)
    app.deliver_extract([*people(2), ("broken at example", "Secret Name")])
    run = app.start()
    app.work()
    blobs = RunBlobs(export=run.export, run=run.id)
    names = [name for name in app.names(blobs.attempts) if "rejected" in name]
    listed = b"".join(app.blobs.get(name).data for name in names)
    assert b"email_invalid" in listed
    assert b"broken" not in listed
    assert b"Secret" not in listed


# --- cancel and retry ---------------------------------------------------------------------------------------


def test_a_run_cancelled_before_it_is_planned_sends_nothing(app: InMemoryApp) -> None:
    run = app.start()
    cancel_run(app.services, run.export, run.id, by=ADA)
    app.work()
    done = app.run(run)
    assert (done.status, app.sendgrid.upserts) == (RunStatus.CANCELLED, [])
    assert not list(app.names("active/"))


def test_a_run_cancelled_before_its_chunk_is_sent_tells_that_nothing_was(app: InMemoryApp) -> None:
    run = app.start()
    app.step()
    cancel_run(app.services, run.export, run.id, by=ADA)
    app.work()
    done = app.run(run)
    assert (done.status, done.counts.not_sent, app.sendgrid.upserts) == (RunStatus.CANCELLED, 25, [])
    assert done.counts.adds_up


def test_a_run_cancelled_after_it_was_sent_tells_what_was(app: InMemoryApp) -> None:
    run = app.start()
    app.step()
    app.step()
    cancel_run(app.services, run.export, run.id, by=ADA)
    app.work()
    done = app.run(run)
    assert (done.status, done.counts.sent) == (RunStatus.CANCELLED, 25)
    assert app.on_list() == emails(people(25))


def test_what_is_over_cannot_be_cancelled(app: InMemoryApp) -> None:
    run = app.start()
    app.work()
    with pytest.raises(ConflictError):
        cancel_run(app.services, run.export, run.id, by=ADA)


def test_a_retry_sends_what_the_failed_run_did_not(app: InMemoryApp) -> None:
    gone = answer(451, {"errors": [{"message": "residency"}]})
    app.sendgrid.fault = lambda request, _number: gone if request.method == "PUT" else None
    run = app.start()
    app.work()
    app.sendgrid.fault = lambda _request, _number: None
    again = retry_run(
        app.services,
        resolve_export(app.services.store, run.export),
        run.id,
        by=ADA,
        run_id=new_run_id(app.services),
    )
    app.work()
    done = app.run(again)
    assert (app.run(run).status, done.status) == (RunStatus.FAILED, RunStatus.SUCCEEDED)
    assert (done.retry_of, done.counts.rows_read, done.counts.sent) == (run.id, 25, 25)
    assert app.on_list() == emails(people(25))


def test_a_run_that_left_nothing_cannot_be_retried(app: InMemoryApp) -> None:
    run = app.start()
    app.work()
    with pytest.raises(ConflictError):
        retry_run(
            app.services,
            resolve_export(app.services.store, run.export),
            run.id,
            by=ADA,
            run_id=new_run_id(app.services),
        )


def test_the_lists_own_count_is_told_before_and_after(app: InMemoryApp) -> None:
    app.on_list().add("somebody@example.com")
    run = app.start()
    app.work()
    done = app.run(run)
    assert (done.list_count_before, done.list_count_after) == (1, 26)
    assert done.warnings == ()


def test_a_list_that_counts_too_few_is_a_warning_with_figures(app: InMemoryApp) -> None:
    apply = app.sendgrid.apply

    def forgetful(job: Any) -> None:  # noqa: ANN401 - the fake's job
        apply(job)
        app.on_list().clear()

    app.sendgrid.apply = forgetful  # type: ignore[method-assign]
    run = app.start()
    app.work()
    done = app.run(run)
    assert "0 contacts on the list" in done.warnings[0]
    assert "25 were sent" in done.warnings[0]
