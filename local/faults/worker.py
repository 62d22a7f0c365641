"""A local cloud on which scenarios are played one after the other."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from local.cloud import LocalCloud
from local.faults.app_under_test import AppUnderTest
from local.faults.scenario import Scenario, ScenarioRun, Tally

JOB_DELAY_SECONDS: Final = 0.3


class Worker:
    """Keeps the app up from one scenario to the next, as long as nothing speaks against it."""

    def __init__(self, cloud: LocalCloud, directory: Path, *, seed: int, until: float) -> None:
        """Keep files in `directory`; end every wait at `until`, on the monotonic clock."""
        self._cloud = cloud
        self._directory = directory
        self._seed = seed
        self._until = until
        self._stage: AppUnderTest | None = None
        self._running = ExitStack()

    def __enter__(self) -> Self:
        self._settings = self._cloud.simulator.configure().model_dump(mode="json")
        self._cloud.simulator.configure(job_delay_seconds=JOB_DELAY_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()
        self._cloud.simulator.configure(**self._settings)

    def play(self, scenario: Scenario) -> Tally:
        """Play a scenario; whatever it raises counts as a problem."""
        try:
            played = ScenarioRun(scenario, self._stage_for(scenario), seed=self._seed, until=self._until)
        except Exception as error:  # noqa: BLE001 - the other scenarios are played all the same
            return Tally(wrong=1, problems=[f"the app did not start: {error}"])
        try:
            scenario.play(played)
        except Exception as error:  # noqa: BLE001 - as above
            played.problem(f"{type(error).__name__}: {error}")
        if scenario.own_app or played.tally.failed:
            self._close_stage()
        return played.tally

    def _stage_for(self, scenario: Scenario) -> AppUnderTest:
        app = self._stage
        if app is None or scenario.own_app or app.limits != dict(scenario.limits):
            self._close_stage()
            app = self._running.enter_context(AppUnderTest(self._cloud, self._directory, scenario.limits))
            app.start_host()
            self._stage = app
        return app

    def _close_stage(self) -> None:
        self._running.close()
        self._stage = None
