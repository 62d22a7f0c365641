from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sendgrid.job_times import JobTimes
from shared.sendgrid.rate_limiter import LONG_AGO, WINDOW_MAX, RateLimit, RateLimiter, learn, reserve
from shared.storage.documents import Store
from shared.storage.layout import limiter_blob
from tests.support.factories import NOW, an_answer
from tests.support.memory_storage import MemoryBlobs

offsets = st.lists(st.floats(min_value=0, max_value=300), min_size=1, max_size=150)
limits = st.integers(min_value=1, max_value=40)
windows = st.floats(min_value=1, max_value=120)
waits = st.floats(min_value=-60, max_value=60)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def a_rate_limit(limit: int = 8, window: float = 60, not_before: datetime = LONG_AGO) -> RateLimit:
    return RateLimit(limit=limit, window=window, not_before=not_before)


def taken(state: RateLimit, times: list[float]) -> list[datetime]:
    """The moments that requests at these times get."""
    moments = []
    for time in times:
        state, moment = reserve(state, at(time))
        moments.append(moment)
    return moments


# --- slots --------------------------------------------------------------------------------------------------


@given(limit=limits, window=windows, wait=waits, times=offsets)
def test_no_window_holds_more_requests_than_the_limit(
    limit: int, window: float, wait: float, times: list[float]
) -> None:
    starts = sorted(taken(a_rate_limit(limit, window, at(wait)), sorted(times)))
    for start, one_too_many in zip(starts, starts[limit:], strict=False):
        assert one_too_many - start >= timedelta(seconds=window)


@given(limit=limits, window=windows, times=offsets)
def test_clocks_that_disagree_do_not_exceed_the_limit(limit: int, window: float, times: list[float]) -> None:
    starts = sorted(taken(a_rate_limit(limit, window), times))
    for start, one_too_many in zip(starts, starts[limit:], strict=False):
        assert one_too_many - start >= timedelta(seconds=window)


@given(limit=limits, window=windows, wait=waits, times=offsets)
def test_slots_are_in_order_of_asking(limit: int, window: float, wait: float, times: list[float]) -> None:
    moments = taken(a_rate_limit(limit, window, at(wait)), sorted(times))
    assert moments == sorted(moments)


@given(limit=limits, window=windows, wait=waits, times=offsets)
def test_no_slot_is_earlier_than_asked_for(limit: int, window: float, wait: float, times: list[float]) -> None:
    moments = taken(a_rate_limit(limit, window, at(wait)), sorted(times))
    assert all(moment >= at(max(time, wait)) for moment, time in zip(moments, sorted(times), strict=True))


@given(slot=waits, now=waits)
def test_who_returns_with_its_slot_takes_no_second_one(slot: float, now: float) -> None:
    state = a_rate_limit(not_before=at(-60))
    assert reserve(state, at(now), at(slot)) == (state, at(slot))


def test_a_slot_at_the_end_of_a_quiet_is_kept() -> None:
    state = a_rate_limit(not_before=at(10))
    assert reserve(state, at(10), at(10)) == (state, at(10))


def test_slots_before_a_quiet_are_lined_up_anew_behind_it() -> None:
    state, moments = a_rate_limit(limit=4, window=60, not_before=at(100)), []
    for slot in range(8):
        state, moment = reserve(state, at(50), at(slot))
        moments.append(moment)
    assert moments[0] == at(100)
    assert moments == sorted(moments)
    assert all(later - earlier >= timedelta(seconds=60 / 4) for earlier, later in pairwise(moments))


def test_a_quarter_of_the_limit_may_come_at_once() -> None:
    assert taken(a_rate_limit(limit=8, window=60), [0, 0, 0]) == [at(0), at(0), at(10)]


def test_a_limit_too_small_for_a_burst_lets_one_out_at_once() -> None:
    assert taken(a_rate_limit(limit=1, window=60), [0, 0]) == [at(0), at(80)]


def test_slots_may_be_less_than_a_second_apart() -> None:
    assert a_rate_limit(limit=600, window=45).interval == timedelta(seconds=0.1)


def test_a_long_queue_uses_three_quarters_of_the_limit() -> None:
    moments = taken(a_rate_limit(limit=8, window=60), [0.0] * 14)
    assert moments[-1] - moments[1] == timedelta(seconds=120)


def test_an_unknown_limit_holds_nobody_up() -> None:
    assert taken(RateLimit(), [0, 0, 0]) == [at(0)] * 3


# --- learning -----------------------------------------------------------------------------------------------


def an_ok(limit: object = 600, remaining: object = 599, reset: object = 60) -> dict[str, object]:
    return {"x_ratelimit_limit": limit, "x_ratelimit_remaining": remaining, "x_ratelimit_reset": reset}


def test_limit_and_window_are_learned_from_the_headers() -> None:
    state = learn(RateLimit(), an_answer(202, **an_ok()), NOW)
    assert state == RateLimit(limit=600, window=60)


def test_the_longest_reset_seen_is_the_window() -> None:
    state = learn(a_rate_limit(limit=600, window=60), an_answer(202, **an_ok(reset=12)), NOW)
    assert state.window == 60


@pytest.mark.parametrize("limit", [100, 1000])
def test_another_limit_has_another_window(limit: int) -> None:
    state = learn(a_rate_limit(limit=600, window=60), an_answer(202, **an_ok(limit=limit, reset=12)), NOW)
    assert (state.limit, state.window) == (limit, 12)


@pytest.mark.parametrize("reset", [0.5, WINDOW_MAX])
def test_a_believable_window_is_learned(reset: float) -> None:
    assert learn(RateLimit(), an_answer(202, **an_ok(reset=reset)), NOW).window == reset


def test_a_window_longer_than_believable_is_not_learned() -> None:
    assert learn(RateLimit(), an_answer(202, **an_ok(reset=WINDOW_MAX + 1)), NOW) == RateLimit()


def test_a_window_that_ends_now_says_nothing_of_its_length() -> None:
    answer = an_answer(202, **an_ok(limit=100, reset=0))
    assert learn(a_rate_limit(limit=600, window=60), answer, NOW) == a_rate_limit(limit=600, window=60)


def test_nothing_is_learned_from_an_answer_without_headers() -> None:
    assert learn(a_rate_limit(), an_answer(202), NOW) == a_rate_limit()


@pytest.mark.parametrize(("status", "remaining"), [(429, 5), (202, 0)])
def test_an_exhausted_limit_holds_everybody_up_until_the_reset(status: int, remaining: int) -> None:
    state = learn(a_rate_limit(), an_answer(status, **an_ok(remaining=remaining, reset=42)), NOW)
    assert state.not_before == at(42)


def test_a_refusal_honours_retry_after() -> None:
    assert learn(RateLimit(), an_answer(429, retry_after=90), NOW).not_before == at(90)


def test_an_outage_is_no_refusal() -> None:
    assert learn(a_rate_limit(), an_answer(503, retry_after=90), NOW) == a_rate_limit()


def test_a_shorter_wait_does_not_replace_a_longer_one() -> None:
    state = learn(a_rate_limit(not_before=at(100)), an_answer(429, retry_after=5), NOW)
    assert state.not_before == at(100)


words = (
    st.text() | st.integers().map(str) | st.floats().map(str) | st.sampled_from(["9" * 400, "9" * 5000, "²", "٣"])
)


@given(limit=words, remaining=words, reset=words, retry_after=words)
def test_any_headers_are_survived(limit: str, remaining: str, reset: str, retry_after: str) -> None:
    answer = an_answer(429, retry_after=retry_after, **an_ok(limit, remaining, reset))
    _, moment = reserve(learn(RateLimit(), answer, NOW), NOW)
    assert moment >= NOW


# --- the shared document ------------------------------------------------------------------------------------


@pytest.fixture
def store() -> Store:
    return Store(MemoryBlobs(lambda: NOW))


def test_nothing_is_written_while_nothing_is_known(store: Store) -> None:
    limiter = RateLimiter(store)
    limiter.learn("marketing", "upsert", an_answer(202), now=NOW)
    assert limiter.reserve("marketing", "upsert", now=NOW) == NOW
    assert not list(store.blobs.list_blobs())


def test_what_one_instance_learns_another_obeys(store: Store) -> None:
    RateLimiter(store).learn("marketing", "upsert", an_answer(429, retry_after=90), now=NOW)
    assert RateLimiter(store).reserve("marketing", "upsert", now=at(1)) == at(90)


def test_a_slot_taken_by_one_instance_is_gone_for_another(store: Store) -> None:
    store.create(limiter_blob("marketing", "upsert"), a_rate_limit(limit=1, window=60))
    first, second = (RateLimiter(store).reserve("marketing", "upsert", now=NOW) for _ in range(2))
    assert second - first >= timedelta(seconds=60)


def test_a_slot_that_is_kept_costs_no_second_one(store: Store) -> None:
    store.create(limiter_blob("marketing", "upsert"), a_rate_limit(limit=1, window=60))
    limiter = RateLimiter(store)
    first = limiter.reserve("marketing", "upsert", now=NOW)
    limiter.reserve("marketing", "upsert", now=NOW, slot=first)
    assert limiter.reserve("marketing", "upsert", now=NOW) == first + timedelta(seconds=80)


@pytest.mark.parametrize(("connection", "endpoint"), [("other", "upsert"), ("marketing", "imports")])
def test_other_connections_and_endpoints_are_not_held_up(store: Store, connection: str, endpoint: str) -> None:
    limiter = RateLimiter(store)
    limiter.learn("marketing", "upsert", an_answer(429, retry_after=90), now=NOW)
    assert limiter.reserve(connection, endpoint, now=NOW) == NOW


# --- how long jobs take -------------------------------------------------------------------------------------


def times_of(store: Store, connection: str = "marketing") -> JobTimes:
    return RateLimiter(store).job_times(connection, "imports")


def test_what_jobs_took_is_known_to_another_instance_and_to_no_other_connection(store: Store) -> None:
    assert times_of(store) == JobTimes()
    RateLimiter(store).learn_job_time("marketing", "imports", 30, removal=False)
    RateLimiter(store).learn_job_time("marketing", "imports", 5, removal=True)
    assert times_of(store) == JobTimes(upserts=(30,), removals=(5,))
    assert times_of(store, "other") == JobTimes()


def test_limit_and_job_times_leave_each_other_alone(store: Store) -> None:
    limiter = RateLimiter(store)
    limiter.learn_job_time("marketing", "imports", 30, removal=False)
    limiter.learn("marketing", "imports", an_answer(429, retry_after=90), now=NOW)
    limiter.learn_job_time("marketing", "imports", 40, removal=False)
    assert limiter.reserve("marketing", "imports", now=NOW) == at(90)
    assert times_of(store).upserts == (30, 40)


class Rival(MemoryBlobs):
    """Storage in which somebody else always writes between a read and a write."""

    def create(self, name: str, data: bytes) -> str:
        self.upsert(name, b"{}")
        return super().create(name, data)

    def replace(self, name: str, data: bytes, *, etag: str) -> str:
        self.upsert(name, b"{}")
        return super().replace(name, data, etag=etag)


def test_a_time_that_somebody_else_is_faster_to_write_is_given_up() -> None:
    store = Store(Rival(lambda: NOW))
    for _ in range(2):
        RateLimiter(store).learn_job_time("marketing", "imports", 30, removal=False)
        assert times_of(store) == JobTimes()
