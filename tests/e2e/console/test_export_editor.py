"""The editor of exports: columns meet fields, saving runs nothing, and what it would do can be seen first."""

from __future__ import annotations

import re
import time
import uuid
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support.running_app import csv_text

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Locator, Route

    from tests.support.console import Console
    from tests.support.running_app import RunningApp

COLUMNS = ["CustomerId", "EMail", "FirstName", "Surname", "Town", "loyalty_tier"]


@pytest.fixture(scope="module")
def segment(running: RunningApp) -> str:
    """A segment of three customers."""
    rows = [[f"{number}", f"{name}@example.com", name, "Ek", "Lund", "gold"] for number, name in enumerate("abc")]
    return running.deliver(csv_text(COLUMNS, rows))


@pytest.fixture(scope="module")
def connection(running: RunningApp) -> str:
    """A connection that the contributor may use."""
    return running.connection(users=["contributor", "viewer"])


def _button(console: Console, name: str) -> Locator:
    return console.page.get_by_role("button", name=name, exact=True)


def _column(console: Console, field: str) -> Locator:
    """The choice of a column for a field."""
    return console.page.get_by_label(re.compile(f"^{re.escape(field)}")).and_(console.page.locator(".map select"))


def _row(console: Console, field: str) -> Locator:
    """A field with its column and what the first rows say of it."""
    label = console.page.get_by_label(re.compile(f"^{re.escape(field)}"))
    return console.page.locator(".map").filter(has=label)


def _fill_in(console: Console, *, name: str, connection: str, segment: str, list_name: str) -> None:
    page = console.page
    page.get_by_label("Display name").fill(name)
    page.get_by_label("Connection for export").select_option(connection)
    page.get_by_label(segment, exact=True).check()
    page.get_by_label("Contact list at SendGrid").select_option(f"{list_name} (0 contacts)")


def test_an_export_is_made_tried_and_enabled(
    console: Console, running: RunningApp, connection: str, segment: str
) -> None:
    name = running.name("made")
    running.cloud.simulator.create_list(name)
    console.sign_in("contributor", "/exports/new")
    page = console.page
    _fill_in(console, name=name, connection=connection, segment=segment, list_name=name)
    for field, column in (
        ("Email", "EMail"),
        ("First name", "FirstName"),
        ("Last name", "Surname"),
        ("City", "Town"),
    ):
        expect(_column(console, field)).to_have_value(column)
    expect(page.get_by_text("Of the first 3 rows, 3 would be sent")).to_be_visible()
    expect(_row(console, "First name")).to_contain_text("Fits, in all 3 rows that were looked at")
    expect(_row(console, "City").locator("code")).to_have_text(["L***", "L***", "L***"])
    page.get_by_label("On demand").check()
    expect(page.get_by_label("Minutes to wait")).to_have_value("2")
    page.get_by_label("Minutes to wait").fill("0")
    console.judge_everywhere()
    _button(console, "Save, and try it first").click()
    expect(page.get_by_text("Saved. Nothing was run.")).to_be_visible()
    console.judge_everywhere()
    saved = running.get(f"/api/exports/{name}")
    assert (saved["enabled"], saved["schedule"], saved["segments"]) == (False, {"kind": "off"}, [segment])
    assert {field: column for field, column in saved["mapping"].items() if column} == {
        "email": "EMail",
        "first_name": "FirstName",
        "last_name": "Surname",
        "city": "Town",
    }
    _button(console, "What would it do?").click()
    new = page.locator("dt", has_text=re.compile("^New contacts$")).locator("+ dd")
    expect(new).to_have_text("3", timeout=60_000)
    console.judge_everywhere()
    assert running.cloud.simulator.list_emails(saved["list_id"]) == []
    _button(console, "Enable").click()
    expect(page.get_by_text("It runs when somebody starts it.")).to_be_visible()
    assert running.get(f"/api/exports/{name}")["enabled"] is True
    assert [run["kind"] for run in running.get(f"/api/exports/{name}/runs")["runs"]] == ["dry_run"]


def test_columns_can_be_looked_into_before_they_are_mapped(
    console: Console, running: RunningApp, connection: str, segment: str
) -> None:
    console.sign_in("contributor", "/exports/new")
    page = console.page
    page.get_by_label("Connection for export").select_option(connection)
    page.get_by_label(segment, exact=True).check()
    page.get_by_text(f"{segment}: all columns, with masked values").click()
    columns = page.locator("details[open] li")
    expect(columns).to_have_count(len(COLUMNS))
    expect(columns.filter(has_text="loyalty_tier")).to_contain_text("Text g***")
    expect(columns.filter(has_text="EMail")).to_contain_text("Email a***********")
    console.judge_everywhere()
    read = running.get("/api/audit?operation=Segments.Get")["entries"]
    assert segment in [entry["properties"]["segment"] for entry in read]


def test_what_is_wrong_with_an_export_stands_at_its_fields(
    console: Console, running: RunningApp, connection: str, segment: str
) -> None:
    console.allow(400)
    console.sign_in("contributor", "/exports/new")
    page = console.page
    name = running.name("wrong")
    page.get_by_label("Display name").fill(name)
    page.get_by_label("Connection for export").select_option(connection)
    page.get_by_label(segment, exact=True).check()
    _column(console, "Email").select_option("")
    page.get_by_label("By a cron expression").check()
    page.get_by_role("textbox", name="Cron expression").fill("0 6 1-7 * MON")
    expect(page.get_by_role("status").filter(has_text="weekday")).to_be_visible()
    _button(console, "Save and enable").click()
    for field in (
        _column(console, "Email"),
        page.get_by_label("Contact list at SendGrid"),
        page.get_by_role("textbox", name="Cron expression"),
    ):
        expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Contact list at SendGrid")).to_be_focused()
    console.judge_everywhere()
    assert running.api.get(f"/api/exports/{name}").status_code == 404


def test_a_column_that_the_extract_has_not_is_told_and_can_be_replaced(
    console: Console, running: RunningApp, connection: str, segment: str
) -> None:
    console.allow(409)
    export = running.export(segment, connection=connection, mapping={"email": "EMail", "city": "Stad"})
    console.sign_in("contributor", f"/exports/{export.id}/edit")
    expect(_column(console, "City")).to_have_attribute("aria-invalid", "true")
    expect(console.page.get_by_text("The extract has no such column.")).to_be_visible()
    expect(console.page.get_by_role("alert")).to_contain_text("Stad")
    console.judge_everywhere()
    _button(console, "Save").click()
    expect(console.page.locator(".outcome")).to_contain_text("Stad")
    _column(console, "City").select_option("Town")
    _button(console, "Save").click()
    expect(console.page.locator(".outcome")).not_to_contain_text("Stad")
    assert export.get()["mapping"]["city"] == "Town"


def test_what_somebody_else_saved_meanwhile_is_not_overwritten(
    console: Console, running: RunningApp, connection: str, segment: str
) -> None:
    console.allow(412)
    export = running.export(segment, connection=connection)
    console.sign_in("contributor", f"/exports/{export.id}/edit")
    page = console.page
    page.get_by_label("Display name").fill("Mine")
    running.api.patch(f"/api/exports/{export.id}", json={"leavers": "remove"}).raise_for_status()
    _button(console, "Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Different from what you began with: Who has left.")
    console.judge_everywhere()
    assert export.get()["name"] == export.id
    _button(console, "Show theirs, and drop mine").click()
    expect(page.get_by_label("Is taken off the list")).to_be_checked()
    expect(page.get_by_label("Display name")).to_have_value(export.id)
    page.get_by_label("Display name").fill("Ours")
    _button(console, "Save").click()
    expect(page.get_by_text("Saved. Nothing was run.")).to_be_visible()
    saved = export.get()
    assert (saved["name"], saved["leavers"]) == ("Ours", "remove")


def test_among_very_many_lists_one_is_found_by_its_name(console: Console, connection: str, segment: str) -> None:
    del segment
    lists = [{"id": str(uuid.UUID(int=at)), "name": f"List {at:05}", "contact_count": at} for at in range(10_000)]
    console.page.route(
        f"**/api/connections/{connection}/lists", lambda route: route.fulfill(json={"lists": lists})
    )
    console.sign_in("contributor", "/exports/new")
    page = console.page
    page.get_by_label("Connection for export").select_option(connection)
    expect(page.get_by_text("Of 10,000 lists the first 200 are shown")).to_be_visible()
    choice = page.get_by_label("Contact list at SendGrid")
    expect(choice.locator("option")).to_have_count(201)
    page.get_by_label("Filter by name").first.fill("list 09999")
    choice.select_option("List 09999 (9,999 contacts)")
    page.get_by_label("Filter by name").first.fill("")
    expect(choice).to_have_value(str(lists[-1]["id"]))
    console.judge()


def test_why_nothing_was_saved_is_seen_wherever_one_has_pressed(
    console: Console, running: RunningApp, connection: str, segment: str
) -> None:
    export = running.export(segment, connection=connection)
    console.sign_in("contributor", f"/exports/{export.id}/edit")
    page = console.page
    expect(page.get_by_text("Of the first 3 rows")).to_be_visible()
    console.allow(412, 503)
    page.route(f"**/api/exports/{export.id}", lambda route: route.fulfill(status=503))
    _button(console, "Save").click()
    expect(page.get_by_role("alert")).to_be_in_viewport()
    expect(page.get_by_role("alert")).to_be_focused()
    page.unroute(f"**/api/exports/{export.id}")
    running.api.patch(f"/api/exports/{export.id}", json={"leavers": "remove"}).raise_for_status()
    _button(console, "Save").click()
    expect(page.get_by_text("Different from what you began with")).to_be_in_viewport()
    expect(page.get_by_role("alert")).to_be_focused()


def test_what_does_not_fit_is_told_while_columns_are_chosen(
    console: Console, running: RunningApp, connection: str
) -> None:
    rows = [["a@example.com", "A" * 60], ["b@example.com", ""], ["nobody", "C"]]
    segment = running.deliver(csv_text(["EMail", "Nick"], rows))
    export = running.export(segment, connection=connection)
    console.sign_in("contributor", f"/exports/{export.id}/edit")
    page = console.page
    expect(_row(console, "Email")).to_contain_text("1 row would be rejected, of 3 rows")
    _column(console, "First name").select_option("Nick")
    expect(_row(console, "First name")).to_contain_text("1 is empty and 1 value is cut, of 3 rows")
    _row(console, "First name").get_by_label("Reject rows whose value is too long").check()
    expect(page.get_by_text("0 are duplicates, 2 would be rejected.")).to_be_visible()
    expect(_row(console, "Email")).to_contain_text("1 row would be rejected, of 3 rows")
    console.judge_everywhere()
    _button(console, "Save").click()
    expect(page.get_by_text("Saved. Nothing was run.")).to_be_visible()
    assert export.get()["mapping"]["over_long"] == {"first_name": "reject"}


def test_a_busy_app_is_asked_again_when_it_says_so(
    console: Console, running: RunningApp, connection: str, segment: str
) -> None:
    console.allow(429)
    export = running.export(segment, connection=connection)
    asked: list[float] = []

    def busy_once(route: Route) -> None:
        asked.append(time.monotonic())
        if len(asked) > 1:
            return route.fallback()
        return route.fulfill(status=429, headers={"Retry-After": "2"}, json={"code": "too_many_requests"})

    console.page.route("**/api/preview", busy_once)
    console.sign_in("contributor", f"/exports/{export.id}/edit")
    expect(_row(console, "Email")).to_contain_text("Fits, in all 3 rows")
    assert len(asked) == 2
    assert asked[1] - asked[0] >= 2


def test_days_and_times_are_said_in_words(
    console: Console, running: RunningApp, connection: str, segment: str
) -> None:
    schedule = {"kind": "cron", "cron": "30 6 * * MON-WED", "time_zone": "Asia/Tokyo"}
    export = running.export(segment, connection=connection, schedule=schedule)
    console.sign_in("contributor", f"/exports/{export.id}/edit")
    page = console.page
    expect(page.get_by_label("Every week")).to_be_checked()
    expect(page.get_by_label("Time", exact=True)).to_have_value("06:30")
    expect(page.get_by_text("The next times, in Asia/Tokyo")).to_be_visible()
    expect(page.locator(".times li")).to_have_count(5)
    expect(page.locator(".times li").first).to_contain_text("6:30 AM")
    expect(page.get_by_role("group", name="On").get_by_role("checkbox", checked=True)).to_have_count(3)
    page.get_by_label("Tuesday").uncheck()
    page.get_by_label("Time", exact=True).fill("22:05")
    expect(page.locator(".times li").first).to_contain_text("10:05 PM")
    expect(page.locator(".times")).not_to_contain_text("Tuesday")
    console.judge_everywhere()
    _button(console, "Save").click()
    expect(page.get_by_text("Saved. Nothing was run.")).to_be_visible()
    assert export.get()["schedule"] == {"kind": "cron", "cron": "5 22 * * MON,WED", "time_zone": "Asia/Tokyo"}


def test_an_expression_that_words_do_not_say_stays_as_it_is(
    console: Console, running: RunningApp, connection: str, segment: str
) -> None:
    schedule = {"kind": "cron", "cron": "0 6 * * MON#1", "time_zone": "UTC"}
    export = running.export(segment, connection=connection, schedule=schedule)
    console.sign_in("contributor", f"/exports/{export.id}/edit")
    expect(console.page.get_by_role("textbox", name="Cron expression")).to_have_value("0 6 * * MON#1")
    _button(console, "Save").click()
    expect(console.page.get_by_text("Saved. Nothing was run.")).to_be_visible()
    assert export.get()["schedule"] == schedule


def test_an_export_waits_for_its_extract(
    console: Console, running: RunningApp, connection: str, segment: str
) -> None:
    export = running.export(segment, connection=connection)
    console.sign_in("contributor", f"/exports/{export.id}/edit")
    console.page.get_by_label("When its extract has arrived").check()
    expect(console.page.get_by_label("Minutes to wait")).to_have_value("0")
    console.page.get_by_label("Minutes to wait").fill("1.5")
    console.judge()
    _button(console, "Save").click()
    expect(console.page.get_by_text("Saved. Nothing was run.")).to_be_visible()
    assert export.get()["schedule"] == {"kind": "arrival"}
    assert export.get()["source"]["settle"] == "PT1M30S"
    expect(console.page.get_by_text("It runs when its extract arrives.")).to_be_visible()
    expect(console.page.get_by_label("Minutes to wait")).to_have_value("1.5")
    console.open(f"/exports/{export.id}")
    for name in ("Next run", "Schedule"):
        told = console.page.locator("dt").get_by_text(name, exact=True).locator("+ dd")
        expect(told).to_have_text("When its extract arrives")


def test_who_may_not_edit_exports_is_told_so(
    console: Console, running: RunningApp, connection: str, segment: str
) -> None:
    export = running.export(segment, connection=connection)
    console.sign_in("viewer", f"/exports/{export.id}/edit")
    expect(console.page.get_by_role("alert")).to_contain_text("Your role does not allow this.")
    assert console.page.locator("main").get_by_role("button").count() == 0
    console.judge()


def test_a_detached_export_is_given_a_connection_again(
    console: Console, running: RunningApp, connection: str, segment: str
) -> None:
    export = running.export(segment, connection=connection)
    running.api.patch(f"/api/exports/{export.id}", json={"connection": None}).raise_for_status()
    console.sign_in("admin", f"/exports/{export.id}/edit")
    expect(console.page.get_by_text("The export has no connection")).to_be_visible()
    console.page.get_by_label("Connection for export").select_option(connection)
    _button(console, "Save").click()
    expect(console.page.get_by_text("Saved. Nothing was run.")).to_be_visible()
    assert export.get()["connection"] == connection


def test_nobody_leaves_what_they_filled_in_without_being_asked(
    console: Console, running: RunningApp, connection: str, segment: str
) -> None:
    name = running.name("left")
    running.cloud.simulator.create_list(name)
    console.sign_in("contributor", "/exports/new")
    page = console.page
    asked: list[str] = []
    _fill_in(console, name=name, connection=connection, segment=segment, list_name=name)
    overview = page.get_by_role("navigation").get_by_role("link", name="Exports", exact=True).first

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.once("dialog", stay)
    with page.expect_event("dialog"):
        overview.click()
    expect(page).to_have_url(re.compile("#/exports/new$"))
    page.once("dialog", stay)
    with page.expect_event("dialog"):
        page.go_back()
    expect(page).to_have_url(re.compile("#/exports/new$"))
    expect(page.get_by_label("Display name")).to_have_value(name)
    assert asked == ["What you have changed is not saved. Leave it?"] * 2

    _button(console, "Save, and try it first").click()
    expect(page.get_by_text("Saved. Nothing was run.")).to_be_visible()
    page.get_by_label("Display name").fill(f"{name} anew")
    _button(console, "Save").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("anew")
    overview.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Exports")
    assert len(asked) == 2
