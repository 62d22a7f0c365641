"""A list that another tool has filled is taken over by the running app."""

import csv
import io

import pytest

from tests.support.running_app import Json, RunningApp, SavedExport, StartedRun, eventually

SEGMENT = ["ann@example.com", "o'neill@example.com", "new@example.com"]
ON_LIST = ["Ann@Example.com", "o'neill@example.com", "gone@example.com"]


@pytest.fixture(scope="module")
def export(running: RunningApp) -> SavedExport:
    """An export to a list that another tool has filled."""
    export = running.export_of(*SEGMENT, leavers="remove", max_removals={"share": 1.0})
    running.cloud.simulator.add_to_list(export.list_id, *ON_LIST)
    eventually(lambda: len(export.emails()) == len(ON_LIST))
    return export


@pytest.fixture(scope="module")
def adoption(running: RunningApp, export: SavedExport) -> StartedRun:
    answers = [running.api.post(f"/api/exports/{export.id}/adopt").raise_for_status() for _ in range(2)]
    assert len({answer.headers["location"] for answer in answers}) == 1
    return StartedRun(running=running, export=export.id, id=answers[0].json()["id"])


@pytest.fixture(scope="module")
def adopted(adoption: StartedRun) -> Json:
    return adoption.wait()


def test_who_is_on_the_list_and_in_the_segment_becomes_a_member(adopted: Json) -> None:
    assert (adopted["status"], adopted["kind"], adopted["reason"]["code"]) == ("succeeded", "adoption", "adopted")
    figures = {name: adopted["adopted"][name] for name in ("on_list", "made", "known", "others")}
    assert figures == {"on_list": 3, "made": 2, "known": 0, "others": 1}
    assert adopted["members"] == {"before": 0, "joined": 2, "left": 0, "after": 2}


def test_the_others_are_listed(running: RunningApp, adoption: StartedRun, adopted: Json) -> None:
    assert adopted
    answer = running.api.get(f"{adoption.path}/others").raise_for_status()
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["email"] for row in rows] == ["gone@example.com"]
    assert "gone@example.com" not in running.log()


def test_nobody_was_sent_or_removed(export: SavedExport, adopted: Json) -> None:
    assert adopted
    assert export.emails() == sorted(address.lower() for address in ON_LIST)


def test_afterwards_leavers_are_taken_off_and_the_others_stay(
    running: RunningApp, export: SavedExport, adopted: Json
) -> None:
    assert adopted
    running.deliver_emails(*SEGMENT[1:], segment=export.get()["segments"][0], day=2)
    done = export.run()
    assert (done["status"], done["counts"]["sent"], done["counts"]["removed"]) == ("succeeded", 2, 1)
    assert export.emails() == sorted([*SEGMENT[1:], "gone@example.com"])
