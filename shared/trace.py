"""The trace that what is done belongs to: one of each run, carried by its messages and told in every line.

https://www.w3.org/TR/trace-context/. The Functions worker does not put an invocation's context into the process,
and a queue message starts an operation of its own; so both are told: the trace of the run, and the invocation's.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-[0-9a-f]{2}")
NOTHING: Final = {"0" * 32, "0" * 16}
"""Ids that stand for none."""


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Where in a trace something is done."""

    trace_id: str
    span_id: str

    @property
    def traceparent(self) -> str:
        """As a header or a message carries it."""
        return f"00-{self.trace_id}-{self.span_id}-01"


@dataclass(frozen=True, kw_only=True)
class _Place:
    trace: Trace
    operation_id: str | None
    """The trace of the invocation, where it is another one."""


_here: ContextVar[_Place | None] = ContextVar("trace", default=None)


def parse(traceparent: str | None) -> Trace | None:
    """What a traceparent says; None where there is none that can be read."""
    found = TRACEPARENT.fullmatch(traceparent or "")
    if found is None or {found["trace"], found["span"]} & NOTHING:
        return None
    return Trace(trace_id=found["trace"], span_id=found["span"])


def begin() -> Trace:
    """A trace that nothing belongs to yet."""
    return Trace(trace_id=secrets.token_hex(16), span_id=secrets.token_hex(8))


def current() -> Trace | None:
    """The trace of what is done now; None outside of a function."""
    place = _here.get()
    return place.trace if place else None


def operation_id() -> str | None:
    """The trace of the invocation itself, as the platform's telemetry has it, where it is another one."""
    place = _here.get()
    return place.operation_id if place else None


@contextlib.contextmanager
def entered(invocation: str | None, carried: str | None = None) -> Iterator[None]:
    """Held while a function works; `invocation` is its own traceparent, `carried` that of its message."""
    own, brought = parse(invocation) or begin(), parse(carried)
    trace = Trace(trace_id=brought.trace_id, span_id=own.span_id) if brought else own
    with _at(_Place(trace=trace, operation_id=own.trace_id if trace.trace_id != own.trace_id else None)):
        yield


@contextlib.contextmanager
def following(trace_id: str | None) -> Iterator[None]:
    """Held while something is done for a run of that trace; without one, what is done belongs where it did."""
    place = _here.get()
    before = place.trace if place else begin()
    if trace_id is None or before.trace_id == trace_id:
        yield
        return
    operation = (place.operation_id or before.trace_id) if place else None
    with _at(_Place(trace=Trace(trace_id=trace_id, span_id=before.span_id), operation_id=operation)):
        yield


@contextlib.contextmanager
def _at(place: _Place) -> Iterator[None]:
    token = _here.set(place)
    try:
        yield
    finally:
        _here.reset(token)
