"""Shows a run while it goes on: bars on a terminal, a line for every stage elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from local.export_api import Run


class RunProgress:
    """Tell it every snapshot of a run; it shows the stages the run is and was in."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tasks: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("  {task.description:<10}"),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, run: Run) -> None:
        """Show the run as it is now."""
        for stage in stages_reached(run):
            if stage not in self._tasks:
                self._begin(stage, run)
            done, total, figures = measure(stage, run)
            self._progress.update(self._tasks[stage], completed=done, total=total, figures=figures)
        if run.is_terminal:
            self._print(f"{run.status}: {run.reason.message if run.reason else ''}")

    def _begin(self, stage: str, run: Run) -> None:
        self._tasks[stage] = self._progress.add_task(stage, total=None, figures="")
        if not self._console.is_terminal:
            self._print(f"{stage} {measure(stage, run)[2]}".rstrip())

    def _print(self, text: str) -> None:
        self._console.print(f"  {text}", markup=False, highlight=False, soft_wrap=True)


def stages_reached(run: Run) -> list[str]:
    """List the stages that the run is in or has left behind, in order.

    A run is importing as soon as SendGrid has accepted its last chunk, though the time is noted later.
    """
    begun = list(run.begun)
    return begun if run.is_terminal or run.status in begun else [*begun, run.status]


def measure(stage: str, run: Run) -> tuple[int, int | None, str]:
    """Say how much of a stage is done, of how much (None while nobody knows), and both in words."""
    chunks = run.chunks
    if stage == "uploading":
        done, total, noun = chunks.contacts_accepted, chunks.contacts_planned, "contacts"
    elif stage == "importing":
        done, total, noun = chunks.finished, chunks.planned, "import jobs"
    elif run.is_terminal or stages_reached(run)[-1] != stage:
        return 1, 1, ""
    else:
        return 0, None, ""
    return done, total, f"{done:,} of {total:,} {noun}"
