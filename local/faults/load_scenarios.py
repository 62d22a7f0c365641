"""A lot at once, or for long."""

import time
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from local.azure.environment import NEVER
from local.cloud import Host
from local.faults.app_under_test import SavedExport
from local.faults.scenario import FEW_ROWS, Scenario, ScenarioRun

REFRESH_EXPORTS: Final = 50
SOAK_RUNS: Final = 100
SOAK_AT_ONCE: Final = 10
WARM_RUNS: Final = 20
"""Runs after which everything that is kept for good has been made."""
GROWTH_KB: Final = 30_000
"""What the process may grow by over the rest of the soak; a leak of 0.5 MB a run would be more."""
GROWTH_HANDLES: Final = 10
RATE_LIMIT: Final = 6
LIMITED_ROWS: Final = 480
"""Nine chunks."""
RATE_WINDOW_SECONDS: Final = 4.0
EVENLY: Final = RATE_WINDOW_SECONDS / (RATE_LIMIT * 0.75)
"""Seconds between two upserts that keep the limit: three quarters of it are spread, a quarter is for bursts."""
PATIENCE_SECONDS: Final = 15.0


def scenarios() -> Iterator[Scenario]:
    """All of them."""
    yield Scenario(name="tight-limit", fault="two exports, tight limit", play=_tight_limit, seconds=30)
    yield Scenario(name="refresh", fault="50 exports in one refresh", play=_refresh, seconds=110, own_app=True)
    yield Scenario(name="soak", fault="soak of 100 runs", play=_soak, seconds=120, own_app=True)


# --- two exports under a tight limit ------------------------------------------------------------------------


def _tight_limit(played: ScenarioRun) -> None:
    """Two exports and two instances share one connection; nobody starves, and SendGrid is not hammered."""
    exports = [played.export(LIMITED_ROWS) for _ in range(2)]
    second = played.app.start_host()
    before = played.simulator.counts().requests
    played.simulator.configure(rate_limit=RATE_LIMIT, rate_window_seconds=RATE_WINDOW_SECONDS)
    try:
        runs = [played.app.start(export) for export in exports]
        for export, run in zip(exports, runs, strict=True):
            played.finish(export, run)
    finally:
        played.simulator.configure(rate_limit=10_000, rate_window_seconds=60)
        played.app.drop_host(second)
    after = played.simulator.counts().requests
    throttled = {key: after[key] - before.get(key, 0) for key in after if key.endswith(" 429")}
    played.tally.injected += 1 + sum(throttled.values())
    moments = [played.app.accepted_at(run) for run in runs]
    _check_fairness(played, moments, throttled.get("PUT /v3/marketing/contacts 429", 0))


def _check_fairness(played: ScenarioRun, moments: list[list[datetime]], throttled: int) -> None:
    together = sorted(moment for each in moments for moment in each)
    if not all(moments):
        return  # told already: a run did not finish
    took = [(each[-1] - together[0]).total_seconds() for each in moments]
    gaps = [max((b - a).total_seconds() for a, b in pairwise([together[0], *each])) for each in moments]
    played.tally.figures.append(
        f"tight limit: {len(together)} upserts, the two exports took {took[0]:.1f} and {took[1]:.1f} s, "
        f"longest gaps {gaps[0]:.1f} and {gaps[1]:.1f} s, {throttled} upserts met 429"
    )
    ideal = len(together) * EVENLY
    if max(took) > 2 * ideal + PATIENCE_SECONDS:
        played.problem(f"an export took {max(took):.1f} s where both together need {ideal:.1f} s")
    if throttled > len(together):
        played.problem(f"{throttled} upserts met 429 for {len(together)} that were accepted")


# --- a refresh ----------------------------------------------------------------------------------------------


def _refresh(played: ScenarioRun) -> None:
    """The environment refreshes, and fifty exports are due at the same minute."""
    played.app.kill_hosts()
    played.app.start_host(SCHEDULE_TICK=NEVER, REFRESH_SCHEDULE="* * * * *")
    played.app.tick("refresh_exports")  # notes the time
    first = played.export(FEW_ROWS, schedule="refresh")
    exports = [first, *(played.app.export_again(first, schedule="refresh") for _ in range(REFRESH_EXPORTS - 1))]
    time.sleep(61 - time.time() % 60)
    played.app.tick("refresh_exports")
    for export in exports:
        run = played.await_scheduled_run(export)
        if run is not None:
            played.finish(export, run)
    played.tally.injected += 1


# --- a soak -------------------------------------------------------------------------------------------------


def _soak(played: ScenarioRun) -> None:
    """A hundred runs, a few at a time; memory and handles of the host stay where they are."""
    first = played.export(FEW_ROWS)
    exports = [first, *(played.app.export_again(first) for _ in range(SOAK_AT_ONCE - 1))]
    _run_all(played, exports, WARM_RUNS // SOAK_AT_ONCE)
    pid = process_of(played.app.hosts[0])
    before = measure(pid)
    _run_all(played, exports, (SOAK_RUNS - WARM_RUNS) // SOAK_AT_ONCE)
    after = measure(pid)
    played.tally.figures.append(
        f"soak: memory {before[0] / 1000:.0f} → {after[0] / 1000:.0f} MB, handles {before[1]} → {after[1]} "
        f"over {SOAK_RUNS - WARM_RUNS} runs after {WARM_RUNS} to warm up"
    )
    if after[0] - before[0] > GROWTH_KB:
        played.problem(f"the host grew by {(after[0] - before[0]) / 1000:.0f} MB")
    if after[1] - before[1] > GROWTH_HANDLES:
        played.problem(f"the host holds {after[1] - before[1]} more handles")


def _run_all(played: ScenarioRun, exports: list[SavedExport], rounds: int) -> None:
    for _ in range(rounds):
        runs = [played.app.start(export, force=True) for export in exports]
        for export, run in zip(exports, runs, strict=True):
            played.finish(export, run)


def process_of(host: Host) -> int:
    """Find the worker of a host, which is started by the process with its key on the command line; Linux only."""
    mark = host.function_key.encode()
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark in line.read_bytes():
                pid = line.parent.name
                return int(line.with_name("task").joinpath(pid, "children").read_text("ascii").split()[0])
        except OSError:
            continue  # gone meanwhile, or somebody else's
    raise LookupError("The host has no process.")


def measure(pid: int) -> tuple[int, int]:
    """Memory in use, in kB, and open handles."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    memory = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(memory.split()[1]), sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
