"""SendGrid's exports of lists: one that is adopted, one that many leavers are found in, while hosts die."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from local.faults.app_under_test import LOOK_SECONDS
from local.faults.scenario import FEW_ROWS, MANY_ROWS, RUN_SECONDS, SOME_ROWS, Scenario, ScenarioRun
from local.sendgrid_simulator.control import Fault
from local.sendgrid_simulator.faults import FaultKind, Outcome

EXPORTS: Final = "/v3/marketing/contacts/exports"
ACCEPTED: Final = f"POST {EXPORTS} 202"
LIMITS: Final = {"LOOK_UP_FROM": 50, "LOOK_UP_LOOK": 1.0, "LOOK_UP_PATIENCE": 60.0}


def scenarios() -> Iterator[Scenario]:
    """All of them; hosts are killed, so each needs an app of its own."""
    yield Scenario(
        name="adoption", fault="adoption, refusals, kills", play=_adoption, limits=LIMITS, seconds=45, own_app=True
    )
    yield Scenario(
        name="export-of-leavers",
        fault="leavers by export, refusals, kills",
        play=_leavers,
        limits=LIMITS,
        seconds=45,
        own_app=True,
    )


def _refusals() -> list[Fault]:
    return [Fault(kind=FaultKind.ANSWER, method="POST", path=EXPORTS, status=status) for status in (429, 503)]


def _await_list(played: ScenarioRun, list_id: str, emails: Sequence[str]) -> None:
    until = time.monotonic() + RUN_SECONDS
    while sorted(played.simulator.list_emails(list_id)) != emails and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)


def _adoption(played: ScenarioRun) -> None:
    """A list that another tool has filled is adopted, and then kept up: who has left is taken off it."""
    export = played.export(SOME_ROWS, leavers="remove", max_removals={"share": 1.0})
    on_list = sorted(export.people.emails())[FEW_ROWS:]
    played.simulator.add_to_list(export.list_id, *on_list)
    _await_list(played, export.list_id, on_list)
    with played.faults(
        *_refusals(),
        Fault(kind=FaultKind.JOB, method="POST", path=EXPORTS, outcome=Outcome.FAILED),
        all_strike=False,
    ):
        run = played.app.adopt(export)
        for _ in range(2):
            played.kill(after=played.random.uniform(0.5, 3))
        ended = played.app.wait(run, until=time.monotonic() + RUN_SECONDS)
    code = ended.reason.code if ended and ended.reason else "none"
    if code != "adopted":
        played.problem(f"the list was not adopted ({code})")
    if sorted(played.simulator.list_emails(export.list_id)) != on_list:
        played.problem("the adoption has changed the list")
    fewer = played.app.deliver_again(export, replace(export.people, rows=FEW_ROWS))
    played.finish(fewer, played.app.start(fewer))


def _leavers(played: ScenarioRun) -> None:
    """Most of a segment leave; they are found in an export of the list, which is refused at first."""
    export = played.export(MANY_ROWS * 2, changes="all", leavers="remove", max_removals={"share": 1.0})
    played.finish(export, played.app.start(export))
    fewer = played.app.deliver_again(export, replace(export.people, rows=FEW_ROWS))
    before = played.simulator.counts().requests.get(ACCEPTED, 0)
    with played.faults(*_refusals(), all_strike=False):
        run = played.app.start(fewer)
        for _ in range(2):
            played.kill(after=played.random.uniform(0.5, 3))
        ended = played.finish(fewer, run)
    if ended is not None and ended.counts.removed == 0:
        played.problem("nobody was taken off the list")
    if played.simulator.counts().requests.get(ACCEPTED, 0) == before:
        played.problem("no export of the list was asked for")
