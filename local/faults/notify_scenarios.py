"""A notification target refuses, is slow or never answers, and the app dies while one is being told."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from local.export_api import Run
from local.faults.app_under_test import SavedExport
from local.faults.scale import Limits
from local.faults.scenario import FEW_ROWS, Scenario, ScenarioRun

NOTIFY_SECONDS: Final = 1.5
LIMITS: Final[Limits] = {
    "NOTIFY_SECONDS": NOTIFY_SECONDS,
    "NOTIFY_WAITS": (1.0, 1.0, 2.0),
    "NOTIFY_CLAIM": 5.0,
    "NOTIFY_TURN": 1.0,
    "NOTIFY_DEADLINE": 120.0,
}
GIVEN_UP: Final[Limits] = {**LIMITS, "NOTIFY_DEADLINE": 5.0}
REFUSALS: Final = (429, 500, 502, 503)
TAKEN: Final = 204
TOO_SLOW: Final = NOTIFY_SECONDS * 2
IN_HAND: Final = NOTIFY_SECONDS * 2 / 3
"""Seconds in which the target has the message and the app waits for its answer."""
HELD_TRIES: Final = 2


def scenarios() -> Iterator[Scenario]:
    """Told late, and told never."""
    yield Scenario(
        name="notify",
        fault="target refuses, is slow; killed",
        play=_notify,
        limits=LIMITS,
        seconds=60,
        own_app=True,
    )
    yield Scenario(
        name="notify-lost", fault="target never takes it", play=_lost, limits=GIVEN_UP, seconds=40, own_app=True
    )


def _notify(played: ScenarioRun) -> None:
    """Each run ends as ever, and its end is told, once or under the same id."""
    refused, slow, killed, plain = exports = [played.export(FEW_ROWS) for _ in range(4)]
    with _target(played, exports) as target:
        runs = [target.refuse(refused, played.random.choice(REFUSALS))]
        target.answer(TAKEN)
        target.await_taken(runs[0])
        runs += [target.hold(slow, TOO_SLOW), target.hold(killed, IN_HAND)]
        played.kill(after=0)
        target.answer(TAKEN)
        runs.append(target.run(plain))
        for run in runs:
            target.await_taken(run)
        target.require_once(runs[0])
        target.require_once(runs[-1])
        target.require_same_id()
        told = played.app.get(target.path)
        if told["last_lost"] is not None:
            played.problem(f"a notification was given up: {told['last_lost']}")


def _lost(played: ScenarioRun) -> None:
    """What no try brings is given up when its day is over, and said; what comes later is told."""
    first, second = exports = [played.export(FEW_ROWS) for _ in range(2)]
    with _target(played, exports) as target:
        run = target.refuse(first, 500)
        lost = played.await_that(lambda: played.app.get(target.path)["last_lost"], "the notification is given up")
        if lost is not None and (lost["status"], lost["code"]) != (500, "refused"):
            played.problem(f"it was given up as {lost}")
        tries = len(target.arrived(run))
        target.answer(TAKEN)
        target.await_taken(target.run(second))
        if len(target.arrived(run)) != tries:
            played.problem("what was given up was told all the same")


@contextmanager
def _target(played: ScenarioRun, exports: list[SavedExport]) -> Iterator["_Target"]:
    """A target that is told of these exports' runs."""
    receiver = played.cloud.receiver
    name = played.app.name("target")
    played.cloud.vault.set_secret(name, receiver.secret)
    target = _Target(played, name)
    definition = {
        "name": name,
        "url": receiver.url,
        "events": ["run.ended"],
        "exports": [export.id for export in exports],
        "secret_name": name,
    }
    played.app.put(target.path, definition)
    try:
        yield target
    finally:
        target.answer(TAKEN)
        played.tally.injected += target.faults
    if receiver.forged:
        played.problem(f"{receiver.forged} messages were not genuine")


class _Target:
    """The receiver, in the moods of a scenario."""

    def __init__(self, played: ScenarioRun, name: str) -> None:
        self.path = f"/api/notifications/{name}"
        self.faults = 0
        self._played = played
        self._receiver = played.cloud.receiver
        self._runs: list[Run] = []

    def answer(self, status: int, *, after: float = 0.0) -> None:
        """Let the target answer so from now on."""
        self._receiver.status, self._receiver.delay_seconds = status, after

    def run(self, export: SavedExport) -> Run:
        """Start a run, which must end as ever."""
        run = self._played.app.start(export)
        self._runs.append(run)
        self._played.finish(export, run)
        return run

    def refuse(self, export: SavedExport, status: int) -> Run:
        """A run whose end the target refuses to be told, twice at least."""
        self.answer(status)
        run = self.run(export)
        self._await_tries(run, HELD_TRIES)
        return run

    def hold(self, export: SavedExport, seconds: float) -> Run:
        """A run whose end the target takes so late; it has the message now."""
        self.answer(TAKEN, after=seconds)
        run = self.run(export)
        self._await_tries(run, 1)
        return run

    def _await_tries(self, run: Run, number: int) -> None:
        self._played.await_that(lambda: len(self.arrived(run)) >= number or None, f"{run.export} is told")
        self.faults += len(self.arrived(run))

    def arrived(self, run: Run) -> list[str]:
        """The ids of the messages about a run that have arrived, taken or not."""
        return _ids(self._receiver.arrived, run)

    def await_taken(self, run: Run) -> None:
        """Wait until the target has taken a message about the run."""
        self._played.await_that(lambda: _ids(self._receiver.told, run) or None, f"the end of {run.export} is told")

    def require_once(self, run: Run) -> None:
        """Tell if a message was taken more than once, though no answer was lost."""
        if (times := len(_ids(self._receiver.told, run))) > 1:
            self._played.problem(f"the end of {run.export} was told {times} times")

    def require_same_id(self) -> None:
        """Tell if a change of state came under several ids, or several under one."""
        ids = [set(self.arrived(run)) for run in self._runs]
        several = [run.export for run, own in zip(self._runs, ids, strict=True) if len(own) > 1]
        shared = [each for each, times in Counter(each for own in ids for each in own).items() if times > 1]
        if several or shared:
            self._played.problem(f"told under several ids: {several}; ids of several runs: {shared}")


def _ids(messages: list[Any], run: Run) -> list[str]:
    return [each.id for each in list(messages) if each.body["data"].get("run") == run.id]
