from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.limits import IMPORT_DEADLINE, JOB_PATIENCE, POLL_FIRST, RESENDS
from shared.model.reasons import RunStatus
from shared.model.runs import ChunkResult, ChunkStatus, Counts, Delivery, PollToken, Stop
from shared.runs.delivery_state import give_up, live_contacts, refuse
from shared.runs.outcomes import (
    JOB_FAILED,
    UNCONFIRMED,
    Finish,
    JobPoll,
    PollAgain,
    RangeOutcome,
    Resend,
    add_up,
    chunk_result,
    count_differences,
    counters_missing,
    judge,
    next_step,
)
from shared.sendgrid.api import ImportJob, JobStatus
from tests.support.factories import (
    NOW,
    a_delivery,
    a_range,
    a_reason,
    a_result,
    an_accepted_range,
    an_import_job,
)

counters = st.none() | st.integers(min_value=0, max_value=200)
jobs = st.none() | st.builds(
    ImportJob,
    status=st.sampled_from([JobStatus.COMPLETED, JobStatus.ERRORED, JobStatus.FAILED]),
    created=counters,
    updated=counters,
    errored=counters,
)


@st.composite
def ended_deliveries(draw: st.DrawFn) -> tuple[Delivery, list[RangeOutcome], int]:
    """A delivery that came to its end in any way, the end of each of its jobs, and the size of its chunk."""
    sizes = draw(st.lists(st.integers(1, 20), min_size=1, max_size=6))
    ranges = [(sum(sizes[:n]), size) for n, size in enumerate(sizes)]
    accepted = draw(st.integers(0, len(sizes)))
    delivery = a_delivery(
        pending=tuple(a_range(*contact_range) for contact_range in ranges[accepted:]),
        accepted=tuple(an_accepted_range(*ranges[n], f"job-{n}") for n in range(accepted)),
        requests=draw(st.integers(0, 40)),
    )
    delivery = refuse(delivery, draw(st.lists(st.integers(0, sum(sizes) - 1), unique=True)))
    delivery = give_up(delivery, a_reason()) if delivery.pending else delivery
    return (
        delivery,
        [RangeOutcome(accepted=contact_range, job=draw(jobs)) for contact_range in delivery.accepted],
        sum(sizes),
    )


def got_in(delivery: Delivery, ended: list[RangeOutcome]) -> int:
    """Contacts that SendGrid accepted and did not fail later, counted one by one."""
    got = 0
    for end in ended:
        live = live_contacts(end.accepted, delivery.refused)
        if end.job is not None and end.job.status is JobStatus.FAILED:
            continue
        errored = end.job.errored or 0 if end.job is not None and end.job.status is JobStatus.ERRORED else 0
        got += max(live - errored, 0)
    return got


# --- chunks -------------------------------------------------------------------------------------------------


@given(case=ended_deliveries())
def test_every_contact_of_a_chunk_has_one_outcome(case: tuple[Delivery, list[RangeOutcome], int]) -> None:
    delivery, ended, contacts = case
    result = chunk_result(delivery, ended, contacts=contacts, now=NOW)
    assert contacts == got_in(delivery, ended) + result.refused + result.errored + result.not_sent


@given(case=ended_deliveries())
def test_a_chunk_is_complete_only_if_everybody_got_in(case: tuple[Delivery, list[RangeOutcome], int]) -> None:
    delivery, ended, contacts = case
    result = chunk_result(delivery, ended, contacts=contacts, now=NOW)
    if result.status is ChunkStatus.COMPLETED:
        assert got_in(delivery, ended) == contacts


@pytest.mark.parametrize(
    ("job", "status"),
    [
        (an_import_job(created=10), ChunkStatus.COMPLETED),
        (an_import_job(JobStatus.ERRORED, errored=3), ChunkStatus.ERRORED),
        (an_import_job(JobStatus.ERRORED, errored=10), ChunkStatus.FAILED),
        (an_import_job(JobStatus.FAILED), ChunkStatus.FAILED),
        (an_import_job(JobStatus.ERRORED), ChunkStatus.UNCONFIRMED),
        (None, ChunkStatus.UNCONFIRMED),
    ],
)
def test_the_end_of_the_job_is_the_end_of_the_chunk(job: ImportJob | None, status: ChunkStatus) -> None:
    delivery = a_delivery(pending=(), accepted=(an_accepted_range(),))
    ended = [RangeOutcome(accepted=an_accepted_range(), job=job)]
    assert chunk_result(delivery, ended, contacts=10, now=NOW).status is status


@pytest.mark.parametrize(
    ("job", "reason"),
    [(None, UNCONFIRMED), (an_import_job(JobStatus.FAILED), JOB_FAILED), (an_import_job(), None)],
)
def test_a_chunk_that_is_not_in_says_why(job: ImportJob | None, reason: object) -> None:
    delivery = a_delivery(pending=(), accepted=(an_accepted_range(),))
    ended = [RangeOutcome(accepted=an_accepted_range(), job=job)]
    assert chunk_result(delivery, ended, contacts=10, now=NOW).reason == reason


def test_nobody_counts_as_errored_until_the_job_says_how_many() -> None:
    ended = [RangeOutcome(accepted=an_accepted_range(), job=an_import_job(JobStatus.ERRORED))]
    assert chunk_result(a_delivery(pending=()), ended, contacts=10, now=NOW).errored == 0


def test_counters_of_all_jobs_are_added() -> None:
    ranges = (an_accepted_range(0, 5, "job-1"), an_accepted_range(5, 5, "job-2"))
    ended = [
        RangeOutcome(accepted=contact_range, job=an_import_job(created=2, updated=3)) for contact_range in ranges
    ]
    result = chunk_result(a_delivery(pending=(), accepted=ranges), ended, contacts=10, now=NOW)
    assert (result.created, result.updated, result.jobs) == (4, 6, ("job-1", "job-2"))


@pytest.mark.parametrize("job", [an_import_job(), an_import_job(created=0, updated=0), None])
def test_a_job_that_counts_nobody_adds_nothing(job: ImportJob | None) -> None:
    ended = [RangeOutcome(accepted=an_accepted_range(), job=job)]
    result = chunk_result(a_delivery(pending=()), ended, contacts=10, now=NOW)
    assert (result.created, result.updated) == (0, 0)


@pytest.mark.parametrize(
    ("jobs", "requested"),
    [
        ([an_import_job(requested=4), an_import_job(requested=6)], 10),
        ([an_import_job(requested=0), an_import_job(requested=0)], 0),
        ([an_import_job(requested=4), an_import_job()], None),
        ([an_import_job(requested=4), None], None),
    ],
)
def test_a_chunk_knows_what_its_jobs_were_about_if_all_of_them_say(
    jobs: list[ImportJob | None], requested: int | None
) -> None:
    ranges = (an_accepted_range(0, 5, "job-1"), an_accepted_range(5, 5, "job-2"))
    ended = [
        RangeOutcome(accepted=contact_range, job=job) for contact_range, job in zip(ranges, jobs, strict=True)
    ]
    delivery = a_delivery(pending=(), accepted=ranges)
    assert chunk_result(delivery, ended, contacts=10, now=NOW).requested == requested


@pytest.mark.parametrize(
    ("job", "missing"),
    [
        (an_import_job(), True),
        (an_import_job(created=0), False),
        (an_import_job(updated=4), False),
        (an_import_job(JobStatus.ERRORED, created=4), True),
        (an_import_job(JobStatus.ERRORED, errored=0), False),
        (an_import_job(JobStatus.FAILED), False),
        (an_import_job(JobStatus.PENDING), False),
    ],
)
def test_counters_may_fill_in_late(job: ImportJob, *, missing: bool) -> None:
    assert counters_missing(job) is missing


# --- runs ---------------------------------------------------------------------------------------------------


@st.composite
def plans_and_results(draw: st.DrawFn) -> tuple[Counts, list[ChunkResult]]:
    """A plan and how each of its chunks ended."""
    cases = draw(st.lists(ended_deliveries(), max_size=4))
    results = [chunk_result(delivery, ended, contacts=n, now=NOW) for delivery, ended, n in cases]
    by_reason = draw(st.dictionaries(st.sampled_from(["no_email", "bad_email"]), st.integers(1, 50)))
    sent, rejected = sum(n for *_, n in cases), sum(by_reason.values())
    duplicate = draw(st.integers(0, 50))
    rows = sent + rejected + duplicate
    planned = Counts(
        rows_read=rows, sent=sent, duplicate=duplicate, rejected=rejected, rejected_by_reason=by_reason
    )
    return planned, results


@given(case=plans_and_results())
def test_the_counts_of_a_run_add_up(case: tuple[Counts, list[ChunkResult]]) -> None:
    planned, results = case
    counts = add_up(planned, results)
    assert counts.adds_up
    assert counts.rows_read == planned.rows_read
    assert counts.sent >= 0


def test_what_became_of_the_contacts_corrects_the_counts() -> None:
    planned = Counts(rows_read=33, sent=30, rejected=3, rejected_by_reason={"no_email": 3})
    results = [
        a_result(contacts=15, refused=4, created=6, updated=5),
        a_result(contacts=15, errored=2, not_sent=1),
    ]
    assert add_up(planned, results) == Counts(
        rows_read=33,
        sent=23,
        rejected=9,
        rejected_by_reason={"no_email": 3, "refused_by_sendgrid": 4, "sendgrid_import_error": 2},
        not_sent=1,
        created=6,
        updated=5,
    )


@given(case=plans_and_results())
def test_every_run_gets_a_status_and_a_reason(case: tuple[Counts, list[ChunkResult]]) -> None:
    status, reason = judge(case[1])
    assert status.is_terminal
    assert reason.message


@given(case=plans_and_results())
def test_a_run_succeeds_only_if_all_it_planned_was_sent(case: tuple[Counts, list[ChunkResult]]) -> None:
    planned, results = case
    unconfirmed = any(result.status is ChunkStatus.UNCONFIRMED for result in results)
    complete = add_up(planned, results).sent == planned.sent and not unconfirmed
    assert (judge(results)[0] is RunStatus.SUCCEEDED) == complete


def test_a_run_whose_contacts_were_all_refused_failed_and_says_why() -> None:
    status, reason = judge([a_result(status=ChunkStatus.FAILED, refused=10)])
    assert status is RunStatus.FAILED
    assert reason.message


def test_a_run_of_which_nothing_got_in_failed_for_the_reason_of_its_chunks() -> None:
    failed = a_result(status=ChunkStatus.FAILED, not_sent=10, reason=a_reason("unavailable"))
    assert judge([failed, failed]) == (RunStatus.FAILED, a_reason("unavailable"))


def test_a_run_of_which_some_got_in_completed_with_warnings() -> None:
    failed = a_result(status=ChunkStatus.FAILED, not_sent=10, reason=a_reason())
    status, reason = judge([a_result(), failed])
    assert (status, reason.code) == (RunStatus.COMPLETED_WITH_WARNINGS, "contacts_missing")
    assert "10 contacts were not sent" in reason.message


def test_a_run_that_was_never_confirmed_says_so() -> None:
    status, reason = judge([a_result(), a_result(status=ChunkStatus.UNCONFIRMED, reason=UNCONFIRMED)])
    assert (status, reason.code) == (RunStatus.COMPLETED_WITH_WARNINGS, "unconfirmed")


def test_a_run_with_an_unconfirmed_chunk_has_not_failed() -> None:
    unconfirmed, failed = (a_result(status=status) for status in (ChunkStatus.UNCONFIRMED, ChunkStatus.FAILED))
    assert judge([unconfirmed, failed])[0] is RunStatus.COMPLETED_WITH_WARNINGS


def test_a_warning_has_the_figures_of_all_chunks() -> None:
    results = [
        a_result(status=ChunkStatus.ERRORED, refused=2, errored=1),
        a_result(status=ChunkStatus.ERRORED, refused=1, not_sent=4),
        a_result(status=ChunkStatus.ERRORED, not_sent=1),
        *[a_result(status=ChunkStatus.UNCONFIRMED)] * 2,
    ]
    assert judge(results)[1].message == (
        "SendGrid refused 4 contacts; 5 contacts were not sent; 20 contacts were accepted but never confirmed."
    )


def test_a_warning_names_three_different_details_at_most() -> None:
    messages = ["Four.", "One.", "One.", "Three.", "Two."]
    results = [a_result(status=ChunkStatus.FAILED, not_sent=1, reason=a_reason(message=m)) for m in messages]
    assert judge([a_result(), *results])[1].message == "5 contacts were not sent. Four. One. Three."


def test_a_run_that_was_stopped_ends_as_the_stop_says() -> None:
    stop = Stop(status=RunStatus.CANCELLED, reason=a_reason("cancelled"))
    assert judge([a_result()], stop) == (RunStatus.CANCELLED, a_reason("cancelled"))


# --- SendGrid's own counters --------------------------------------------------------------------------------


@pytest.mark.parametrize("requested", [0, 6, 8])
def test_jobs_about_more_or_fewer_contacts_than_were_accepted_are_told(requested: int) -> None:
    results = [a_result(refused=1, not_sent=2, errored=3, requested=requested), a_result()]
    assert count_differences(results, Counts(), before=None, after=None) == [
        f"SendGrid's import jobs count {requested} contacts where 7 were accepted."
    ]


@pytest.mark.parametrize("requested", [None, 10])
def test_jobs_that_count_what_was_accepted_or_nothing_are_not_told(requested: int | None) -> None:
    assert count_differences([a_result(requested=requested)], Counts(), before=None, after=None) == []


@pytest.mark.parametrize(
    ("before", "words"),
    [(None, "9 contacts on the list, although 10"), (0, "the list, 0 before the run, although")],
)
def test_a_list_shorter_than_what_was_sent_to_it_is_told(before: int | None, words: str) -> None:
    (told,) = count_differences([], Counts(sent=10), before=before, after=9)
    assert words in told


@pytest.mark.parametrize("after", [None, 10, 11])
def test_a_list_that_may_hold_what_was_sent_to_it_is_not_told(after: int | None) -> None:
    assert count_differences([], Counts(sent=10), before=3, after=after) == []


# --- what follows a poll ------------------------------------------------------------------------------------

ACCEPTED = an_accepted_range()
RUNNING = JobPoll(accepted=ACCEPTED, job=an_import_job(JobStatus.PENDING))
DONE = JobPoll(accepted=ACCEPTED, job=an_import_job(created=10))
UNCOUNTED = JobPoll(accepted=ACCEPTED, job=an_import_job())
FAILED = JobPoll(accepted=ACCEPTED, job=an_import_job(JobStatus.FAILED))
VANISHED = JobPoll(accepted=ACCEPTED, vanished=True)
UNHEARD = JobPoll(accepted=ACCEPTED)
LATE = timedelta(seconds=IMPORT_DEADLINE)


def follows(poll: JobPoll, **changes: Any) -> object:  # noqa: ANN401 - arguments of next_step and members of Delivery
    situation: dict[str, Any] = {"now": NOW, "attempt": 1, "stopped": False} | changes
    delivery = a_delivery(pending=(), accepted=(ACCEPTED,), resends=situation.pop("resends", 0))
    return type(next_step(delivery, [poll], **situation))


@pytest.mark.parametrize(
    ("poll", "changes", "step"),
    [
        (RUNNING, {}, PollAgain),
        (RUNNING, {"attempt": JOB_PATIENCE + 1}, PollAgain),
        (RUNNING, {"now": NOW + LATE - timedelta(seconds=1)}, PollAgain),
        (RUNNING, {"now": NOW + LATE}, Finish),
        (UNHEARD, {}, PollAgain),
        (UNHEARD, {"now": NOW + LATE}, Finish),
        (DONE, {}, Finish),
        (UNCOUNTED, {"attempt": JOB_PATIENCE}, PollAgain),
        (UNCOUNTED, {"attempt": JOB_PATIENCE + 1}, Finish),
        (VANISHED, {"attempt": JOB_PATIENCE}, PollAgain),
        (VANISHED, {"attempt": JOB_PATIENCE + 1}, Resend),
        (FAILED, {}, Resend),
        (FAILED, {"resends": RESENDS - 1}, Resend),
        (FAILED, {"resends": RESENDS}, Finish),
        (FAILED, {"stopped": True}, Finish),
    ],
)
def test_what_follows_a_poll(poll: JobPoll, changes: dict[str, object], step: type) -> None:
    assert follows(poll, **changes) is step


def test_only_what_was_lost_is_sent_again() -> None:
    lost, kept = an_accepted_range(0, 5, "job-1"), an_accepted_range(5, 5, "job-2")
    polls = [replace(FAILED, accepted=lost), replace(DONE, accepted=kept)]
    delivery = a_delivery(pending=(), accepted=(lost, kept))
    assert next_step(delivery, polls, now=NOW, attempt=1, stopped=False) == Resend((lost,))


@pytest.mark.parametrize(
    ("polls", "step"),
    [
        ([RUNNING], PollAgain(20, as_expected=True)),
        ([RUNNING, DONE], PollAgain(20, as_expected=True)),
        ([replace(RUNNING, wait=90)], PollAgain(90, as_expected=True)),
        ([RUNNING, UNHEARD], PollAgain(POLL_FIRST)),
        ([RUNNING, VANISHED], PollAgain(POLL_FIRST)),
        ([UNCOUNTED], PollAgain(POLL_FIRST)),
    ],
)
def test_the_likely_end_decides_on_the_next_poll_of_jobs_that_run(polls: list[JobPoll], step: PollAgain) -> None:
    poll = PollToken(token="0" * 12, polled_at=NOW, expected_s=30)
    delivery = a_delivery(pending=(), accepted=(ACCEPTED,), poll=poll)
    now = ACCEPTED.accepted_at + timedelta(seconds=10)
    assert next_step(delivery, polls, now=now, attempt=1, stopped=False) == step


@pytest.mark.parametrize(("asked", "wait"), [(0.0, POLL_FIRST), (900.0, 900.0)])
def test_the_next_poll_is_never_sooner_than_asked(asked: float, wait: float) -> None:
    delivery = a_delivery(pending=(), accepted=(ACCEPTED,))
    step = next_step(delivery, [replace(RUNNING, wait=asked)], now=NOW, attempt=1, stopped=False)
    assert step == PollAgain(wait)
