"""What an export tells beside its definition: how it went last, when it is due next, what will hinder it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.model.definitions import OwnSchedule
from shared.runs.schedule import next_due
from shared.runs.views import READERS
from tests.support.http_api import ask, serve, told
from tests.support.in_memory_app import InMemoryApp, a_connection, people

DAILY = OwnSchedule(kind="cron", cron="30 9 * * *", time_zone="Europe/Stockholm")
OFF = {"kind": "off"}


@pytest.fixture
def app() -> InMemoryApp:
    app = InMemoryApp()
    app.save(schedule=OFF)
    app.deliver_extract(people(3))
    return serve(app)


def follow(app: InMemoryApp, refresh: OwnSchedule | None) -> None:
    app.services = replace(app.services, settings=app.services.settings.model_copy(update={"refresh": refresh}))
    serve(app)


def shown(caller: str = "admin") -> Any:  # noqa: ANN401 - JSON is anything
    return told(ask("get_export", caller=caller))


def codes() -> list[str]:
    """Of the warnings, in the list as with the export itself, but for those of its last run."""
    return [warning["code"] for warning in shown()["warnings"]]


def finished(app: InMemoryApp, *, force: bool = False) -> str:
    run = app.start(force=force)
    app.work()
    return run.id


@pytest.mark.usefixtures("app")
def test_an_export_that_never_ran_and_is_never_due_says_so() -> None:
    export = shown()
    assert (export["last_run"], export["next_run_at"], export["warnings"]) == (None, None, [])


def test_an_export_tells_its_last_run(app: InMemoryApp) -> None:
    finished(app)
    app.clock.now += timedelta(minutes=1)
    last = finished(app, force=True)
    app.clock.now += timedelta(minutes=1)
    ask("plan_export")
    told_run = shown()["last_run"]
    assert (told_run["id"], told_run["status"]) == (last, "succeeded")
    assert datetime.fromisoformat(told_run["finished_at"]) == app.run(app.runs()[1]).finished_at


def test_a_last_run_through_a_connection_of_others_is_not_told(app: InMemoryApp) -> None:
    app.save_connection(a_connection(users=("nora",)), "other")
    finished(app)
    app.save(schedule=OFF, connection="other")
    assert shown("nora")["last_run"] is None
    assert [each["last_run"] for each in listed("nora")["exports"]] == [None]
    assert shown()["last_run"] is not None


def test_leavers_that_wait_for_a_decision_are_told_until_it_is_made(app: InMemoryApp) -> None:
    app.save(schedule=OFF, leavers="remove")
    app.deliver_extract(people(30))
    finished(app)
    app.clock.now += timedelta(hours=1)
    app.deliver_extract(people(20))
    held = finished(app)
    (warning,) = shown()["warnings"]
    assert warning["code"] == "removals_withheld"
    assert warning["message"].startswith(f"10 leavers that the run {held} found are still on the list")
    (listed_export,) = listed()["exports"]
    assert listed_export["warnings"] == [warning]
    app.clock.now += timedelta(hours=1)
    assert ask("confirm_removals", run=held).status_code == 202
    app.work()
    assert shown()["warnings"] == []


def test_leavers_that_the_export_keeps_now_wait_for_nobody(app: InMemoryApp) -> None:
    app.save(schedule=OFF, leavers="remove")
    app.deliver_extract(people(30))
    finished(app)
    app.clock.now += timedelta(hours=1)
    app.deliver_extract(people(20))
    finished(app)
    app.save(schedule=OFF, leavers="keep")
    assert shown()["warnings"] == []


def test_the_next_run_is_the_next_due_time(app: InMemoryApp) -> None:
    app.save(schedule=DAILY)
    assert datetime.fromisoformat(shown()["next_run_at"]) == datetime(2026, 3, 3, 8, 30, tzinfo=UTC)
    (listed,) = told(ask("list_exports"))["exports"]
    assert listed["next_run_at"] == shown()["next_run_at"]
    app.save(schedule=DAILY, enabled=False)
    assert shown()["next_run_at"] is None


def test_a_refresh_that_is_off_never_runs_an_export(app: InMemoryApp) -> None:
    app.save()
    assert (codes(), shown()["next_run_at"]) == (["refresh_off"], None)
    follow(app, DAILY)
    assert (codes(), shown()["next_run_at"] is not None) == ([], True)


def test_an_export_that_cannot_start_says_why(app: InMemoryApp) -> None:
    app.save(schedule=OFF, enabled=False)
    app.save_connection(a_connection(consent=None, segments=("Staff",)))
    assert codes() == ["export_disabled", "consent_missing", "segment_not_shared"]
    (listed,) = told(ask("list_exports"))["exports"]
    assert listed["warnings"] == shown()["warnings"]


def test_an_export_without_its_connection_says_so(app: InMemoryApp) -> None:
    app.save(schedule=OFF, connection="gone")
    assert codes() == ["connection_missing"]


def test_a_list_that_is_gone_is_a_warning_until_the_export_is_saved(app: InMemoryApp) -> None:
    app.sendgrid.lists.clear()
    finished(app)
    (warning,) = shown()["warnings"]
    assert warning["code"] == "list_missing"
    assert warning["message"].startswith("The last run ended with: ")
    app.clock.now += timedelta(seconds=1)
    app.save(schedule=OFF)
    assert codes() == []


def test_a_column_that_the_newest_extract_lacks_is_a_warning(app: InMemoryApp) -> None:
    app.save(schedule=OFF, mapping={"email": "Address"})
    finished(app)
    assert codes() == ["column_missing"]


def test_more_contacts_than_the_most_are_a_warning(app: InMemoryApp) -> None:
    app.save(schedule=OFF, max_contacts=2)
    finished(app)
    assert codes() == ["too_many_contacts"]


def test_looking_at_an_export_asks_sendgrid_nothing(app: InMemoryApp) -> None:
    shown()
    assert app.sendgrid.requests == 0


def test_what_was_told_may_be_sent_back(app: InMemoryApp) -> None:
    finished(app)
    assert ask("put_export", shown()).status_code == 200


@pytest.mark.parametrize(
    ("cron", "after", "due"),
    [
        ("0 6 * * *", "2026-03-02T06:00:00+00:00", "2026-03-03T05:00:00+00:00"),
        ("30 2 * * *", "2026-10-25T00:40:00+00:00", "2026-10-26T01:30:00+00:00"),
    ],
)
def test_the_next_due_time_is_after_the_moment_in_the_schedules_zone(cron: str, after: str, due: str) -> None:
    schedule = OwnSchedule(kind="cron", cron=cron, time_zone="Europe/Stockholm")
    assert next_due(schedule, after=datetime.fromisoformat(after)) == datetime.fromisoformat(due)


# --- the list of exports ------------------------------------------------------------------------------------


def listed(caller: str = "admin", **params: str) -> Any:  # noqa: ANN401 - JSON is anything
    return told(ask("list_exports", caller=caller, params=params))


def test_the_list_tells_of_each_export_what_the_export_itself_tells(app: InMemoryApp) -> None:
    app.save("offers", schedule=OFF, max_contacts=2)
    app.start("offers")
    app.work()
    finished(app)
    told_of_each = {each["id"]: each for each in listed()["exports"]}
    assert told_of_each.keys() == {"newsletter", "offers"}
    for export, shown_in_list in told_of_each.items():
        assert shown_in_list == told(ask("get_export", id=export))
    assert told_of_each["offers"]["last_run"]["reason"]["code"] == "too_many_contacts"
    assert app.sendgrid.requests > 0


def test_the_list_comes_by_pages_and_names_none_of_others(app: InMemoryApp) -> None:
    app.save_connection(a_connection(users=("nora",)), "other")
    for name in ("a", "a-b", "b", "c", "d"):
        app.save(name, schedule=OFF, connection="other" if name in {"a", "b", "d"} else "main")
    app.save_connection(a_connection(users=("nora",)), "other")
    seen, address = [], listed("nora", limit="1")
    while True:
        seen += [each["id"] for each in address["exports"]]
        if address["next"] is None:
            break
        assert address["next"] == f"/api/exports?limit=1&after={seen[-1]}"
        address = listed("nora", limit="1", after=seen[-1])
    assert seen == ["a", "b", "d"]
    everything = [each["id"] for each in listed()["exports"]]
    assert everything == ["a", "a-b", "b", "c", "d", "newsletter"]
    assert listed(limit="6")["next"] is None
    assert [each["id"] for each in listed(limit="100", after=everything[2])["exports"]] == everything[3:]


def test_a_page_reads_no_more_than_it_is_said_to(app: InMemoryApp, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(40):
        app.save(f"export-{number:02}", schedule=OFF)
    read: list[str] = []
    get = app.blobs.get

    def noting(name: str) -> Any:  # noqa: ANN401 - as it is
        read.append(name)
        return get(name)

    monkeypatch.setattr(app.blobs, "get", noting)
    assert len(listed(limit="10")["exports"]) == 10
    assert len([name for name in read if name.startswith("exports/")]) == READERS


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("params", [{"limit": "0"}, {"limit": "101"}, {"after": "../x"}, {"after": ""}])
def test_a_page_that_there_cannot_be_is_refused(params: dict[str, str]) -> None:
    refused = ask("list_exports", params=params)
    assert refused.status_code == 400
    assert [each["field"] for each in told(refused)["errors"]] == list(params)
