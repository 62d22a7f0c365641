"""One scenario being played: what it did, what it injected, and what came of it."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from local.export_api import ApiError, Run
from local.extracts.people import People
from local.faults.app_under_test import LOOK_SECONDS, AppUnderTest, SavedExport
from local.faults.scale import Limits
from local.faults.verdict import EVERYBODY, Evidence, Expected, judge
from local.sendgrid_simulator.control import Fault

RUN_SECONDS: Final = 90.0
"""A run that is not over by then counts as unfinished."""
STRIKE_LOOK_SECONDS: Final = 0.1
MANY_ROWS: Final = 240
"""Five chunks."""
SOME_ROWS: Final = 120
"""Three chunks."""
FEW_ROWS: Final = 20
"""One chunk."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A fault, and a way to meet it."""

    name: str
    """One of a kind; SCENARIOS=… takes it, or its beginning."""
    fault: str
    """What the table calls it; scenarios of one fault share a line."""
    play: "Callable[[ScenarioRun], None]"
    limits: Limits = field(default_factory=dict)
    """Limits that this scenario needs shorter than the others do."""
    seconds: float = 15.0
    """How long it takes, roughly: long ones are begun first."""
    own_app: bool = False
    """Whether it leaves its app in a state that is no use to others, or needs a fresh one."""


@dataclass(kw_only=True)
class Tally:
    """What a scenario has done and found."""

    injected: int = 0
    kills: int = 0
    runs: int = 0
    finished: int = 0
    lost: int = 0
    wrong: int = 0
    problems: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)
    """What is worth telling though nothing is wrong."""

    @property
    def unfinished(self) -> int:
        """Runs that never came to an end."""
        return self.runs - self.finished

    @property
    def failed(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.lost or self.wrong or self.unfinished)

    def add(self, other: "Tally") -> None:
        """Add what another scenario has done and found."""
        for name in ("injected", "kills", "runs", "finished", "lost", "wrong"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.problems += other.problems
        self.figures += other.figures


class ScenarioRun:
    """What a scenario plays with; everything it chooses follows from `seed` and its name."""

    def __init__(self, scenario: Scenario, app: AppUnderTest, *, seed: int, until: float) -> None:
        """End every wait at `until`, on the monotonic clock."""
        self.app = app
        self.cloud = app.cloud
        self.simulator = app.cloud.simulator
        self.random = random.Random(f"{seed} {scenario.name}")
        self.tally = Tally()
        self._until = until
        self.upserts_before = self.simulator.counts().requests.get("PUT /v3/marketing/contacts 202", 0)

    @cached_property
    def connection(self) -> str:
        """The connection that the scenario's exports share."""
        return self.app.connection()

    # --- what a scenario does -------------------------------------------------------------------------------

    def export(
        self, rows: int = MANY_ROWS, *, schedule: str = "off", connection: str = "", **wishes: object
    ) -> SavedExport:
        """Save an export of made-up people."""
        people = People(rows=rows, seed=self.random.randrange(1 << 30))
        return self.app.export(people, connection=connection or self.connection, schedule=schedule, **wishes)

    @contextmanager
    def faults(self, *faults: Fault, all_strike: bool = True) -> Iterator[None]:
        """Let SendGrid fail like this within the block, and count how often it did."""
        struck = len(self.simulator.injected())
        self.simulator.inject(*faults)
        try:
            yield
        finally:
            self.simulator.clear_faults()
            struck = len(self.simulator.injected()) - struck
            self.tally.injected += struck
        if all_strike and struck < sum(fault.times or 1 for fault in faults):
            self.problem(f"only {struck} faults struck")

    def await_strike(self) -> None:
        """Wait until a fault strikes that is in force."""
        struck = len(self.simulator.injected())
        while len(self.simulator.injected()) == struck and time.monotonic() < self._until:
            time.sleep(STRIKE_LOOK_SECONDS)

    def await_scheduled_run(self, export: SavedExport) -> Run | None:
        """Wait for the run that a timer starts; None, and a run that never ended, when there is none."""
        until = min(self._until, time.monotonic() + RUN_SECONDS)
        while time.monotonic() < until:
            if runs := self.app.list_runs(export):
                return runs[0]
            time.sleep(LOOK_SECONDS)
        self.tally.runs += 1
        self.tally.problems.append(f"no run of {export.id} was started")
        return None

    def await_that[T](self, look: Callable[[], T | None], what: str, *, seconds: float = RUN_SECONDS) -> T | None:
        """Wait until a look finds something, also while the host is away; it is a problem when none does."""
        until = min(self._until, time.monotonic() + seconds)
        while time.monotonic() < until:
            with suppress(ApiError):
                if found := look():
                    return found
            time.sleep(LOOK_SECONDS)
        self.problem(f"{what}: not in {seconds:.0f} s")
        return None

    def finish(self, export: SavedExport, run: Run, expected: Expected = EVERYBODY) -> Run | None:
        """Wait for a run to end and hold it against what must come of it."""
        self.tally.runs += 1
        ended = self.app.wait(run, until=min(self._until, time.monotonic() + RUN_SECONDS))
        if ended is None:
            self.tally.problems.append(f"the run {run.export}/{run.id} did not end")
            return None
        self.tally.finished += 1
        verdict = judge(self._evidence(export, ended), expected)
        self.tally.lost += verdict.lost
        self.tally.wrong += verdict.wrong
        self.tally.problems += [f"{run.export}/{run.id}: {problem}" for problem in verdict.problems]
        return ended

    def finish_guilty(self, export: SavedExport, run: Run, expected: Expected) -> None:
        """Wait for the end of a run that must fail; whoever it had sent until then stays on the list."""
        self.tally.runs += 1
        ended = self.app.wait(run, until=min(self._until, time.monotonic() + RUN_SECONDS))
        if ended is None:
            self.tally.problems.append(f"the run {run.export}/{run.id} did not end")
            return
        self.tally.finished += 1
        code = ended.reason.code if ended.reason else "none"
        if (ended.status, code) != (expected.status, expected.code):
            self.problem(f"{run.export} ended as {ended.status} ({code})")
        counts = ended.counts
        if counts.rows_read not in {0, export.people.expectation().rows}:
            self.problem(f"{run.export} tells of {counts.rows_read} rows")
        if counts.sent > len(self.simulator.list_emails(export.list_id)):
            self.problem(f"{run.export} tells of {counts.sent} contacts that are not on the list")

    def problem(self, text: str) -> None:
        """Note something that is wrong and is not about contacts that are lost."""
        self.tally.wrong += 1
        self.tally.problems.append(text)

    def choose_emails(self, export: SavedExport, number: int) -> frozenset[str]:
        """Choose some of those who are to get onto the list."""
        return frozenset(self.random.sample(sorted(export.people.emails()), number))

    # --- hosts ----------------------------------------------------------------------------------------------

    def kill(self, *, after: float) -> None:
        """Kill the app `after` seconds from now and start it again."""
        time.sleep(after)
        self.tally.kills += len(self.app.hosts)
        self.app.kill_hosts()
        self.app.start_host()

    def _evidence(self, export: SavedExport, run: Run) -> Evidence:
        is_whole = run.status == "succeeded"
        return Evidence(
            run=run,
            extract=export.people.expectation(),
            emails=frozenset(export.people.emails()),
            on_list=self.simulator.list_emails(export.list_id),
            chunks=[] if is_whole else self.app.chunks_by_status(run),
        )
