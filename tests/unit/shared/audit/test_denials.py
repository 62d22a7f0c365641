from __future__ import annotations

from datetime import timedelta

from shared.audit.denials import Denials
from tests.support.audited import a_caller, a_request
from tests.support.factories import NOW

MINUTE = timedelta(minutes=1)


def counts(denials: Denials, now: timedelta) -> list[int]:
    return [denied.count for denied in denials.take_due(NOW + now)]


def test_the_first_is_told_at_once_and_the_others_are_counted() -> None:
    denials = Denials()
    told = [denials.add(a_request(), 403, NOW + timedelta(seconds=second)) for second in range(50)]
    assert told == [True] + [False] * 49
    assert counts(denials, MINUTE - timedelta(seconds=1)) == []
    assert counts(denials, MINUTE) == [49]
    assert counts(denials, MINUTE) == []


def test_one_that_goes_on_is_told_once_a_minute() -> None:
    denials = Denials()
    tellings = 0
    for second in range(600):
        now = timedelta(seconds=second)
        tellings += denials.add(a_request(), 403, NOW + now) + len(counts(denials, now))
    assert tellings == 10


def test_one_that_comes_back_later_is_told_at_once_again() -> None:
    denials = Denials()
    denials.add(a_request(), 403, NOW)
    assert counts(denials, MINUTE) == []
    assert denials.add(a_request(), 403, NOW + MINUTE)


def test_callers_and_operations_are_counted_apart() -> None:
    denials = Denials()
    assert denials.add(a_request(), 403, NOW)
    assert denials.add(a_request(caller=a_caller(id="other")), 403, NOW)
    assert denials.add(a_request(operation="Exports.Delete"), 403, NOW)


def test_what_is_told_later_is_of_the_last_request() -> None:
    denials = Denials()
    for export in ("one", "two", "three"):
        denials.add(a_request(export=export), 404, NOW)
    (denied,) = denials.take_due(NOW + MINUTE)
    assert (denied.request.export, denied.status, denied.count) == ("three", 404, 2)


def test_callers_who_stay_away_are_forgotten() -> None:
    denials = Denials()
    for number in range(100):
        denials.add(a_request(caller=a_caller(id=f"key-{number}")), 403, NOW)
        denials.add(a_request(caller=a_caller(id=f"key-{number}")), 403, NOW)
    denials.take_due(NOW + MINUTE)
    denials.take_due(NOW + 2 * MINUTE)
    assert not denials._windows
