from hypothesis import given, settings
from hypothesis import strategies as st

from local.functions_host.polling import MINIMUM_SECONDS, Backoff


@settings(deadline=None)
@given(st.floats(MINIMUM_SECONDS, 60))
def test_delays_lie_between_100_ms_and_the_maximum(maximum: float) -> None:
    backoff = Backoff(maximum)
    assert all(MINIMUM_SECONDS <= backoff.next_delay() <= maximum for _ in range(30))


def test_delays_grow_to_the_maximum() -> None:
    backoff = Backoff(60)
    delays = [backoff.next_delay() for _ in range(15)]
    assert delays == sorted(delays)
    assert delays[-1] == 60


def test_after_a_message_the_next_delay_is_the_shortest() -> None:
    backoff = Backoff(60)
    for _ in range(15):
        backoff.next_delay()
    backoff.reset()
    assert backoff.next_delay() == MINIMUM_SECONDS
