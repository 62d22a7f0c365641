from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.limits import BACKOFF_BASE, BACKOFF_CAP, BLOCK_TRIES, QUEUE_DELAY_MAX
from shared.sendgrid.api import NoResponse, Response
from shared.sendgrid.decisions import Action, Decision, asked_wait, backoff, decide, rate_limit_reset
from tests.support.factories import NOW, an_answer, an_error

RECORDED = sorted((Path(__file__).parent / "responses").glob("*.json"))
BLOCKED = "Too many bad requests. Temporary block"

attempts = st.integers(min_value=1, max_value=10_000)
jitters = st.floats(min_value=0, max_value=1, exclude_max=True)
moments = st.floats(min_value=1.6e9, max_value=3.8e9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
whole_waits = st.integers(min_value=0, max_value=30 * 24 * 3600)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["errors", "message", "field"]), inner),
)


def decided(answer: Response | NoResponse, *, attempt: int = 1, jitter: float = 0.0) -> Decision:
    return decide(answer, attempt=attempt, now=NOW, jitter=jitter)


# --- recorded answers ---------------------------------------------------------------------------------------


def _recorded(case: dict[str, Any]) -> Response:
    body = case["body"]
    content = body if isinstance(body, str) else json.dumps(body)
    return Response(status=case["status"], headers=case["headers"], body=content.encode())


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_a_recorded_answer_gets_its_decision(file: Path) -> None:
    case = json.loads(file.read_text(encoding="utf-8"))
    decision = decided(_recorded(case), attempt=case.get("attempt", 1))
    expected = case["expected"]
    words = expected.pop("words", "")
    assert {
        "action": str(decision.action),
        **({"wait": decision.wait} if decision.wait else {}),
        **({"code": decision.reason.code} if decision.reason else {}),
        **({"indexes": sorted(decision.named.indexes)} if decision.named.indexes else {}),
        **({"emails": sorted(decision.named.emails)} if decision.named.emails else {}),
    } == expected
    assert words in (decision.reason.message if decision.reason else "")


def test_there_is_a_recorded_answer_for_every_documented_status() -> None:
    documented = {200, 202, 400, 401, 403, 404, 405, 406, 413, 429, 451, 500, 503}
    assert documented <= {int(file.stem[:3]) for file in RECORDED}


# --- waits --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("silence", NoResponse)
def test_silence_is_tried_again(silence: NoResponse) -> None:
    assert decided(silence).action is Action.WAIT


@given(attempt=attempts, jitter=jitters)
def test_a_backoff_lies_between_a_second_and_the_cap(attempt: int, jitter: float) -> None:
    assert 1 <= backoff(attempt, jitter) <= BACKOFF_CAP


def test_the_backoff_doubles_from_try_to_try() -> None:
    longest = [backoff(attempt, 1.0) for attempt in range(1, 10)]
    assert longest == [BACKOFF_BASE * 2**n for n in range(8)] + [BACKOFF_CAP]


@given(
    seconds=whole_waits, status=st.sampled_from([408, 429, 500, 502, 503, 504]), attempt=attempts, jitter=jitters
)
def test_no_wait_is_shorter_than_retry_after_asks(seconds: int, status: int, attempt: int, jitter: float) -> None:
    decision = decided(an_answer(status, retry_after=seconds), attempt=attempt, jitter=jitter)
    assert min(seconds, QUEUE_DELAY_MAX) <= decision.wait <= QUEUE_DELAY_MAX


@given(seconds=whole_waits)
def test_no_wait_is_shorter_than_a_block_asks(seconds: int) -> None:
    answer = an_answer(403, {"errors": [{"message": BLOCKED}]}, retry_after=seconds)
    assert min(seconds, QUEUE_DELAY_MAX) <= decided(answer).wait <= QUEUE_DELAY_MAX


@given(seconds=whole_waits)
def test_retry_after_may_be_a_date(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert asked_wait({"retry-after": date}, NOW) == min(seconds, QUEUE_DELAY_MAX)


@pytest.mark.parametrize("form", ["Mon, 02 Mar 2026 06:40:00 -0000", "Mon, 02 Mar 2026 08:40:00 +0200"])
def test_a_date_may_have_any_zone(form: str) -> None:
    assert asked_wait({"retry-after": form}, NOW) == 600


def test_a_date_in_the_past_asks_for_nothing() -> None:
    assert asked_wait({"retry-after": "Mon, 02 Mar 2026 06:00:00 GMT"}, NOW) == 0


@given(now=moments, seconds=st.integers(min_value=0, max_value=86_400))
def test_the_rate_limit_may_reset_at_a_unix_time(now: datetime, seconds: int) -> None:
    reset = int(now.timestamp()) + seconds
    assert asked_wait({"x-ratelimit-reset": str(reset)}, now) == pytest.approx(max(reset - now.timestamp(), 0))


@given(now=moments, seconds=whole_waits)
def test_the_rate_limit_may_reset_in_seconds(now: datetime, seconds: int) -> None:
    assert rate_limit_reset({"x-ratelimit-reset": str(seconds)}, now) == seconds


def test_a_rate_limit_that_has_reset_asks_for_nothing() -> None:
    assert rate_limit_reset({"x-ratelimit-reset": str(NOW.timestamp() - 60)}, NOW) == 0


@given(retry_after=st.integers(0, 600), reset=st.integers(0, 600))
def test_the_longer_of_two_asked_waits_counts(retry_after: int, reset: int) -> None:
    headers = {"retry-after": str(retry_after), "x-ratelimit-reset": str(reset)}
    assert asked_wait(headers, NOW) == max(retry_after, reset)


@pytest.mark.parametrize("header", ["retry-after", "x-ratelimit-reset"])
def test_a_wait_may_be_a_fraction_of_a_second(header: str) -> None:
    assert asked_wait({header: "0.5"}, NOW) == 0.5


@pytest.mark.parametrize("header", ["retry-after", "x-ratelimit-reset"])
@pytest.mark.parametrize("value", ["nan", "inf", "-5"])
def test_a_senseless_number_asks_for_nothing(header: str, value: str) -> None:
    assert asked_wait({header: value}, NOW) == 0


def test_no_header_asks_for_nothing() -> None:
    assert asked_wait({}, NOW) == 0


@given(retry_after=st.text() | st.floats().map(str), reset=st.text() | st.floats().map(str))
def test_garbage_in_the_headers_never_makes_a_wait_senseless(retry_after: str, reset: str) -> None:
    wait = decided(an_answer(429, retry_after=retry_after, x_ratelimit_reset=reset)).wait
    assert 1 <= wait <= QUEUE_DELAY_MAX


@pytest.mark.parametrize(
    "value",
    [
        "nan",
        "inf",
        "-5",
        "1e400",
        "soon",
        "Mon, 99 Foo 2026",
        "Mon, 02 Mar 2026 06:40:00 +999999999999",
        "9" * 5000,
    ],
)
def test_an_unreadable_retry_after_leaves_the_backoff(value: str) -> None:
    assert decided(an_answer(503, retry_after=value)).wait == backoff(1, 0.0)


# --- blocks and keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["Temporary block", "too many bad requests"])
def test_half_of_the_words_tell_a_temporary_block(words: str) -> None:
    assert decided(an_error(words, 403)).action is Action.WAIT


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 451])
def test_a_refusal_asks_for_no_wait_whatever_its_headers_say(status: int) -> None:
    assert decided(an_answer(status, retry_after=90)).wait == 0


@given(attempt=st.integers(min_value=1, max_value=BLOCK_TRIES - 1))
def test_a_temporary_block_is_waited_out(attempt: int) -> None:
    assert decided(an_error(BLOCKED, 403), attempt=attempt).action is Action.WAIT


@pytest.mark.parametrize("attempt", [BLOCK_TRIES, BLOCK_TRIES + 1])
def test_a_block_that_does_not_end_ends_the_run(attempt: int) -> None:
    assert decided(an_error(BLOCKED, 403), attempt=attempt).action is Action.END_RUN


# --- whatever comes -----------------------------------------------------------------------------------------


@given(status=st.integers(100, 599), body=st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_every_answer_gets_a_decision(status: int, body: bytes) -> None:
    decision = decided(an_answer(status, body))
    assert (decision.reason is None) == (decision.action in {Action.ACCEPT, Action.WAIT})


def test_a_lone_surrogate_in_the_message_is_survived() -> None:
    answer = an_answer(400, b'{"errors": [{"message": "bad \\ud800 name"}]}')
    assert decided(answer).action is Action.SPLIT


@given(address=st.emails(), status=st.sampled_from([400, 401, 403, 404, 413, 451, 422]))
def test_no_reason_quotes_an_address(address: str, status: int) -> None:
    reason = decided(an_error(f"email '{address}' is not valid", status)).reason
    assert reason is not None
    assert address not in reason.message
