from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.errors import TooManyRequestsError
from shared.limits import PREVIEWS_AT_ONCE, PREVIEWS_OF_A_CALLER
from shared.runs.preview_gate import PreviewGate


def let_in(gate: PreviewGate, stack: contextlib.ExitStack, caller: str) -> bool:
    try:
        stack.enter_context(gate.entered(caller))
    except TooManyRequestsError as error:
        return error.retry_after <= 0
    return True


def test_a_caller_gets_some_and_leaves_room_for_others() -> None:
    gate = PreviewGate()
    with contextlib.ExitStack() as stack:
        assert [let_in(gate, stack, "bob") for _ in range(20)].count(True) == PREVIEWS_OF_A_CALLER
        assert let_in(gate, stack, "ada")


def test_many_callers_get_no_more_than_there_is() -> None:
    gate = PreviewGate()
    with contextlib.ExitStack() as stack:
        assert [let_in(gate, stack, f"caller {n}") for n in range(20)].count(True) == PREVIEWS_AT_ONCE


def test_whoever_leaves_makes_room() -> None:
    gate = PreviewGate()
    for _ in range(3 * PREVIEWS_OF_A_CALLER):
        with contextlib.suppress(ZeroDivisionError), gate.entered("bob"):
            raise ZeroDivisionError


def test_who_is_refused_takes_no_room() -> None:
    gate = PreviewGate()
    for _ in range(3):
        with contextlib.ExitStack() as stack:
            assert [let_in(gate, stack, "bob") for _ in range(5)].count(True) == PREVIEWS_OF_A_CALLER


def test_nobody_waits_at_the_gate() -> None:
    gate, going_on = PreviewGate(), threading.Event()

    def preview(caller: str) -> bool:
        try:
            with gate.entered(caller):
                return going_on.wait(5)
        except TooManyRequestsError:
            return False

    with ThreadPoolExecutor(20) as pool:
        before = time.monotonic()
        asked = [pool.submit(preview, f"caller {number}") for number in range(20)]
        refused = 20 - PREVIEWS_AT_ONCE
        while sum(each.done() for each in asked) < refused and time.monotonic() < before + 1:
            time.sleep(0.01)
        assert sum(each.done() for each in asked) == refused
        going_on.set()
    assert [each.result() for each in asked].count(True) == PREVIEWS_AT_ONCE


@pytest.mark.parametrize("caller", ["bob", "ada"])
def test_a_refusal_says_what_to_do(caller: str) -> None:
    gate = PreviewGate()
    with contextlib.ExitStack() as stack:
        while let_in(gate, stack, "bob"):
            pass
        while caller == "ada" and let_in(gate, stack, f"somebody {time.monotonic_ns()}"):
            pass
        with pytest.raises(TooManyRequestsError, match=r"wait for one|ask again"), gate.entered(caller):
            pass
