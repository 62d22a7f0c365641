"""An extract becomes contacts on a list, started over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest

from local.demo.summary import Outcome, compare_list, find_problems
from local.export_api import Run
from local.extracts.deliveries import PEOPLE_MAPPING, SEGMENT, put_people
from local.extracts.people import COUNTRY, CUSTOMER_ID, CYCLE, FIRST_NAME, LAST_NAME, POSTAL_CODE, Kind, People
from tests.support.running_app import Json, RunningApp, SavedExport, StartedRun

PEOPLE = People(rows=600)
REASONS = {Kind.MISSING: {"email_missing"}, Kind.MALFORMED: {"email_invalid", "email_too_long"}}


@dataclass(frozen=True, kw_only=True)
class FirstRuns:
    """Three exports and the run of each; started at once, and over."""

    people: SavedExport
    people_run: StartedRun
    mixed: SavedExport
    """Two good rows with two bad ones between them."""
    mixed_run: StartedRun
    good: SavedExport
    """Two good rows."""
    good_run: StartedRun
    answer: httpx.Response
    """The answer to the start of the good one, with the key "monday"."""


def start(export: SavedExport, key: str) -> httpx.Response:
    return export.running.api.post(export.runs_path, headers={"Idempotency-Key": key})


@pytest.fixture(scope="module")
def first(running: RunningApp) -> FirstRuns:
    put_people(running.extracts, PEOPLE, delivered_at=datetime.now(UTC))
    people = running.export(SEGMENT, mapping=PEOPLE_MAPPING)
    mixed = running.export(
        running.deliver("CustomerId,EMail\n1,ann@example.com\n2,nobody\n3,\n4,bob@example.com\n"),
        source={"max_rejected_share": 1, "settle": "PT0S"},
    )
    good = running.export_of("ann@example.com", "bob@example.com")
    people_run, mixed_run, answer = people.start(), mixed.start(), start(good, "monday")
    (good_run,) = good.runs()
    for run in (people_run, mixed_run, good_run):
        assert run.wait()["status"] == "succeeded"
    return FirstRuns(
        people=people,
        people_run=people_run,
        mixed=mixed,
        mixed_run=mixed_run,
        good=good,
        good_run=good_run,
        answer=answer,
    )


def test_all_numbers_of_a_run_and_the_list_are_as_they_must_be(first: FirstRuns) -> None:
    on_list = first.people.emails()
    outcome = Outcome(
        run=Run.model_validate(first.people_run.get()),
        expectation=PEOPLE.expectation(),
        on_list=len(on_list),
        list_problems=list(compare_list(on_list, set(PEOPLE.emails()))),
        rejected_rows=len(first.people_run.rejected()),
        requests={},
    )
    assert find_problems(outcome) == []


def test_rejected_rows_are_named_by_customer_with_the_right_reason(first: FirstRuns) -> None:
    kinds = {PEOPLE.row(number)[CUSTOMER_ID]: PEOPLE._kinds[number % CYCLE] for number in range(PEOPLE.rows)}
    rejected = first.people_run.rejected()
    assert {row["customer_id"] for row in rejected} == {each for each, kind in kinds.items() if kind in REASONS}
    assert all(row["reason"] in REASONS[kinds[row["customer_id"]]] for row in rejected)


def test_rejected_rows_are_told_with_segment_file_row_and_column(first: FirstRuns) -> None:
    (segment,) = first.mixed.get()["segments"]
    place = {"segment": segment, "file": f"{segment}/2026-01-01/{segment}_1.csv", "column": "EMail"}
    assert first.mixed_run.rejected() == [
        {**place, "row": "3", "customer_id": "2", "reason": "email_invalid"},
        {**place, "row": "4", "customer_id": "3", "reason": "email_missing"},
    ]


def test_a_run_without_rejected_rows_has_an_empty_list_of_them(first: FirstRuns) -> None:
    assert first.good_run.rejected() == []


def test_contacts_arrive_with_all_mapped_values(running: RunningApp, first: FirstRuns) -> None:
    row, email = PEOPLE.row(0), next(PEOPLE.emails())  # the first of the made-up people is a plain one
    contacts = running.cloud.simulator.contacts(first.people.list_id)
    (contact,) = [each for each in contacts if each["email"] == email]
    fields = ("first_name", "last_name", "country", "state_province_region", "city", "postal_code")
    assert [contact[field] for field in fields] == [
        row[FIRST_NAME],
        row[LAST_NAME],
        *row[COUNTRY : POSTAL_CODE + 1],
    ]


def test_segments_are_listed_with_the_columns_to_map(running: RunningApp, first: FirstRuns) -> None:
    (segment,) = first.mixed.get()["segments"]
    (listed,) = [each for each in running.get("/api/segments")["segments"] if each["segment"] == segment]
    extract = listed["extract"]
    assert (extract["version"], extract["files"], listed["columns"]) == ("2026-01-01", 1, ["CustomerId", "EMail"])


# --- the answers to a start ---------------------------------------------------------------------------------


def test_a_start_is_accepted(first: FirstRuns) -> None:
    assert (first.answer.status_code, first.answer.json()["status"]) == (202, "queued")


def test_a_start_says_where_the_run_is(running: RunningApp, first: FirstRuns) -> None:
    assert running.get(first.answer.headers["Location"])["id"] == first.answer.json()["id"]


def test_a_start_says_when_to_look(first: FirstRuns) -> None:
    assert int(first.answer.headers["Retry-After"]) >= 1


def test_the_same_idempotency_key_gives_the_same_run(first: FirstRuns) -> None:
    again = start(first.good, "monday")
    assert (again.status_code, again.json()["id"]) == (202, first.good_run.id)


@pytest.fixture(scope="module")
def unchanged_run(first: FirstRuns) -> Json:
    """A second run, with a key of its own; eight clients have asked for it at once."""
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: start(first.good, "tuesday"), range(8)))
    (run,) = {answer.json()["id"] for answer in answers}
    return StartedRun(running=first.good.running, export=first.good.id, id=run).wait()


def test_another_idempotency_key_gives_another_run_however_many_ask_at_once(
    first: FirstRuns, unchanged_run: Json
) -> None:
    assert unchanged_run["id"] != first.good_run.id


def test_a_run_with_nothing_new_is_skipped(unchanged_run: Json) -> None:
    assert (unchanged_run["status"], unchanged_run["reason"]["code"]) == ("skipped", "unchanged")


@pytest.fixture(scope="module")
def forced_run(first: FirstRuns, unchanged_run: Json) -> Json:
    assert unchanged_run
    return first.good.run(force=True)


def test_force_sends_all_the_same(running: RunningApp, first: FirstRuns, forced_run: Json) -> None:
    assert (forced_run["status"], running.count_upserts(first.good.list_id)) == ("succeeded", 2)


def test_contacts_that_sendgrid_knows_count_as_updated(forced_run: Json) -> None:
    assert (forced_run["counts"]["created"], forced_run["counts"]["updated"]) == (0, 2)


def test_runs_are_listed_newest_first_by_pages(
    running: RunningApp, first: FirstRuns, unchanged_run: Json, forced_run: Json
) -> None:
    page = running.get(f"{first.good.runs_path}?limit=2")
    rest = running.get(page["next"])
    found = [[run["id"] for run in each["runs"]] for each in (page, rest)]
    assert (found, rest["next"]) == ([[forced_run["id"], unchanged_run["id"]], [first.good_run.id]], None)
