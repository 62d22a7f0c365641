import io
from collections.abc import Callable

import pytest
from rich.console import Console

from local.demo.progress import RunProgress, measure, stages_reached
from local.export_api import Run

type MakeRun = Callable[..., Run]

NOT_YET = {
    "queued": {"planning_at": None, "uploading_at": None, "importing_at": None, "finished_at": None},
    "planning": {"uploading_at": None, "importing_at": None, "finished_at": None},
    "uploading": {"importing_at": None, "finished_at": None},
    "importing": {"finished_at": None},
}


@pytest.fixture
def run_in(make_run: MakeRun) -> MakeRun:
    """A factory of runs that are in a given stage."""

    def make(stage: str, **chunks: int) -> Run:
        return make_run(status=stage, chunks=chunks, **NOT_YET[stage])

    return make


def test_a_stage_that_goes_on_has_no_end_in_sight(run_in: MakeRun) -> None:
    assert measure("planning", run_in("planning")) == (0, None, "")


def test_a_stage_left_behind_is_complete(run_in: MakeRun) -> None:
    assert measure("planning", run_in("uploading")) == (1, 1, "")


def test_uploading_is_measured_in_contacts(run_in: MakeRun) -> None:
    assert measure("uploading", run_in("uploading", contacts_accepted=4)) == (4, 5, "4 of 5 contacts")


def test_importing_is_measured_in_import_jobs(run_in: MakeRun) -> None:
    assert measure("importing", run_in("importing", finished=1)) == (1, 2, "1 of 2 import jobs")


def test_the_stage_that_the_status_names_is_reached(make_run: MakeRun) -> None:
    run = make_run(status="importing", importing_at=None, finished_at=None)
    assert stages_reached(run) == ["queued", "planning", "uploading", "importing"]


def test_a_run_that_is_over_is_in_no_further_stage(make_run: MakeRun) -> None:
    run = make_run(status="failed", uploading_at=None, importing_at=None)
    assert stages_reached(run) == ["queued", "planning"]


@pytest.mark.parametrize("terminal", [True, False])
def test_stages_that_went_by_unseen_are_shown_in_order(
    run_in: MakeRun,
    make_run: MakeRun,
    terminal: bool,  # noqa: FBT001
) -> None:
    output = io.StringIO()
    with RunProgress(Console(file=output, force_terminal=terminal, width=100)) as progress:
        progress.show(run_in("queued"))
        progress.show(make_run())
    text = output.getvalue()
    places = [text.index(stage) for stage in ("queued", "planning", "uploading", "importing")]
    assert places == sorted(places)
    assert "succeeded: All is well." in text


def test_a_stage_has_one_plain_line_where_there_is_no_terminal(run_in: MakeRun) -> None:
    output = io.StringIO()
    with RunProgress(Console(file=output, force_terminal=False)) as progress:
        for accepted in (0, 2, 5):
            progress.show(run_in("uploading", contacts_accepted=accepted))
    assert output.getvalue().splitlines() == ["  queued", "  planning", "  uploading 0 of 5 contacts"]
