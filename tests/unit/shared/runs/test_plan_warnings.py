"""What people hear about a run that was sent, or could not be."""

from __future__ import annotations

import pytest

from shared.model.definitions import SourceOptions
from shared.model.reason_codes import ReasonCode
from shared.model.reasons import RunStatus
from shared.model.runs import Counts
from shared.runs.plan_warnings import no_valid_contact, plan_warnings
from tests.support.in_memory_app import InMemoryApp, people


def counts(**reasons: int) -> Counts:
    rejected = sum(reasons.values())
    return Counts(rows_read=100, sent=100 - rejected, rejected=rejected, rejected_by_reason=reasons)


@pytest.mark.parametrize(("rejected", "warned"), [(20, False), (21, True)])
def test_a_large_share_of_rejected_rows_is_a_warning(rejected: int, warned: bool) -> None:  # noqa: FBT001
    found = plan_warnings(counts(phone_invalid=rejected - 1, email_missing=1), [], max_rejected_share=0.2)
    assert [reason.code for reason in found] == ([ReasonCode.MANY_REJECTED] if warned else [])
    if warned:
        assert f"{rejected - 1} phone_invalid: The phone number" in found[0].message
        assert "1 email_missing" in found[0].message


def test_any_row_that_cannot_be_decoded_is_a_warning() -> None:
    (reason,) = plan_warnings(counts(row_undecodable=1), [], max_rejected_share=1)
    assert reason.code == ReasonCode.ROWS_UNDECODABLE


def test_a_plan_without_a_contact_names_the_real_reasons() -> None:
    reason = no_valid_contact(counts(phone_invalid=98, email_missing=2))
    assert reason.message.startswith("Not one of 100 rows can be sent: 98 phone_invalid: The phone number")


def test_a_run_that_rejects_many_rows_is_completed_with_a_warning() -> None:
    app = InMemoryApp()
    app.save()
    app.deliver_extract([*people(2), ("nobody", "X"), ("", "Y")])
    run = app.start()
    app.work()
    done = app.run(run)
    assert done.reason is not None
    assert (done.status, done.reason.code) == (RunStatus.COMPLETED_WITH_WARNINGS, ReasonCode.MANY_REJECTED)
    again = app.start()
    app.work()
    assert app.run(again).status is RunStatus.SKIPPED


def test_the_export_says_how_many_may_be_rejected() -> None:
    app = InMemoryApp()
    app.save(source=SourceOptions(max_rejected_share=0.5))
    app.deliver_extract([*people(2), ("nobody", "X")])
    run = app.start()
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED


def test_a_skipped_run_tells_what_it_read() -> None:
    app = InMemoryApp()
    app.save(max_contacts=2)
    app.deliver_extract(people(5))
    run = app.start()
    app.work()
    done = app.run(run)
    assert (done.status, done.counts.rows_read, done.counts.not_sent, done.counts.sent) == (
        RunStatus.SKIPPED,
        5,
        5,
        0,
    )


def test_a_run_that_goes_on_calls_nothing_sent() -> None:
    app = InMemoryApp()
    app.save()
    app.deliver_extract(people(5))
    run = app.start()
    app.step()
    live = app.run(run)
    assert (live.status, live.counts.sent, live.counts.pending) == (RunStatus.UPLOADING, 0, 5)
    assert live.counts.adds_up
    app.work()
    assert (app.run(run).counts.sent, app.run(run).counts.pending) == (5, 0)
