"""What SendGrid's recent jobs took decides when the next ones are looked at, and never what becomes of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import SettingsError, StorageUnavailableError
from shared.limits import POLL_CAP, POLL_CLOSE, SWEEP_AFTER
from shared.model.messages import IMPORTS_QUEUE
from shared.model.reasons import RunStatus
from shared.model.runs import Delivery
from shared.sendgrid.job_times import TIMES_KEPT
from shared.sendgrid.rate_limiter import RateLimit
from shared.storage.documents import Store
from shared.storage.layout import RunBlobs, limiter_blob
from tests.support.fake_sendgrid import LIST_ID, answer
from tests.support.in_memory_app import InMemoryApp, a_connection, emails
from tests.support.worlds import PEOPLE, a_world

if TYPE_CHECKING:
    from shared.model.runs import Run
    from shared.sendgrid.api import Response
    from tests.support.fake_sendgrid import Job

USUAL = 30.0

pytestmark = pytest.mark.usefixtures("plain_planner")


class Jobs:
    """SendGrid's jobs take a time of their own; every look at one is noted."""

    def __init__(self, app: InMemoryApp, seconds: float = USUAL, *, tells: bool = False) -> None:
        self.app = app
        self.seconds = seconds
        self.tells = tells
        """Whether a job says when it was made and when it ended, as SendGrid documents it."""
        self.status = "completed"
        self.due: dict[str, datetime] = {}
        self.looks: list[datetime] = []
        self._accept = app.sendgrid.accept
        app.sendgrid.accept = self.accept  # type: ignore[method-assign]
        app.sendgrid.job_answer = self.answer

    def accept(self, body: dict[str, Any]) -> Response:
        response = self._accept(body)
        self.due[f"job-{len(self.app.sendgrid.jobs)}"] = self.app.clock.now + timedelta(seconds=self.seconds)
        return response

    def answer(self, job_id: str, job: Job) -> dict[str, Any]:
        now, due = self.app.clock.now, self.due[job_id]
        self.looks.append(now)
        if now < due:
            return {"id": job_id, "status": "pending", "results": {}}
        self.app.sendgrid.apply(job)
        made = due - timedelta(seconds=self.seconds)
        times = {"started_at": made.isoformat(), "finished_at": due.isoformat()} if self.tells else {}
        counters = {"requested_count": len(job.contacts), "created_count": len(job.contacts)}
        return {"id": job_id, "status": self.status, "results": counters} | times

    def late(self) -> float:
        """How late the end of the newest job was seen."""
        return (self.looks[-1] - max(self.due.values())).total_seconds()


def run_again(app: InMemoryApp, jobs: Jobs, export: str = "newsletter") -> tuple[Run, int]:
    """A run that sends everything, at its end, and how often it looked at its job."""
    before = len(jobs.looks)
    run = app.start(export, force=True)
    app.work()
    return app.run(run), len(jobs.looks) - before


def known(app: InMemoryApp, connection: str = "main") -> tuple[float, ...]:
    """The times of upserts' jobs that are kept for a connection."""
    found = Store(app.blobs).find(limiter_blob(connection, "imports"), RateLimit)
    return found.document.job_times.upserts if found else ()


def delivery_of(app: InMemoryApp, run: Run) -> Delivery:
    """The delivery of the run's only chunk."""
    return Store(app.blobs).get(RunBlobs(export=run.export, run=run.id).delivery(1), Delivery).document


def reach_second_look(app: InMemoryApp, jobs: Jobs) -> Run:
    """A run, forced, that has looked at its job once."""
    before = len(jobs.looks)
    run = app.start(force=True)
    while len(jobs.looks) == before:
        app.step()
    return run


# --- it saves time and requests -----------------------------------------------------------------------------


@pytest.mark.parametrize("tells", [True, False])
def test_the_next_jobs_end_is_seen_soon_and_with_fewer_looks(app: InMemoryApp, *, tells: bool) -> None:
    jobs = Jobs(app, tells=tells)
    _, unknowing = run_again(app, jobs)
    for _ in range(3):
        done, looks = run_again(app, jobs)
        assert done.status is RunStatus.SUCCEEDED
        assert jobs.late() <= 3 * POLL_CLOSE
        assert looks < unknowing


def test_looks_alone_find_the_time_again_after_it_became_shorter(app: InMemoryApp) -> None:
    jobs = Jobs(app, 100)
    for _ in range(3):
        run_again(app, jobs)
    jobs.seconds = USUAL
    for _ in range(3 * TIMES_KEPT):
        run_again(app, jobs)
    assert jobs.late() <= USUAL / 4


def test_what_is_kept_stays_small(app: InMemoryApp) -> None:
    jobs = Jobs(app)
    for _ in range(TIMES_KEPT + 3):
        run_again(app, jobs)
    assert len(known(app)) == TIMES_KEPT


def test_two_connections_learn_apart(app: InMemoryApp) -> None:
    app.save("vip", connection="other", list_id=LIST_ID)
    app.save_connection(a_connection(), "other")
    jobs = Jobs(app, tells=True)
    run_again(app, jobs)
    jobs.seconds = 200
    run_again(app, jobs, "vip")
    assert (known(app), known(app, "other")) == ((USUAL,), (200,))
    jobs.seconds = USUAL
    run_again(app, jobs)
    assert jobs.late() <= 3 * POLL_CLOSE


# --- jobs that are not like the others ----------------------------------------------------------------------


@pytest.mark.parametrize("longer", [2, 10, 100])
def test_a_job_that_takes_much_longer_is_waited_for(app: InMemoryApp, longer: int) -> None:
    jobs = Jobs(app)
    run_again(app, jobs)
    jobs.seconds = USUAL * longer
    done, _ = run_again(app, jobs)
    assert done.status is RunStatus.SUCCEEDED
    assert len(app.sendgrid.upserts) == 2
    assert jobs.late() <= min(POLL_CAP, jobs.seconds / 2) + POLL_CLOSE


def test_a_job_that_is_much_quicker_is_seen_half_way(app: InMemoryApp) -> None:
    jobs = Jobs(app, tells=True)
    run_again(app, jobs)
    jobs.seconds = 1
    run_again(app, jobs)
    assert jobs.late() <= USUAL / 2


def test_jobs_that_fail_teach_nothing_and_are_sent_again(app: InMemoryApp) -> None:
    jobs = Jobs(app)
    run_again(app, jobs)
    jobs.status, before = "failed", known(app)
    done, _ = run_again(app, jobs)
    assert done.status is RunStatus.FAILED
    assert known(app) == before


def test_an_outage_of_the_looks_does_not_make_the_next_jobs_long(app: InMemoryApp) -> None:
    jobs = Jobs(app)
    run_again(app, jobs)
    until = app.clock.now + timedelta(hours=2)
    app.sendgrid.fault = lambda request, _number: (
        answer(503, {}) if "/imports/" in request.path and app.clock.now < until else None
    )
    run_again(app, jobs)
    assert app.clock.now > until
    assert max(known(app)) < 2 * USUAL


def test_a_vanished_job_is_looked_for_as_patiently_as_without_knowledge(app: InMemoryApp) -> None:
    jobs = Jobs(app)
    spans = []
    for _ in range(2):
        asked: list[datetime] = []
        newest = f"/job-{len(app.sendgrid.jobs) + 1}"

        def fault(request: Any, _number: int) -> Response | None:  # noqa: ANN401
            if not request.path.endswith(newest):  # noqa: B023 - used up within the round
                return None
            asked.append(app.clock.now)  # noqa: B023
            return answer(404, {"errors": [{"message": "not found"}]})

        app.sendgrid.fault = fault
        done, _ = run_again(app, jobs)
        assert done.status is RunStatus.SUCCEEDED
        spans.append(asked[-1] - asked[0])
    assert spans[1] >= spans[0] - timedelta(seconds=1)


# --- who watches ----------------------------------------------------------------------------------------------


def test_the_sweeper_leaves_a_chunk_alone_until_its_look_is_late(app: InMemoryApp) -> None:
    jobs = Jobs(app, 4 * SWEEP_AFTER, tells=True)
    run_again(app, jobs)
    run = reach_second_look(app, jobs)
    poll = delivery_of(app, run).poll
    assert poll is not None
    assert poll.next_at is not None
    assert app.queues.waiting[0].due >= poll.next_at
    assert poll.next_at - app.clock.now > timedelta(seconds=SWEEP_AFTER)
    while app.clock.now < poll.next_at:
        app.clock.now += timedelta(seconds=SWEEP_AFTER / 2)
        app.tick()
    assert len(app.queues.waiting) == 1


def test_the_sweeper_brings_back_a_look_that_was_lost(app: InMemoryApp) -> None:
    jobs = Jobs(app)
    run_again(app, jobs)
    run = reach_second_look(app, jobs)
    lost = app.queues.take()
    assert lost is not None
    assert lost.queue == IMPORTS_QUEUE
    app.clock.reach(lost.due + timedelta(seconds=SWEEP_AFTER + 1))
    app.tick()
    assert len(app.queues.waiting) == 1
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED
    assert len(app.sendgrid.upserts) == 2


@pytest.mark.parametrize("jump", [timedelta(hours=-5), timedelta(hours=5)], ids=["back", "on"])
def test_a_clock_that_jumps_delays_a_look_by_little(app: InMemoryApp, jump: timedelta) -> None:
    jobs = Jobs(app)
    run_again(app, jobs)
    run = reach_second_look(app, jobs)
    app.clock.now += jump
    app.queues.waiting[0] = type(app.queues.waiting[0])(**vars(app.queues.waiting[0]) | {"due": app.clock.now})
    app.step()
    if app.queues.waiting:
        assert app.queues.waiting[0].due - app.clock.now <= timedelta(seconds=POLL_CAP)
    jobs.due = dict.fromkeys(jobs.due, app.clock.now)
    app.work()
    assert app.run(run).status is RunStatus.SUCCEEDED
    assert max(known(app)) < 2 * USUAL


# --- what goes wrong while learning -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [StorageUnavailableError("away"), SettingsError("refused"), ValueError("damaged")]
)
def test_times_that_cannot_be_read_or_kept_cost_nothing(app: InMemoryApp, error: Exception) -> None:
    jobs = Jobs(app)
    limiter = app.services.sendgrid._limiter

    def fail(*_args: object, **_options: object) -> None:
        raise error

    limiter.job_times = fail  # type: ignore[method-assign,assignment]
    limiter.learn_job_time = fail  # type: ignore[method-assign]
    done, _ = run_again(app, jobs)
    assert (done.status, known(app)) == (RunStatus.SUCCEEDED, ())
    assert len(app.sendgrid.upserts) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    crashes=st.dictionaries(st.integers(0, 110), st.sampled_from(["before", "after"]), max_size=6),
    seconds=st.floats(min_value=0, max_value=400),
    tells=st.booleans(),
)
def test_crashes_anywhere_lose_nobody_when_times_are_known(
    crashes: dict[int, str], seconds: float, *, tells: bool
) -> None:
    app = a_world()
    jobs = Jobs(app, tells=tells)
    run_again(app, jobs)
    jobs.seconds = seconds
    run = app.start(force=True)
    app.crashes.at = {app.crashes.calls + call: when for call, when in crashes.items()}
    app.work()
    done = app.run(run)
    assert (done.status, done.counts.sent) == (RunStatus.SUCCEEDED, len(PEOPLE))
    assert app.on_list() == emails(PEOPLE)


def test_every_message_twice_sends_nothing_twice_when_times_are_known(app: InMemoryApp) -> None:
    jobs = Jobs(app)
    run_again(app, jobs)
    run = app.start(force=True)
    while app.queues.waiting:
        message = app.queues.waiting[0]
        app.step()
        app.trigger(message.queue, message.body, "again")
    assert app.run(run).status is RunStatus.SUCCEEDED
    assert len(app.sendgrid.upserts) == 2
