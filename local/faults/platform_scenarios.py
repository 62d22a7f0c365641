"""The platform fails: messages, blobs, the vault, the host."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from local.faults.message_injector import Trick, deliver_late, deliver_twice, lose_one, message_injector
from local.faults.scenario import FEW_ROWS, SOME_ROWS, Scenario, ScenarioRun
from local.faults.storage_fault_proxy import blob_gate
from local.sendgrid_simulator.control import Fault
from local.sendgrid_simulator.faults import BodyShape, FaultKind, Outcome

KILLS_A_RUN: Final = 4
"""One fewer than the failures which make a message poison, so every run can still succeed."""
KILL_WITHIN_SECONDS: Final = 2.2
"""The run would take about twice as long."""
VAULT_AWAY_SECONDS: Final = 4.0
"""A minute, scaled as the lifetime of a key in memory is, and then some."""
WRITES_FAILING: Final = 0.15


def scenarios(*, kills: int) -> Iterator[Scenario]:
    """All of them, with at least so many kills."""
    for name, fault, trick in (
        ("messages-twice", "messages delivered twice", deliver_twice),
        ("messages-late", "messages late and out of order", deliver_late),
    ):
        yield Scenario(name=name, fault=fault, play=_messages(trick), seconds=20)
    yield Scenario(
        name="messages-lost",
        fault="messages lost",
        play=_messages(lose_one),
        seconds=40,
    )
    yield Scenario(name="vault-away", fault="vault away", play=_vault_away, seconds=20)
    yield Scenario(name="azurite-restarted", fault="Azurite stopped and started", play=_azurite, seconds=35)
    for number in (1, 2):
        yield Scenario(
            name=f"blob-writes-{number}", fault="blob writes 409, 412, 503", play=_blob_writes, seconds=35
        )
    for number, many in enumerate(_share(kills), 1):
        yield Scenario(name=f"killed-{number:02}", fault="host killed", play=_killed(many), seconds=25)


def _share(kills: int) -> Iterator[int]:
    full, rest = divmod(kills, KILLS_A_RUN)
    yield from [KILLS_A_RUN] * full
    if rest:
        yield rest


def _messages(trick: Trick) -> Callable[[ScenarioRun], None]:
    def play(played: ScenarioRun) -> None:
        export = played.export()
        with message_injector(played.app, played.random, trick) as harmed:
            run = played.app.start(export)
            played.finish(export, run)
        if trick is lose_one:
            played.tally.injected += len(+harmed)
        else:
            played.tally.injected += harmed.total()
        if len(+harmed) < 3:  # noqa: PLR2004 - runs, chunks, imports
            played.problem(f"the injector got at no more queues than {sorted(+harmed)}")

    return play


def _vault_away(played: ScenarioRun) -> None:
    """The vault is away when the run starts, and again while it is under way."""
    export = played.export()
    with _away_vault(played):
        run = played.app.start(export)
        time.sleep(VAULT_AWAY_SECONDS)
    time.sleep(played.random.uniform(0, 2))
    with _away_vault(played):
        time.sleep(VAULT_AWAY_SECONDS)
    played.finish(export, run)


@contextmanager
def _away_vault(played: ScenarioRun) -> Iterator[None]:
    played.tally.injected += 1
    played.cloud.vault.unavailable(away=True)
    try:
        yield
    finally:
        played.cloud.vault.unavailable(away=False)


def _azurite(played: ScenarioRun) -> None:
    """Storage is away for a while, twice in a run."""
    export = played.export()
    run = played.app.start(export)
    for _ in range(2):
        time.sleep(played.random.uniform(0, 2))
        played.cloud.azurite.stop()
        try:
            time.sleep(played.random.uniform(0.5, 3))
        finally:
            played.cloud.azurite.start()
        played.tally.injected += 1
    played.finish(export, run)


def _blob_writes(played: ScenarioRun) -> None:
    export = played.export(SOME_ROWS)
    with blob_gate(played.cloud, chooser=played.random, share=WRITES_FAILING) as gate:
        run = played.app.start(export)
        played.finish(export, run)
    played.tally.injected += gate.injected.total()
    played.tally.figures.append(f"blob writes answered {dict(sorted(gate.injected.items()))}")


def _killed(kills: int) -> Callable[[ScenarioRun], None]:
    """Two runs, SendGrid in a bad mood, and the host killed again and again at random moments."""

    def play(played: ScenarioRun) -> None:
        exports = [played.export(SOME_ROWS), played.export(FEW_ROWS)]
        with played.faults(*_bad_mood(played), all_strike=False):
            runs = [played.app.start(export) for export in exports]
            for _ in range(kills):
                played.kill(after=played.random.uniform(0, KILL_WITHIN_SECONDS))
            for export, run in zip(exports, runs, strict=True):
                played.finish(export, run)

    return play


def _bad_mood(played: ScenarioRun) -> list[Fault]:
    """Some faults that pass, on any of a run's upserts."""
    possible = [
        Fault(kind=FaultKind.SLOW, delay_seconds=0.7, times=3),
        Fault(kind=FaultKind.ANSWER, status=503, body=BodyShape.HTML),
        Fault(kind=FaultKind.ANSWER, status=429, retry_after_seconds=1),
        Fault(kind=FaultKind.RESET_DURING_BODY),
        Fault(kind=FaultKind.DROP_AFTER_ACCEPTANCE, times=2),
        Fault(kind=FaultKind.JOB, outcome=Outcome.FAILED),
    ]
    chosen = played.random.sample(possible, played.random.randrange(4))
    return [fault.model_copy(update={"skip": played.random.randrange(4)}) for fault in chosen]
