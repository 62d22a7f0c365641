"""A key opens the console, stays in memory, and is asked for again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.support.console import Console
    from tests.support.running_app import RunningApp


def test_the_right_key_opens_the_view_that_was_asked_for(console: Console) -> None:
    console.sign_in("admin", "/audit")
    expect(console.heading()).to_have_text("Audit log")
    expect(console.page).to_have_title("Audit log · Exports to SendGrid")
    console.judge_everywhere()


def test_a_wrong_key_opens_nothing_and_may_be_corrected(console: Console) -> None:
    console.allow(401)
    console.open()
    key = console.page.get_by_label("Function key")
    key.fill("admin.0123456789abcdef0123456789abcdef")
    key.press("Enter")
    expect(key).to_have_attribute("aria-invalid", "true")
    expect(key).to_be_focused()
    expect(console.page.get_by_text("Nobody has this key.")).to_be_visible()
    console.judge_everywhere()
    key.fill(console.running.host.function_key)
    key.press("Enter")
    expect(console.heading()).to_have_text("Exports")


def test_no_key_is_stored_and_a_reload_asks_for_it_again(console: Console, running: RunningApp) -> None:
    console.sign_in("admin")
    assert running.host.function_key not in console.stored()
    console.page.reload()
    expect(console.heading()).to_have_text("Sign in")
    expect(console.page.get_by_text("when you reload the page you are asked again")).to_be_visible()


def test_signing_out_forgets_the_key(console: Console) -> None:
    console.sign_in("admin")
    console.page.get_by_role("button", name="Sign out").click()
    expect(console.page.get_by_label("Function key")).to_have_value("")


def test_a_key_that_is_taken_away_leads_back_to_the_sign_in(console: Console) -> None:
    console.sign_in("admin")
    console.allow(401)
    console.page.route("**/api/audit*", lambda route: route.fulfill(status=401))
    console.page.get_by_role("link", name="Audit log").click()
    expect(console.heading()).to_have_text("Sign in")


def test_who_signs_in_anew_finds_what_they_have_written(console: Console) -> None:
    console.allow(401)
    console.sign_in("admin", "/connections/new")
    page = console.page
    page.get_by_label("Display name").fill("Mine")
    page.route("**/api/connections/mine", lambda route: route.fulfill(status=401))
    page.get_by_role("button", name="Connect").click()
    expect(console.heading()).to_have_text("Sign in")
    expect(console.heading()).to_be_focused()
    expect(page.get_by_text("The app does not know you any more.")).to_be_visible()
    expect(page.locator(".account")).to_have_count(0)
    console.judge_everywhere()
    page.get_by_label("Function key").fill("wrong")
    page.get_by_label("Function key").press("Enter")
    expect(page.get_by_text("Nobody has this key.")).to_be_visible()
    page.get_by_label("Function key").fill(console.running.host.named_keys["admin"])
    page.get_by_label("Function key").press("Enter")
    expect(page.get_by_label("Display name")).to_have_value("Mine")
    expect(console.heading()).to_be_focused()
    expect(page).to_have_title("Add a SendGrid connection · Exports to SendGrid")


def test_who_comes_instead_finds_nothing_of_what_was_written(console: Console) -> None:
    console.allow(401, 403)
    console.sign_in("contributor", "/exports/new")
    page = console.page
    page.get_by_label("Display name").fill("Mine")
    page.route("**/api/exports/mine", lambda route: route.fulfill(status=401))
    page.get_by_role("button", name="Save, and try it first").click()
    page.get_by_label("Function key").fill(console.running.host.named_keys["stranger"])
    page.get_by_label("Function key").press("Enter")
    expect(page.locator(".account")).to_contain_text("stranger")
    expect(page.get_by_label("Display name")).to_have_value("")


def test_who_may_not_read_the_audit_log_is_offered_none_and_told_so(console: Console) -> None:
    console.allow(403)
    console.sign_in("viewer")
    expect(console.page.get_by_role("link", name="Connections")).to_be_visible()
    expect(console.page.get_by_role("link", name="Audit log")).to_have_count(0)
    console.open("/audit")
    expect(console.page.get_by_role("alert")).to_contain_text("Your role does not allow this.")
