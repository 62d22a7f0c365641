"""The host or its worker dies: storage refuses or is silent, memory runs out, functions hang, instances go."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from local.export_api import Run
from local.faults.app_under_test import SavedExport
from local.faults.gate import Gate, Mood, gate_before, trust_of
from local.faults.message_injector import lose_one, message_injector
from local.faults.scenario import FEW_ROWS, MANY_ROWS, SOME_ROWS, Scenario, ScenarioRun
from local.faults.verdict import Expected
from local.sendgrid_simulator.control import Fault
from local.sendgrid_simulator.faults import FaultKind

SHUT_SECONDS: Final = 6.0
"""A minute, scaled."""
ON_AGAIN_SECONDS: Final = 45.0
"""Seconds after the fault in which runs must be over: ninety and the run itself, scaled, and slow machines."""
KILLED: Final = Expected(status="failed", code="worker_killed")
STEPS: Final = ("plan", "deliver", "confirm")
RESTARTS: Final = 4
UPSERT_ACCEPTED: Final = "PUT /v3/marketing/contacts 202"


def scenarios() -> Iterator[Scenario]:
    """All of them; each needs an app of its own, whose host may end."""
    for mood, service in (
        (Mood.REFUSING, "queue"),
        (Mood.REFUSING_PUTS, "queue"),
        (Mood.SILENT, "queue"),
        (Mood.REFUSING, "blob"),
        (Mood.SILENT, "blob"),
    ):
        yield _scenario(
            f"{service}-{mood.replace(' ', '-')}", f"{service}s {mood}", _shut(service, mood), seconds=45
        )
    yield _scenario("restart-loop", "hosts die again and again", _restart_loop, seconds=45)
    for step in STEPS:
        yield _scenario(f"oom-{step}", f"worker out of memory in {step}", _killed_in(step), seconds=60)
    yield _scenario("timeout", "a function never ends", _hang, seconds=50)
    yield _scenario("stopped", "stopped with a get under way", _stopped, seconds=40)
    yield _scenario("timer-holder", "two instances, timer holder killed", _timer_holder, seconds=50)
    for step in ("note", "noted", "remove"):
        name = f"leavers-{step}"
        yield _scenario(name, f"killed in {step}, leavers", _killed_once_in(step), seconds=50)
    for number in (1, 2):
        yield _scenario(f"leavers-{number}", "leavers, refusals, kills", _leavers, seconds=45)


def _scenario(name: str, fault: str, play: Callable[[ScenarioRun], None], *, seconds: float) -> Scenario:
    return Scenario(name=name, fault=fault, play=play, seconds=seconds, own_app=True)


def _shut(service: str, mood: Mood) -> Callable[[ScenarioRun], None]:
    """Two runs under way, and storage shut for a while; the host ends and is started anew."""

    def play(played: ScenarioRun) -> None:
        port = getattr(played.cloud.azurite.ports, service)
        gate = Gate(port, trust=trust_of(played.cloud))
        exports = [played.export(SOME_ROWS), played.export(FEW_ROWS)]
        with gate_before(played.cloud, service, gate), played.app.supervised() as ends:
            played.app.kill_hosts()  # so that every connection leads through the gate
            played.app.start_host()
            runs = [played.app.start(export) for export in exports]
            time.sleep(played.random.uniform(0, 2))
            gate.mood = mood
            time.sleep(SHUT_SECONDS)
            gate.mood = Mood.OPEN
            opened = time.monotonic()
            finish_in_time(played, exports, runs, since=opened)
        played.tally.injected += gate.struck
        played.tally.figures.append(
            f"{service}s {mood}: {gate.struck} requests, the host ended {ends['ended']} times"
        )

    return play


def _restart_loop(played: ScenarioRun) -> None:
    """Hosts that are killed right after their start."""
    exports = [played.export(SOME_ROWS), played.export(FEW_ROWS)]
    runs = [played.app.start(export) for export in exports]
    for _ in range(RESTARTS):
        played.kill(after=played.random.uniform(0.2, 1.2))
    finish_in_time(played, exports, runs, since=time.monotonic())


def _killed_in(step: str) -> Callable[[ScenarioRun], None]:
    """One run kills its worker at each try; it ends, and its neighbours succeed."""

    def play(played: ScenarioRun) -> None:
        neighbours = [played.export(SOME_ROWS), played.export(FEW_ROWS)]
        guilty = played.export(FEW_ROWS)
        played.app.order(step, guilty.id, "kill")
        with played.app.supervised() as ends:
            run = played.app.start(guilty)
            others = [played.app.start(export) for export in neighbours]
            played.finish_guilty(guilty, run, KILLED)
            for export, other in zip(neighbours, others, strict=True):
                played.finish(export, other)
        played.app.countermand()
        played.tally.injected += 1
        if ends["ended"]:
            played.problem(f"the host ended {ends['ended']} times before the run did")

    return play


def _hang(played: ScenarioRun) -> None:
    """A function that never ends has its worker replaced, with all that is in it."""
    exports = [played.export(FEW_ROWS), played.export(SOME_ROWS)]
    played.app.order("deliver", exports[0].id, "hang")
    runs = [played.app.start(export) for export in exports]
    for export, run in zip(exports, runs, strict=True):
        played.finish(export, run)
    played.tally.injected += 1


def _stopped(played: ScenarioRun) -> None:
    """Hosts that are stopped in good order while they read their queues: what they had asked for stays hidden."""
    exports = [played.export(SOME_ROWS), played.export(FEW_ROWS)]
    runs = [played.app.start(export) for export in exports]
    for _ in range(3):
        time.sleep(played.random.uniform(0, 1))
        played.app.drop_host(played.app.hosts[0])
        played.app.start_host()
        played.tally.kills += 1
    finish_in_time(played, exports, runs, since=time.monotonic())


def _timer_holder(played: ScenarioRun) -> None:
    """The instance whose timers run is killed, and a message is lost that only a timer can bring back."""
    export = played.export(FEW_ROWS)
    second = played.app.start_host()
    holder = played.app.hosts[0]
    with message_injector(played.app, played.random, lose_one) as harmed:
        run = played.app.start(export)
        played.app.hosts.remove(holder)
        holder.kill()
        played.tally.kills += 1
        played.finish(export, run)
    played.tally.injected += len(+harmed)
    if second not in played.app.hosts:
        played.problem("the second instance is gone, too")


def _killed_once_in(step: str) -> Callable[[ScenarioRun], None]:
    """A worker dies once as members are noted, or between a leaver's look-up and the removal; jobs fail, too."""

    def play(played: ScenarioRun) -> None:
        export = played.export(SOME_ROWS, leavers="remove", max_removals={"share": 1.0})
        neighbour = played.export(FEW_ROWS)
        played.finish(export, played.app.start(export))
        fewer = played.app.deliver_again(export, replace(export.people, rows=FEW_ROWS))
        played.app.order(step, export.list_id if step == "remove" else export.id, "kill_once")
        refusals = [
            Fault(kind=FaultKind.ANSWER, method=method, path=path, status=429, times=1)
            for method, path in (
                ("PUT", "/v3/marketing/contacts"),
                ("GET", f"/v3/marketing/lists/{export.list_id}"),
                ("POST", "/v3/marketing/contacts/search/emails"),
            )
        ]
        with played.faults(*refusals, all_strike=False), played.app.supervised():
            runs = [played.app.start(fewer), played.app.start(neighbour)]
            ended = played.finish(fewer, runs[0])
            played.finish(neighbour, runs[1])
        played.tally.injected += 1
        if played.app.is_pending(step):
            played.problem(f"nothing was killed in {step}")
        if ended is not None and ended.counts.removed == 0:
            played.problem("nobody was taken off the list")

    return play


def _leavers(played: ScenarioRun) -> None:
    """Most of a segment leave; SendGrid refuses searches and removals, and hosts die while they go on."""
    export = played.export(MANY_ROWS * 2, changes="all", leavers="remove", max_removals={"share": 1.0})
    played.finish(export, played.app.start(export))
    fewer = played.app.deliver_again(export, replace(export.people, rows=FEW_ROWS))
    removal = f"/v3/marketing/lists/{export.list_id}/contacts"
    refusals = [
        Fault(kind=FaultKind.ANSWER, method=method, path=path, status=status, times=2)
        for method, path in (("POST", "/v3/marketing/contacts/search/emails"), ("DELETE", removal))
        for status in (429, 503)
    ]
    with played.faults(*refusals, all_strike=False):
        run = played.app.start(fewer)
        for _ in range(2):
            played.kill(after=played.random.uniform(0.5, 3))
        ended = played.finish(fewer, run)
    if ended is not None and ended.counts.removed == 0:
        played.problem("nobody was taken off the list")


def finish_in_time(
    played: ScenarioRun, exports: Sequence[SavedExport], runs: Sequence[Run], *, since: float
) -> None:
    """Wait for the runs, which must be over in time, and tell truly what was sent twice."""
    for export, run in zip(exports, runs, strict=True):
        played.finish(export, run)
    took = time.monotonic() - since
    if took > ON_AGAIN_SECONDS:
        played.problem(f"the runs were over {took:.0f} s after the fault, not within {ON_AGAIN_SECONDS:.0f} s")
    accepted = played.simulator.counts().requests.get(UPSERT_ACCEPTED, 0) - played.upserts_before
    deliveries = [
        delivery
        for run in runs
        for delivery in played.app.read_json(f"runs/{run.export}/{run.id}/deliveries/").values()
    ]
    told = sum(delivery.get("repeats", 0) + delivery.get("resends", 0) for delivery in deliveries)
    if accepted - len(deliveries) > told:
        played.problem(f"{accepted} upserts for {len(deliveries)} chunks, of which {told} are told to be repeated")
    played.tally.figures.append(f"{len(deliveries)} chunks, {accepted} upserts, over {took:.0f} s after the fault")
