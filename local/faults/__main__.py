"""`make faults`: whatever fails, no contact is lost, none is told wrongly, and every run comes to an end.

SEED=… plays the same choices again, SCENARIOS=status,killed-07 only those whose names begin so, KILLS=… sets how
often the host is killed.
"""

import logging
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from rich.console import Console

from local.faults.options import OptionError, Options, read_options
from local.faults.scale import describe
from local.faults.suite import Played, Suite, list_scenarios
from local.faults.table import failure, last_line, table, total

SUITE_SECONDS: Final = 900.0
"""When the suite ends at the latest, with all that is not over counted as unfinished; it takes a third of it."""
WIDTH: Final = 120
UNUSABLE: Final = 2


def main() -> int:
    """Play the suite; the status to exit with."""
    console = Console(highlight=False, width=WIDTH)
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # connections that outlive a gate are meant to
    try:
        options = read_options(os.environ)
    except OptionError as error:
        console.print(f"faults: {error}")
        return UNUSABLE
    directory = Path(tempfile.mkdtemp(prefix="faults-"))
    played = _play(options, directory, console)
    console.print(table(played))
    for each in played:
        for figure in each.tally.figures:
            console.print(figure)
    failed = [each for each in played if each.tally.failed]
    for each in failed:
        console.print(failure(each, seed=options.seed, kills=options.kills), style="red", soft_wrap=True)
    if failed:
        console.print(f"Logs are kept in {directory}")
    else:
        shutil.rmtree(directory, ignore_errors=True)
    console.print(last_line(played), soft_wrap=True)
    return int(bool(failed) or not played or total(each.tally for each in played).failed)


def _play(options: Options, directory: Path, console: Console) -> list[Played]:
    began = time.monotonic()
    scenarios = list_scenarios(options)
    console.print(f"seed {options.seed}, {len(scenarios)} scenarios")
    console.print(describe(), soft_wrap=True)

    def tell(played: Played) -> None:
        outcome = "FAILED" if played.tally.failed else "ok"
        minutes, seconds = divmod(int(time.monotonic() - began), 60)
        console.print(f"{minutes}:{seconds:02} {outcome} {played.scenario.name} in {played.seconds:.0f} s")

    return Suite(scenarios, seed=options.seed, until=began + SUITE_SECONDS, directory=directory, tell=tell).play()


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # A worker that is stuck must not hold up the end; what it has started ends with this process.
    os._exit(status)
