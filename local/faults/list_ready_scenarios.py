"""SendGrid's count of a list lags, changes or is not told while the app waits for it, and the app dies."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from local.export_api import Run
from local.faults.app_under_test import SavedExport
from local.faults.scale import SCALED, Limits
from local.faults.scenario import SOME_ROWS, Scenario, ScenarioRun
from local.faults.sendgrid_scenarios import COUNT
from local.faults.worker import JOB_DELAY_SECONDS
from local.sendgrid_simulator.control import Fault
from local.sendgrid_simulator.faults import FaultKind

PATIENT: Final[Limits] = {"LIST_COUNT_LAG": 90.0}
BOUND: Final = 8.0
IMPATIENT: Final[Limits] = {"LIST_COUNT_LAG": BOUND}
LAG_SECONDS: Final = 8.0
FOR_EVER: Final = 10_000.0
BY_OTHERS: Final = 8
"""People whom somebody else puts on the list, one after the other."""
OTHERS_SECONDS: Final = 0.5
SLOW_SECONDS: Final = 3.0
"""Longer than the scaled deadline of a request."""
MARGIN: Final = 20.0
"""Seconds that a slow machine may take longer."""
FAULTS: Final = (
    Fault(kind=FaultKind.ANSWER, method="GET", path=COUNT, status=429, retry_after_seconds=1, times=2),
    Fault(kind=FaultKind.ANSWER, method="GET", path=COUNT, status=503),
    Fault(kind=FaultKind.SLOW, method="GET", path=COUNT, delay_seconds=SLOW_SECONDS),
    Fault(kind=FaultKind.RESET_BEFORE_BODY, method="GET", path=COUNT),
)


def scenarios() -> Iterator[Scenario]:
    """Ready late, and never."""
    yield Scenario(
        name="list-ready",
        fault="count lags, is refused; killed",
        play=_ready,
        limits=PATIENT,
        seconds=70,
        own_app=True,
    )
    yield Scenario(
        name="list-never", fault="count never comes", play=_never, limits=IMPATIENT, seconds=40, own_app=True
    )


def _ready(played: ScenarioRun) -> None:
    """A list is never ready before SendGrid counts on it what the run has brought, and nobody changes it."""
    export = played.export(SOME_ROWS)
    with _lag(played, LAG_SECONDS):
        run = played.app.start(export)
        played.finish(export, run)
        with played.faults(*FAULTS):
            played.kill(after=played.random.uniform(0.5, 2.0))
            looked = _await_look(played, run)
    _require_ready(played, export, looked, not_before=_counted_at(played, run, LAG_SECONDS))

    export = played.export(SOME_ROWS)
    run = played.app.start(export)
    played.finish(export, run)
    changed_at = _change_by_hand(played, export)
    looked = _await_look(played, run)
    _require_ready(played, export, looked, not_before=changed_at + timedelta(seconds=JOB_DELAY_SECONDS))


def _change_by_hand(played: ScenarioRun, export: SavedExport) -> datetime:
    """Let somebody else put people on the list, one after the other; when the last one was."""
    *others, last = (f"other{number}@example.com" for number in range(BY_OTHERS))
    for email in others:
        played.simulator.add_to_list(export.list_id, email)
        time.sleep(OTHERS_SECONDS)
    played.tally.injected += BY_OTHERS
    changed_at = datetime.now(UTC)
    played.simulator.add_to_list(export.list_id, last)
    return changed_at


def _never(played: ScenarioRun) -> None:
    """A count that never comes ends the looks; nobody is told that the list is ready."""
    export = played.export(SOME_ROWS)
    with _lag(played, FOR_EVER):
        run = played.app.start(export)
        ended = played.finish(export, run)
        looked = _await_look(played, run)
    told = looked.get("list_ready"), looked.get("list_ready_at")
    why = (looked.get("list_not_confirmed") or {}).get("code")
    if told != ("not_confirmed", None) or why != "fewer_than_expected":
        played.problem(f"{export.id}: the list that is not counted is {told}, {why}")
    took = (datetime.now(UTC) - ended.finished_at).total_seconds() if ended and ended.finished_at else 0.0
    if not BOUND <= took <= BOUND + MARGIN:
        played.problem(f"{export.id}: the looks ended after {took:.0f} s, and not after {BOUND:.0f}")


@contextmanager
def _lag(played: ScenarioRun, seconds: float) -> Iterator[None]:
    """Let SendGrid count what was there so long ago."""
    played.simulator.configure(count_lag_seconds=seconds)
    played.tally.injected += 1
    try:
        yield
    finally:
        played.simulator.configure(count_lag_seconds=0)


def _await_look(played: ScenarioRun, run: Run) -> dict[str, Any]:
    """The run once the look after its list is over."""

    def look() -> dict[str, Any] | None:
        found = played.app.get(run.path)
        return found if found["list_ready"] != "looking" else None

    return played.await_that(look, f"{run.export}: the look after the list ends") or {}


def _counted_at(played: ScenarioRun, run: Run, lag: float) -> datetime:
    """When SendGrid began to count all that the run has brought."""
    return max(played.app.accepted_at(run)) + timedelta(seconds=JOB_DELAY_SECONDS + lag)


def _require_ready(
    played: ScenarioRun, export: SavedExport, looked: dict[str, Any], *, not_before: datetime
) -> None:
    """Tell if the list was never ready, or was said to be before the count was true and had been steady."""
    if looked.get("list_ready") != "ready":
        played.problem(f"{export.id}: the list is {looked.get('list_ready')}: {looked.get('list_not_confirmed')}")
        return
    early = not_before + timedelta(seconds=SCALED["LIST_STEADY"]) - datetime.fromisoformat(looked["list_ready_at"])
    if early > timedelta():
        played.problem(f"{export.id}: the list was said to be ready {early.total_seconds():.1f} s before it was")
    if looked["list_count_settled"] != (on_list := len(played.simulator.list_emails(export.list_id))):
        played.problem(f"{export.id}: {looked['list_count_settled']} were counted, and {on_list} are on the list")
