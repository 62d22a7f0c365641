"""The app is replaced by another version while runs are under way, and then by the former one again."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from local.azure.processes import PROJECT_ROOT
from local.export_api import Run
from local.faults.host_scenarios import finish_in_time
from local.faults.next_version import NEW_MEMBER, VERSION, write_next_version
from local.faults.scale import CODE
from local.faults.scenario import FEW_ROWS, MANY_ROWS, SOME_ROWS, Scenario, ScenarioRun

AFTER_SECONDS: Final = (0.3, 2.5)
"""Between a start of runs and the replacement: in their planning, their sending, or their looks at import jobs."""


def scenarios() -> Iterator[Scenario]:
    """An upgrade and its rollback, at three moments of the runs."""
    for number in (1, 2, 3):
        yield Scenario(
            name=f"upgrade-{number}", fault="upgraded, rolled back", play=_upgraded, seconds=50, own_app=True
        )


def _upgraded(played: ScenarioRun) -> None:
    """Runs of the former version end under the next one, and its own under the former one again.

    Azure's way is Recreate: all instances end, whatever they are at, and new ones start on the same storage.
    """
    before = played.app.version()
    next_version = write_next_version(played.app.directory / f"next-{played.app.account}")
    exports = [played.export(MANY_ROWS), played.export(SOME_ROWS), played.export(FEW_ROWS)]
    runs = [played.app.start(export) for export in exports]
    _replace(played, next_version, VERSION)
    late = [played.export(MANY_ROWS), played.export(FEW_ROWS)]
    late_runs = [played.app.start(export) for export in late]
    _require_traces(played, late_runs)
    _replace(played, PROJECT_ROOT, before)
    finish_in_time(played, [*exports, *late], [*runs, *late_runs], since=time.monotonic())


def _replace(played: ScenarioRun, code: Path, version: str) -> None:
    time.sleep(played.random.uniform(*AFTER_SECONDS))
    played.tally.kills += len(played.app.hosts)
    played.app.kill_hosts()
    played.app.start_host(**{CODE: str(code)})
    if (runs := played.app.version()) != version:
        played.problem(f"version {runs} runs, and not {version}")


def _require_traces(played: ScenarioRun, runs: list[Run]) -> None:
    """Tell when the next version leaves nothing that the former one does not know: then nothing is tried."""
    for run in runs:
        documents = played.app.read_all(f"runs/{run.export}/{run.id}/").values()
        if not any(NEW_MEMBER.encode() in document for document in documents):
            played.problem(f"the next version wrote no document of {run.export}")
