"""Exports that wait for their extracts, and extracts that arrive."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared.model.definitions import OnArrival, SourceOptions
from shared.model.runs import Trigger
from tests.support.events import tell
from tests.support.in_memory_app import InMemoryApp, people

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.model.runs import Run

SETTLE = timedelta(minutes=2)
SETTLING = SourceOptions(settle=SETTLE)
ARRIVAL = {"kind": "arrival"}
DAY = timedelta(days=1)


def an_app(**changes: Any) -> InMemoryApp:  # noqa: ANN401 - an export's fields
    """An export that waits for its extract, of which there is none yet."""
    app = InMemoryApp()
    app.save(**{"schedule": OnArrival(kind="arrival"), "source": SETTLING} | changes)
    app.clock.now += timedelta(minutes=5)
    return app


def deliver(app: InMemoryApp, number: int = 3, *, segment: str = "Customers", told_times: int = 1) -> str:
    """Deliver an extract of so many people, and put events about it on the queue; its name."""
    before = set(names(app))
    app.deliver_extract(people(number), segment=segment)
    (name,) = set(names(app)) - before
    if told_times:
        tell(app, name, times=told_times)
    return name


def names(app: InMemoryApp) -> Iterator[str]:
    return (item.name for item in app.extracts.list_blobs())


def arrivals(app: InMemoryApp, export: str = "newsletter") -> list[Run]:
    runs = app.runs(export)
    assert all(run.trigger is Trigger.ARRIVAL for run in runs)
    return runs


def the_run(app: InMemoryApp, export: str = "newsletter") -> Run:
    (run,) = arrivals(app, export)
    return run


def looked_once(**changes: Any) -> InMemoryApp:  # noqa: ANN401 - an export's fields
    """An export that was looked at before anything came."""
    app = an_app(**changes)
    app.tick()
    app.work()
    return app


def half_delivered(app: InMemoryApp, day: int = 2) -> None:
    name = f"Customers/2026/03/{day:02}/0900/Customers-00000-of-00002.csv"
    app.extracts.upsert(name, b"EMail,FirstName\nann@example.com,Ann\n")
    tell(app, name)


def other_half(app: InMemoryApp, day: int = 2) -> None:
    name = f"Customers/2026/03/{day:02}/0900/Customers-00001-of-00002.csv"
    app.extracts.upsert(name, b"EMail,FirstName\nbo@example.com,Bo\n")
    tell(app, name)
