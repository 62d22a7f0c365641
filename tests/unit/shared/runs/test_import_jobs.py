"""Import jobs that fail, refuse, vanish or never end: each contact has one outcome, and it is told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared.definitions.resolve import resolve_export
from shared.errors import ConflictError
from shared.limits import RESENDS
from shared.model.reasons import RunStatus
from shared.runs.enqueue import enqueue
from shared.runs.retry import retry_run
from shared.runs.start import new_run_id
from shared.runs.views import get_run_details
from tests.support.factories import ADA
from tests.support.fake_sendgrid import answer, is_upsert
from tests.support.in_memory_app import CrashError, InMemoryApp, emails
from tests.support.worlds import PEOPLE

if TYPE_CHECKING:
    from shared.model.messages import Message
    from shared.model.runs import Run
    from shared.sendgrid.api import Response
    from shared.services import Services
    from tests.support.fake_sendgrid import Job


pytestmark = pytest.mark.usefixtures("plain_planner")


def test_contacts_that_the_job_fails_count_as_rejected(app: InMemoryApp) -> None:
    def errored(job_id: str, job: Job) -> dict[str, Any]:
        app.sendgrid.apply(type(job)(contacts=job.contacts[2:], list_ids=job.list_ids))
        results = {
            "requested_count": 12,
            "created_count": 10,
            "errored_count": 2,
            "errors_url": "https://api.sendgrid.com/e",
        }
        return {"id": job_id, "status": "errored", "results": results}

    app.sendgrid.job_answer = errored
    done = app.run_to_its_end()
    assert (done.status, done.counts.sent) == (RunStatus.COMPLETED_WITH_WARNINGS, 10)
    assert done.counts.rejected_by_reason == {"sendgrid_import_error": 2}
    assert [name for name in app.names("runs/") if "/errors/" in name]
    assert (app.rejected_rows(done), done.counts.rejected_not_listed) == ([], 2)


def test_contacts_that_the_error_file_names_are_listed_with_their_rows(app: InMemoryApp) -> None:
    results = {
        "requested_count": 12,
        "created_count": 10,
        "errored_count": 2,
        "errors_url": "https://api.sendgrid.com/e",
    }
    app.sendgrid.job_answer = lambda job_id, _job: {"id": job_id, "status": "errored", "results": results}
    app.sendgrid.errors = b"email,error\nPerson1@example.com,bad\nperson4@example.com,bad\nelse@example.com,bad\n"
    done = app.run_to_its_end()
    assert app.rejected_rows(done) == [("3", "sendgrid_import_error"), ("6", "sendgrid_import_error")]
    assert done.counts.rejected_not_listed == 0


def test_refused_contacts_of_an_extract_that_was_replaced_are_listed_without_rows(app: InMemoryApp) -> None:
    def fault(request: Any, _number: int) -> Response | None:  # noqa: ANN401
        if not is_upsert(request) or b"person3@" not in request.body:
            return None
        name = next(item.name for item in app.extracts.list_blobs(""))
        app.extracts.upsert(name, b"EMail,FirstName\n")
        return answer(400, {"errors": [{"field": "contacts[3].identifier", "message": "is not valid"}]})

    done = app.run_to_its_end(fault)
    assert app.rejected_rows(done) == [("", "refused_by_sendgrid")]


def test_a_retry_leaves_out_whom_sendgrid_refused(app: InMemoryApp) -> None:
    def fault(request: Any, number: int) -> Response | None:  # noqa: ANN401
        if not is_upsert(request):
            return None
        if b"person3@" in request.body:
            return answer(400, {"errors": [{"field": "contacts[3].identifier", "message": "is not valid"}]})
        return answer(451, {"errors": [{"message": "residency"}]}) if number < 9 else None

    first = app.run_to_its_end(fault)
    assert (first.counts.rejected, first.counts.not_sent) == (1, len(PEOPLE) - 1)
    app.sendgrid.fault = lambda _request, _number: None
    job = resolve_export(app.services.store, first.export)
    again = retry_run(app.services, job, first.id, by=ADA, run_id=new_run_id(app.services))
    app.work()
    assert app.run(again).status is RunStatus.SUCCEEDED
    assert app.on_list() == emails(PEOPLE) - {"person3@example.com"}


def test_there_is_nothing_to_retry_where_sendgrid_only_refused(app: InMemoryApp) -> None:
    refusal = answer(400, {"errors": [{"field": "contacts[3].identifier", "message": "is not valid"}]})
    done = app.run_to_its_end(
        lambda request, _number: refusal if is_upsert(request) and b"person3@" in (request.body or b"") else None
    )
    details = get_run_details(app.services, done.export, done.id)
    assert "retry" not in details.next_step.lower()
    with pytest.raises(ConflictError):
        retry_run(
            app.services,
            resolve_export(app.services.store, done.export),
            done.id,
            by=ADA,
            run_id=new_run_id(app.services),
        )


def test_a_job_that_failed_is_sent_again(app: InMemoryApp) -> None:
    app.sendgrid.job_answer = lambda job_id, _job: (
        {"id": job_id, "status": "failed", "results": {}} if job_id == "job-1" else None
    )
    done = app.run_to_its_end()
    assert done.status is RunStatus.SUCCEEDED
    assert app.on_list() == emails(PEOPLE)


def test_a_poller_cut_off_before_it_has_the_chunk_sent_again_does_so_when_it_is_back(
    app: InMemoryApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.sendgrid.job_answer = lambda job_id, _job: (
        {"id": job_id, "status": "failed", "results": {}} if job_id == "job-1" else None
    )
    cut_off: list[Message] = []

    def enqueue_or_die(services: Services, message: Message) -> None:
        if not cut_off:
            cut_off.append(message)
            raise CrashError
        enqueue(services, message)

    monkeypatch.setattr("shared.runs.confirm.enqueue", enqueue_or_die)
    done = app.run_to_its_end()
    assert cut_off
    assert (done.status, app.on_list()) == (RunStatus.SUCCEEDED, emails(PEOPLE))


def test_jobs_that_always_fail_end_the_run_as_failed(app: InMemoryApp) -> None:
    app.sendgrid.job_answer = lambda job_id, _job: {"id": job_id, "status": "failed", "results": {}}
    done = app.run_to_its_end()
    assert (done.status, done.counts.not_sent) == (RunStatus.FAILED, len(PEOPLE))
    assert len(app.sendgrid.upserts) == 1 + RESENDS


def test_a_job_that_vanished_is_sent_again(app: InMemoryApp) -> None:
    gone = answer(404, {"errors": [{"message": "not found"}]})
    done = app.run_to_its_end(lambda request, _number: gone if request.path.endswith("/job-1") else None)
    assert done.status is RunStatus.SUCCEEDED
    assert app.on_list() == emails(PEOPLE)


def test_a_job_that_never_ends_is_unconfirmed_after_a_day(app: InMemoryApp) -> None:
    app.sendgrid.job_answer = lambda job_id, _job: {"id": job_id, "status": "pending", "results": {}}
    done = app.run_to_its_end()
    assert (done.status, done.reason and done.reason.code) == (RunStatus.COMPLETED_WITH_WARNINGS, "unconfirmed")
    assert done.counts.adds_up


def test_an_unknown_word_for_a_jobs_state_is_waited_out(app: InMemoryApp) -> None:
    app.sendgrid.job_answer = lambda job_id, job: {"id": job_id, "status": "pondering"} if job.looks < 5 else None
    assert app.run_to_its_end().status is RunStatus.SUCCEEDED


def leave_all_over(app: InMemoryApp) -> Run:
    """A run of which nothing got there; SendGrid behaves afterwards."""
    done = app.run_to_its_end(lambda request, _number: answer(451, {}) if is_upsert(request) else None)
    app.sendgrid.fault = lambda _request, _number: None
    assert done.counts.not_sent == len(PEOPLE)
    return done


def test_a_retry_does_not_undo_what_a_later_run_has_sent(app: InMemoryApp) -> None:
    """Older data would come over newer, and who has left since would be back on the list."""
    earlier = leave_all_over(app)
    app.clock.now += timedelta(hours=1)
    app.deliver_extract(PEOPLE[:5])
    app.start()
    app.work()
    with pytest.raises(ConflictError, match="newer data"):
        retry_run(
            app.services,
            resolve_export(app.services.store, earlier.export),
            earlier.id,
            by=ADA,
            run_id=new_run_id(app.services),
        )
    assert app.on_list() == emails(PEOPLE[:5])


def test_a_retry_that_a_later_run_gets_ahead_of_sends_nothing(app: InMemoryApp) -> None:
    earlier = leave_all_over(app)
    app.clock.now += timedelta(hours=1)
    app.deliver_extract(PEOPLE[:5])
    app.start()
    app.step()
    job = resolve_export(app.services.store, earlier.export)
    again = retry_run(app.services, job, earlier.id, by=ADA, run_id=new_run_id(app.services))
    app.work()
    done = app.run(again)
    assert (done.status, done.reason and done.reason.code) == (RunStatus.FAILED, "chunks_gone")
    assert app.on_list() == emails(PEOPLE[:5])
