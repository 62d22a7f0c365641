"""Plays scenarios on several local clouds at once, since most of the time is spent waiting."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.cloud import LocalCloud
from local.faults import (
    arrival_scenarios,
    export_scenarios,
    host_scenarios,
    list_ready_scenarios,
    load_scenarios,
    notify_scenarios,
    platform_scenarios,
    sendgrid_scenarios,
    upgrade_scenarios,
)
from local.faults.options import Options
from local.faults.scenario import Scenario, Tally
from local.faults.worker import Worker

LANES: Final = 3


@dataclass(frozen=True, kw_only=True)
class Played:
    """A scenario and what came of it."""

    scenario: Scenario
    tally: Tally
    seconds: float = 0


def list_scenarios(options: Options) -> list[Scenario]:
    """List the scenarios that are wanted, in the order of the table."""
    known = [
        *sendgrid_scenarios.scenarios(),
        *platform_scenarios.scenarios(kills=options.kills),
        *host_scenarios.scenarios(),
        *upgrade_scenarios.scenarios(),
        *arrival_scenarios.scenarios(),
        *notify_scenarios.scenarios(),
        *list_ready_scenarios.scenarios(),
        *export_scenarios.scenarios(),
        *load_scenarios.scenarios(),
    ]
    return [scenario for scenario in known if options.wants(scenario.name)]


class Suite:
    """Scenarios to play until a moment on the monotonic clock."""

    def __init__(
        self,
        scenarios: Sequence[Scenario],
        *,
        seed: int,
        until: float,
        directory: Path,
        tell: Callable[[Played], None],
    ) -> None:
        """Tell of each scenario when it is over."""
        self._scenarios = scenarios
        self._waiting = sorted(scenarios, key=lambda scenario: scenario.seconds)
        self._seed = seed
        self._until = until
        self._directory = directory
        self._tell = tell
        self._played: dict[str, Played] = {}

    def play(self) -> list[Played]:
        """Play all, in lanes; what is not over in time counts as unfinished."""
        lanes = [
            threading.Thread(target=self._work, args=(number,), name=f"worker-{number}", daemon=True)
            for number in range(min(LANES, len(self._scenarios)))
        ]
        for worker in lanes:
            worker.start()
        for worker in lanes:
            worker.join(max(self._until - time.monotonic(), 0))
        played = dict(self._played)
        return [played.get(scenario.name) or _not_over(scenario) for scenario in self._scenarios]

    def _work(self, number: int) -> None:
        directory = self._directory / f"cloud-{number}"
        with (
            LocalCloud(directory) as cloud,
            Worker(cloud, directory, seed=self._seed, until=self._until) as worker,
        ):
            while self._waiting and time.monotonic() < self._until:
                self._play_next(worker)

    def _play_next(self, worker: Worker) -> None:
        try:
            scenario = self._waiting.pop()
        except IndexError:
            return  # another worker took the last one
        began = time.monotonic()
        tally = worker.play(scenario)
        played = Played(scenario=scenario, tally=tally, seconds=time.monotonic() - began)
        self._played[scenario.name] = played
        self._tell(played)


def _not_over(scenario: Scenario) -> Played:
    tally = Tally(runs=1, problems=["it was not over when the suite's time was, or its local cloud did not start"])
    return Played(scenario=scenario, tally=tally)
