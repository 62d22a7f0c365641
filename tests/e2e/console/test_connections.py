"""Connections in the browser: made, changed, checked, and taken away, by whoever may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.support.console import Console
    from tests.support.running_app import RunningApp


def _button(console: Console, name: str) -> Locator:
    return console.page.get_by_role("button", name=name)


def _step(console: Console, text: str) -> Locator:
    return console.page.locator(".step", has_text=text)


def test_a_connection_is_made_and_checked(console: Console, running: RunningApp) -> None:
    name = running.name("made")
    console.sign_in("admin", "/connections/new")
    page = console.page
    page.get_by_label("Display name").fill(name)
    expect(page.get_by_label("Id", exact=True)).to_have_value(name)
    page.get_by_label("Name of the secret").fill(running.secret())
    page.get_by_label("Who can use this connection").fill("contributor\nviewer")
    page.get_by_label("I agree").check()
    console.judge_everywhere()
    _button(console, "Connect").click()
    expect(console.heading()).to_have_text(name)
    for step in ("Key Vault has the API key", "SendGrid takes the key", "The transfer of data is agreed to"):
        expect(_step(console, step)).to_be_visible()
    console.judge_everywhere()
    saved = running.get(f"/api/connections/{name}")
    assert (saved["users"], saved["segments"]) == (["contributor", "viewer"], None)
    assert saved["consent"]["given_by"]["id"] == "admin"


def test_the_step_that_fails_says_what_to_do(console: Console, running: RunningApp) -> None:
    console.allow(409)
    key = running.key(["mail.send"])
    connection = running.connection(secret_name=running.secret(key), consent=None)
    console.sign_in("admin", f"/connections/{connection}")
    expect(console.page.get_by_text("Nobody has agreed to the transfer of data").first).to_be_visible()
    _button(console, "Check the connection").click()
    expect(_step(console, "The key may not use Marketing")).to_be_visible()
    expect(_step(console, "SendGrid takes the key")).to_be_visible()
    expect(console.page.get_by_role("alert")).to_contain_text("marketing.*")
    console.judge_everywhere()


def test_what_is_wrong_with_a_connection_stands_at_its_fields(console: Console, running: RunningApp) -> None:
    console.allow(400)
    console.sign_in("admin", "/connections/new")
    page = console.page
    name = running.name("wrong")
    page.get_by_label("Display name").fill(name)
    page.get_by_label("Name of the secret").fill("no/secret")
    page.get_by_label("Contact limit").fill("0")
    _button(console, "Connect").click()
    expect(page.get_by_label("Name of the secret")).to_be_focused()
    for label in ("Name of the secret", "Contact limit"):
        expect(page.get_by_label(label)).to_have_attribute("aria-invalid", "true")
    console.judge()
    assert running.api.get(f"/api/connections/{name}").status_code == 404


def test_a_name_that_makes_no_id_asks_for_one(console: Console) -> None:
    console.sign_in("admin", "/connections/new")
    console.page.get_by_label("Display name").fill("Новости")
    _button(console, "Connect").click()
    expect(console.page.get_by_label("Id", exact=True)).to_be_focused()
    expect(console.page.get_by_role("alert")).to_contain_text("An id is needed.")
    console.judge()


def test_an_id_that_is_taken_changes_nothing(console: Console, running: RunningApp) -> None:
    console.allow(412)
    taken = running.connection(display_name="Theirs")
    console.sign_in("admin", "/connections/new")
    page = console.page
    page.get_by_label("Display name").fill("Mine")
    page.get_by_label("Id", exact=True).fill(taken)
    page.get_by_label("Name of the secret").fill("sendgrid")
    _button(console, "Connect").click()
    expect(page.get_by_label("Id", exact=True)).to_have_attribute("aria-invalid", "true")
    assert running.get(f"/api/connections/{taken}")["display_name"] == "Theirs"


def test_what_somebody_else_saved_meanwhile_is_shown_and_not_lost(console: Console, running: RunningApp) -> None:
    console.allow(412)
    connection = running.connection(contact_limit=1_000)
    address = f"/api/connections/{connection}"
    console.sign_in("admin", f"/connections/{connection}?edit=all")
    page = console.page
    page.get_by_label("Display name").fill("Mine")
    running.api.patch(address, json={"region": "eu", "contact_limit": 2_000}).raise_for_status()
    _button(console, "Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Region and Contact limit")
    console.judge_everywhere()
    assert running.get(address)["display_name"] == "Marketing"
    _button(console, "Show theirs").click()
    expect(page.get_by_label("Contact limit")).to_have_value("2000")
    page.get_by_label("Display name").fill("Ours")
    _button(console, "Save").click()
    expect(console.heading()).to_have_text("Ours")
    saved = running.get(address)
    assert (saved["display_name"], saved["region"], saved["contact_limit"]) == ("Ours", "eu", 2_000)


def test_an_agreement_is_withdrawn_and_given_anew_for_another_text(console: Console, running: RunningApp) -> None:
    connection = running.connection()
    console.sign_in("admin", f"/connections/{connection}?edit=all")
    page = console.page
    _button(console, "Change the text").click()
    page.get_by_label("What is agreed to").fill("I agree to more.")
    expect(page.get_by_label("I agree", exact=True)).not_to_be_checked()
    expect(page.get_by_text("Saving this withdraws the agreement")).to_be_visible()
    page.get_by_label("Version").fill("2")
    page.get_by_label("I agree", exact=True).check()
    _button(console, "Save").click()
    expect(page.get_by_text("agreed to version 2")).to_be_visible()
    assert running.get(f"/api/connections/{connection}")["consent"]["text"] == "I agree to more."


def test_a_connection_goes_when_its_exports_are_detached(console: Console, running: RunningApp) -> None:
    connection = running.connection()
    export = running.export(connection=connection)
    console.sign_in("admin", f"/connections/{connection}")
    page = console.page
    _button(console, "Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(export.id)
    expect(dialog.get_by_role("button", name="Delete connection")).to_have_count(0)
    console.judge()
    dialog.get_by_role("button", name="Cancel").click()
    _button(console, "Detach").click()
    dialog.get_by_role("button", name="Detach export", exact=True).click()
    expect(page.get_by_text("No export goes through this connection.")).to_be_visible()
    assert export.get()["connection"] is None
    _button(console, "Delete").click()
    _button(console, "Delete connection").click()
    expect(console.heading()).to_have_text("Connections")
    assert running.api.get(f"/api/connections/{connection}").status_code == 404


def test_lists_and_fields_of_the_account_are_shown(console: Console, running: RunningApp) -> None:
    running.cloud.simulator.create_list("Members of the club")
    console.sign_in("admin", f"/connections/{running.connection()}")
    _button(console, "Show lists and fields").click()
    expect(console.page.get_by_text("Members of the club")).to_be_visible()
    console.judge_everywhere()


def test_others_see_of_a_connection_what_is_theirs_to_see(console: Console, running: RunningApp) -> None:
    connection = running.connection(users=["viewer"])
    console.sign_in("viewer", "/connections")
    expect(_button(console, "Add connection")).to_have_count(0)
    expect(console.page.get_by_role("columnheader")).to_have_text(["Display name", "Type", "Exports"])
    console.page.get_by_role("row", name=connection).get_by_role("link", name="Marketing").click()
    expect(console.heading()).to_have_text("Marketing")
    assert console.page.locator("main").get_by_role("button").all_text_contents() == []
    console.judge_everywhere()
    console.allow(404)
    console.open(f"/connections/{running.connection()}")
    expect(console.page.get_by_role("alert")).to_contain_text("There is no connection")


def test_a_contributor_checks_what_is_shared_with_them(console: Console, running: RunningApp) -> None:
    connection = running.connection(users=["contributor"])
    console.sign_in("contributor", f"/connections/{connection}?edit=all")
    found = console.page.locator("main").get_by_role("button").all_text_contents()
    assert [each.strip() for each in found] == ["Check the connection", "Show lists and fields"]
    _button(console, "Check the connection").click()
    expect(_step(console, "SendGrid takes the key")).to_be_visible()
    _button(console, "Show lists and fields").click()
    console.judge_everywhere()
