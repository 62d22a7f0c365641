"""An export and its runs in the browser: started, followed, decided about, and looked at afterwards."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from functions.words import Words
from tests.support.running_app import csv_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.support.console import Console
    from tests.support.running_app import RunningApp, SavedExport

USERS = ["contributor", "operator", "viewer"]
WRONG = ["no address", "", "also wrong"]
CROWD = [f"person{number}@example.com" for number in range(40)]


@pytest.fixture
def connection(running: RunningApp) -> str:
    return running.connection(users=USERS)


@pytest.fixture
def export(running: RunningApp, connection: str) -> SavedExport:
    """Of whom some have no address."""
    return running.export_of(*CROWD, *WRONG, CROWD[0], connection=connection, name="Newsletter")


def test_a_run_is_started_and_followed_to_its_end(console: Console, export: SavedExport) -> None:
    console.sign_in("operator", f"/exports/{export.id}")
    page = console.page
    expect(console.heading()).to_have_text("Newsletter")
    expect(page.get_by_text("Never")).to_be_visible()
    console.judge_everywhere()
    page.get_by_role("button", name="Run now").click()
    page.get_by_role("dialog").get_by_role("button", name="Run now").click()
    expect(console.heading()).to_have_text(f"Run of {export.id}")
    expect(page.get_by_role("status").filter(has_text="The run is now: Succeeded")).to_be_attached()
    expect(page.get_by_role("heading", name="44 rows read")).to_be_visible()
    expect(page.locator("dt", has_text="Age of the extract then").locator("+ dd")).to_contain_text("sec")
    rows = {row.inner_text().split("\t")[0]: row.inner_text() for row in page.get_by_role("row").all()}
    assert re.search(r"40\t90\.9", rows["Sent"])
    assert re.search(r"^Duplicate\t1\t", rows["Duplicate"])
    assert re.search(r"^Rejected\t3\t", rows["Rejected"])
    assert "email_invalid" in rows
    console.judge_everywhere()
    [run] = export.runs()
    assert page.url.endswith(f"#/exports/{export.id}/runs/{run.id}")


def test_rejected_rows_are_shown_and_kept_as_a_file(console: Console, export: SavedExport, tmp_path: Path) -> None:
    run = export.start()
    run.wait()
    console.sign_in("contributor", f"/exports/{export.id}/runs/{run.id}")
    page = console.page
    page.get_by_role("button", name="Show the rows").click()
    table = page.get_by_role("region", name="Rejected rows").get_by_role("table")
    expect(table.get_by_role("row")).to_have_count(1 + len(WRONG))
    expect(table).to_contain_text("email_missing")
    console.judge_everywhere()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    kept = tmp_path / "rejected.csv"
    download.value.save_as(kept)
    assert download.value.suggested_filename == f"{export.id}-{run.id}-rejected.csv"
    assert kept.read_text().count("\n") == 1 + len(WRONG)
    with page.expect_download() as report:
        page.get_by_role("button", name="Download the report").click()
    report.value.save_as(tmp_path / "report.html")
    assert export.id in (tmp_path / "report.html").read_text()


def test_why_a_run_failed_is_said_in_the_readers_language_and_in_the_apps_own_sentence(
    console: Console, console_in: Callable[[str], Console], running: RunningApp, connection: str
) -> None:
    run = running.export_of(*WRONG, connection=connection).start()
    view = run.wait()
    address, message = f"/exports/{run.export}/runs/{run.id}", view["reason"]["message"]
    assert view["status"] == "failed"
    told, row = _told("ru", "no_valid_contact"), _told("ru", "email_missing")
    with console_in("ru-RU") as russian:
        russian.sign_in("operator", address)
        page = russian.page
        box = page.locator(".box-bad")
        expect(box.locator("p")).to_have_text([told["meaning"], told["action"], message])
        assert [each.get_attribute("lang") for each in box.locator("p").all()] == [None, None, "en"]
        expect(page.locator("tr").filter(has_text="email_missing")).to_contain_text(row["meaning"])
        russian.judge_everywhere()
        page.get_by_role("combobox", name="Язык").select_option("en")
        expect(box.locator("p")).to_have_text([message, view["next_step"]])
        expect(page.locator("tr").filter(has_text="email_missing")).to_contain_text("has no e-mail address")
        page.get_by_role("combobox", name="Language").select_option("ru")
        expect(box.locator("p")).to_have_text([told["meaning"], told["action"], message])
    console.sign_in("operator", address)
    expect(console.page.locator(".box-bad p")).to_have_text([message, view["next_step"]])


def test_what_is_refused_and_what_will_hinder_is_said_in_the_readers_language(
    console_in: Callable[[str], Console], running: RunningApp, connection: str
) -> None:
    export = running.export_of(*WRONG, connection=connection, enabled=False)
    with console_in("fr-FR") as french:
        french.sign_in("operator", f"/exports/{export.id}")
        box = french.page.locator(".box-warning").filter(has_text=_told("fr", "export_disabled")["meaning"])
        expect(box).to_contain_text(_told("fr", "export_disabled")["action"])
        expect(box.locator("p[lang=en]")).to_have_count(1)
        french.allow(404)
        french.open("/exports/none")
        alert = french.page.get_by_role("alert")
        expect(alert.locator("strong")).to_have_text(_told("fr", "export_missing")["meaning"])
        expect(alert.locator("p[lang=en]")).to_have_count(1)
        french.judge_everywhere()


def _told(language: str, code: str) -> Mapping[str, str]:
    told = Words(language=language, zone=ZoneInfo("UTC")).translated(code)
    assert told is not None
    return told


def test_a_viewer_looks_and_is_offered_nothing_else(console: Console, export: SavedExport) -> None:
    run = export.start()
    run.wait()
    console.sign_in("viewer", f"/exports/{export.id}/runs/{run.id}")
    expect(console.page.get_by_role("heading", name="44 rows read")).to_be_visible()
    assert _buttons(console) == ["Download the report"]
    console.open(f"/exports/{export.id}")
    expect(console.heading()).to_have_text("Newsletter")
    assert _buttons(console) == []


def _buttons(console: Console) -> list[str]:
    return console.page.get_by_role("main").get_by_role("button").all_inner_texts()


def test_a_stranger_is_told_of_neither(console: Console, export: SavedExport) -> None:
    run = export.start()
    run.wait()
    console.allow(404)
    console.sign_in("stranger", f"/exports/{export.id}/runs/{run.id}")
    expect(console.page.get_by_role("alert")).to_be_visible()
    console.open(f"/exports/{export.id}")
    expect(console.page.get_by_role("alert")).to_be_visible()
    expect(console.page.get_by_text("Newsletter")).to_have_count(0)
    console.judge_everywhere()


def test_many_leavers_wait_until_somebody_has_looked_at_their_number(
    console: Console, running: RunningApp, connection: str
) -> None:
    export = running.export_of(*CROWD, connection=connection, leavers="remove")
    export.run()
    running.deliver_emails(*CROWD[:10], segment=export.get()["segments"][0], day=2)
    run = export.start()
    assert run.wait()["removals_to_confirm"] == 30
    console.sign_in("contributor")
    page = console.page
    row = page.locator("tbody tr").filter(has=page.get_by_role("link", name=export.id))
    expect(row.locator(".box-warning")).to_contain_text("30 leavers")
    console.open(f"/exports/{export.id}/runs/{run.id}")
    expect(page.get_by_text("30 members are in no extract any more")).to_have_count(1)
    expect(page.locator("dt").get_by_text("Waiting for a decision").locator("+ dd")).to_have_text("30")
    page.get_by_role("button", name="Take 30 people off the list").click()
    dialog = page.get_by_role("dialog")
    take_off = dialog.get_by_role("button", name="Take 30 people off")
    expect(take_off).to_be_disabled()
    console.judge_everywhere()
    dialog.get_by_role("checkbox").check()
    take_off.click()
    expect(page.get_by_text("Takes off whom this run found")).to_be_visible()
    expect(page.get_by_text("Succeeded", exact=True)).to_be_visible()
    assert export.emails() == sorted(CROWD[:10])


def test_a_run_that_waits_says_for_what_and_is_cancelled(
    console: Console, running: RunningApp, connection: str
) -> None:
    rows = [[email] for email in CROWD]
    segment = running.name("Segment")
    running.extracts.upload_blob(f"{segment}/2026-01-01/{segment}_1.csv", csv_text(["EMail"], rows))
    source = {"success_marker": "_SUCCESS"}
    export = running.export(segment, connection=connection, source=source)
    run = export.start()
    console.sign_in("operator", f"/exports/{export.id}/runs/{run.id}")
    page = console.page
    expect(page.get_by_text("Waiting for the extract").first).to_be_visible()
    console.judge_everywhere()
    page.get_by_role("button", name="Cancel the run").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()
    expect(page.get_by_text("Cancelled", exact=True)).to_be_visible()
    assert run.get()["status"] == "cancelled"


def test_a_dry_run_tells_what_a_run_would_do(console: Console, export: SavedExport) -> None:
    console.sign_in("contributor", f"/exports/{export.id}")
    page = console.page
    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_role("heading", name="What a run would do")).to_be_visible()
    expect(page.locator("dt", has_text="New contacts").locator("+ dd")).to_have_text("40")
    console.judge_everywhere()
    assert export.emails() == []


def test_an_export_is_disabled_duplicated_and_deleted(console: Console, export: SavedExport) -> None:
    console.sign_in("contributor", f"/exports/{export.id}")
    page = console.page
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_role("button", name="Enable")).to_be_visible()
    assert export.get()["enabled"] is False
    page.get_by_role("button", name="Duplicate").click()
    console.allow(400)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("ID of the copy").fill("Not An Id")
    dialog.get_by_role("button", name="Duplicate").click()
    expect(dialog.get_by_label("ID of the copy")).to_have_attribute("aria-invalid", "true")
    console.judge_everywhere()
    copy = f"{export.id}-copy"
    dialog.get_by_label("ID of the copy").fill(copy)
    dialog.get_by_role("button", name="Duplicate").click()
    expect(console.heading()).to_have_text("Copy of Newsletter")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(console.heading()).to_have_text("Exports")
    assert copy not in [each["id"] for each in console.running.get("/api/exports")["exports"]]
    console.allow(404)
    console.open(f"/exports/{copy}")
    expect(page.get_by_text("If it was deleted, its runs are still here:")).to_be_visible()
    expect(page.get_by_text("No run fits.")).to_be_visible()


def test_an_administrator_detaches_an_export(console: Console, export: SavedExport) -> None:
    console.sign_in("admin", f"/exports/{export.id}")
    page = console.page
    page.get_by_role("button", name="Detach").click()
    page.get_by_role("dialog").get_by_role("button", name="Detach").click()
    expect(page.get_by_text("Detached from its connection").first).to_be_visible()
    expect(page.get_by_role("button", name="Run now")).to_have_count(0)
    assert export.get()["connection"] is None
