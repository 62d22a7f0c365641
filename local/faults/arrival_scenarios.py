"""Extracts are not there at once: their events are doubled and lost, they grow, and the app dies meanwhile."""

import time
from collections.abc import Iterator
from threading import Thread
from typing import Final

from local.extracts.people import People
from local.faults.app_under_test import SavedExport
from local.faults.scenario import FEW_ROWS, MANY_ROWS, Scenario, ScenarioRun
from shared.model.messages import EVENTS_QUEUE

COPIES: Final = 20
"""Of each event that is not lost."""
KILL_AFTER: Final = 1.5
"""Seconds: the first look has been taken, and the extract settles."""

PIECES: Final = 30
"""Of an extract that grows …"""
PIECE_SECONDS: Final = 0.7
"""… so often."""
SETTLE: Final = "PT3S"
"""When it counts as written; storage tells whole seconds, so a second would be none at times."""


def scenarios() -> Iterator[Scenario]:
    """All of them."""
    yield Scenario(name="arrival", fault="events doubled, lost, killed", play=_arrival, seconds=50)
    yield Scenario(name="growing", fault="extract grows, killed", play=_growing, seconds=30)


def _arrival(played: ScenarioRun) -> None:
    """Of three extracts that arrive events of two are doubled, and of one lost; each starts its export once."""
    exports = [_awaiting(played) for _ in range(3)]
    doubled, lost, killed = (played.app.deliver(export) for export in exports)
    events = [*doubled, *killed] * COPIES
    played.random.shuffle(events)
    queue = played.app.queue(EVENTS_QUEUE)
    for event in events:
        queue.send_message(event)
    played.tally.injected += len(events) + len(lost)
    played.kill(after=KILL_AFTER)
    for export in exports:
        run = played.await_scheduled_run(export)
        if run is not None:
            played.finish(export, run)
    time.sleep(KILL_AFTER)
    for export in exports:
        if (many := len(played.app.list_runs(export))) > 1:
            played.problem(f"{export.id} was started {many} times")


def _awaiting(played: ScenarioRun) -> SavedExport:
    people = People(rows=FEW_ROWS, seed=played.random.randrange(1 << 30))
    return played.app.export_awaiting(people, connection=played.connection)


def _growing(played: ScenarioRun) -> None:
    """A run is asked for at the first piece of an extract, and the app is killed at a later one."""
    people = People(rows=MANY_ROWS, seed=played.random.randrange(1 << 30))
    export = played.app.export_awaiting(
        people, connection=played.connection, schedule="off", source={"settle": SETTLE}
    )
    killed_at = played.random.randrange(2, 6)
    killer = Thread(target=played.kill, kwargs={"after": 0}, name="killer")
    run = None
    for piece in played.app.deliver_slowly(export, pieces=PIECES):
        run = run or played.app.start(export)
        played.tally.injected += 1
        if piece == killed_at:
            killer.start()  # the writer goes on
        time.sleep(PIECE_SECONDS)
    killer.join()
    if run is not None:
        played.finish(export, run)
