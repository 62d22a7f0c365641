"""What the suite prints at its end."""

from collections.abc import Iterable, Sequence

from rich import box
from rich.table import Column, Table

from local.faults.scenario import Tally
from local.faults.suite import Played


def table(played: Sequence[Played]) -> Table:
    """One line for each fault."""
    shown = Table(Column("fault", no_wrap=True), box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("injected", "runs finished", "contacts lost", "contacts wrong"):
        shown.add_column(column, justify="right")
    shown.add_column("outcome", no_wrap=True)
    for fault in dict.fromkeys(each.scenario.fault for each in played):
        tally = total(each.tally for each in played if each.scenario.fault == fault)
        shown.add_row(
            fault,
            f"{tally.injected} + {tally.kills} kills" if tally.kills else str(tally.injected),
            f"{tally.finished} of {tally.runs}",
            str(tally.lost),
            str(tally.wrong),
            "[bold red]FAILED[/]" if tally.failed else "ok",
        )
    return shown


def total(tallies: Iterable[Tally]) -> Tally:
    """Add up."""
    whole = Tally()
    for tally in tallies:
        whole.add(tally)
    return whole


def failure(played: Played, *, seed: int, kills: int) -> str:
    """Tell what failed in a scenario and how to see it again."""
    name = played.scenario.name
    again = f"make faults SEED={seed} KILLS={kills} SCENARIOS={name}"
    return "\n".join([f"FAILED {name}, again with: {again}", *(f"  {each}" for each in played.tally.problems)])


def last_line(played: Sequence[Played]) -> str:
    """Sum everything up."""
    whole = total(each.tally for each in played)
    return (
        f"faults: scenarios={len(played)} injected={whole.injected} kills={whole.kills} "
        f"lost={whole.lost} wrong={whole.wrong} unfinished={whole.unfinished}"
    )
