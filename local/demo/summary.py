"""Puts a run beside what should have come of it, and says what does not fit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

from rich import box
from rich.table import Table

from local.export_api import Run
from local.extracts.expectation import Expectation


class FailedRunError(Exception):
    """A run ended without having exported anything; the message has its reason."""


def require_success(run: Run) -> None:
    """Raise FailedRunError unless the run succeeded, if only with warnings."""
    if run.status not in {"succeeded", "completed_with_warnings"}:
        reason = run.reason.message if run.reason else "no reason given"
        raise FailedRunError(f"The run {run.id} ended as {run.status}: {reason}")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A successful run and what was found after it.

    Attributes:
        run: The run as the app tells it.
        expectation: What should have become of the rows.
        on_list: Contacts on the list.
        list_problems: What `compare_list` found.
        rejected_rows: Rows of the run's rejection file.
        requests: "method path status" → requests that SendGrid got during the run.
        leavers: Who should have been taken off the list.
        title: What the table calls it; by default what started it.
    """

    run: Run
    expectation: Expectation
    on_list: int
    list_problems: Sequence[str]
    rejected_rows: int
    requests: Mapping[str, int]
    leavers: int = 0
    title: str = ""


def find_problems(outcome: Outcome) -> list[str]:
    """List, in sentences, whatever does not add up; nothing when all is well."""
    expected, counts = outcome.expectation, outcome.run.counts
    figures = [
        ("rows read", counts.rows_read, expected.rows),
        ("sent", counts.sent, expected.contacts),
        ("unchanged", counts.unchanged, expected.unchanged),
        ("duplicate", counts.duplicate, expected.duplicates),
        ("rejected", counts.rejected, expected.rejected),
        ("not sent", counts.not_sent, 0),
        (
            "all outcomes together",
            counts.sent + counts.unchanged + counts.duplicate + counts.rejected,
            counts.rows_read,
        ),
        ("rejected by reason", sum(counts.rejected_by_reason.values()), counts.rejected),
        ("rows of the rejection file", outcome.rejected_rows, counts.rejected),
        ("taken off the list", counts.removed, outcome.leavers),
        ("created and updated", counts.created + counts.updated, counts.sent),
    ]
    if expected.cut is not None:
        fields = sorted({*expected.cut, *counts.cut})
        figures += [(f"cut {name}", counts.cut.get(name, 0), expected.cut.get(name, 0)) for name in fields]
    wrong = [f"{name}: {found:,}, expected {right:,}" for name, found, right in figures if found != right]
    return [*wrong, *outcome.list_problems]


def compare_list(on_list: Sequence[str], emails: set[str]) -> Iterator[str]:
    """Say how the addresses on the list differ from those that should be there, without naming any."""
    found = set(on_list)
    if len(found) != len(on_list):
        yield "the list holds an address twice"
    if missing := len(emails - found):
        yield f"{missing:,} addresses are not on the list"
    if surplus := len(found - emails):
        yield f"{surplus:,} addresses on the list do not belong there"


def last_line(outcome: Outcome) -> str:
    """The figures in one line, for people and scripts."""
    counts = outcome.run.counts
    return (
        f"demo: read={counts.rows_read} sent={counts.sent} duplicate={counts.duplicate} "
        f"rejected={counts.rejected} on_list={outcome.on_list} ok"
    )


def summary_table(outcomes: Sequence[Outcome]) -> Table:
    """Lay the runs' figures side by side."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    columns = [_figures(each) for each in outcomes]
    for outcome in outcomes:
        table.add_column(outcome.title or outcome.run.trigger.replace("_", " "), justify="right")
    for name in _in_order(columns):
        table.add_row(name, *(column.get(name, "") for column in columns))
    return table


def _in_order(columns: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """The names of all rows, parts (two blanks before) under their whole, which every column has."""
    for whole in (name for name in columns[0] if not name.startswith(" ")):
        yield whole
        yield from dict.fromkeys(part for column in columns for part in _parts(column, whole))


def _parts(column: Mapping[str, str], whole: str) -> Iterator[str]:
    names = iter(column)
    for name in names:
        if name == whole:
            return takewhile(lambda part: part.startswith(" "), names)
    return iter(())


def _figures(outcome: Outcome) -> dict[str, str]:
    counts = outcome.run.counts
    figures = {
        "rows read": counts.rows_read,
        "sent": counts.sent,
        "  new to SendGrid": counts.created,
        "  known to SendGrid": counts.updated,
        "unchanged": counts.unchanged,
        "duplicate": counts.duplicate,
        "rejected": counts.rejected,
        **{f"  {reason}": many for reason, many in counts.rejected_by_reason.items()},
        "values cut": sum(counts.cut.values()),
        **{f"  {name}": many for name, many in counts.cut.items()},
        "taken off the list": counts.removed,
        "contacts on the list": outcome.on_list,
        "requests to SendGrid": sum(outcome.requests.values()),
        **{f"  {request}": many for request, many in sorted(outcome.requests.items())},
    }
    return {name: f"{value:,}" for name, value in figures.items()} | _times(outcome.run)


def _times(run: Run) -> dict[str, str]:
    seconds = stage_seconds(run)
    texts = {f"  {stage}": f"{each:.1f} s" for stage, each in seconds.items()}
    return {"time": f"{sum(seconds.values()):.1f} s"} | texts


def stage_seconds(run: Run) -> dict[str, float]:
    """Seconds that the run spent in each stage that it reached."""
    marks = [*run.begun.items(), ("", run.finished_at or run.created_at)]
    return {stage: (end - at).total_seconds() for (stage, at), (_, end) in pairwise(marks)}
