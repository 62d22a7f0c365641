"""The audit log in the console: filtered, by pages, with ways to what it is about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.support.console import Console
    from tests.support.running_app import RunningApp

DENIED = 60
"""More entries than a page has."""


@pytest.fixture(scope="module")
def connection(running: RunningApp) -> str:
    """A connection that was saved, and that somebody else was refused again and again."""
    found = running.connection()
    with running.host.client_with({"x-functions-key": running.host.named_keys["viewer"]}) as viewer:
        for _ in range(2):
            assert viewer.delete(f"/api/connections/{found}").status_code == 403
    for number in range(DENIED):
        running.put(f"/api/connections/other-{number}", running.get(f"/api/connections/{found}"))
    return found


def test_entries_are_filtered_and_the_address_keeps_the_filter(console: Console, connection: str) -> None:
    console.sign_in("admin", "/audit")
    console.page.get_by_label("Connection").fill(connection)
    console.page.get_by_label("Denials").select_option("true")
    console.page.get_by_role("button", name="Filter").click()
    rows = console.page.locator("tbody tr")
    expect(rows.first).to_contain_text("Connections.Delete")
    expect(rows.first).to_contain_text("Denied")
    expect(rows.first.get_by_role("link", name="viewer")).to_be_visible()
    expect(rows.first.get_by_role("link", name=connection)).to_have_attribute(
        "href", f"#/connections/{connection}"
    )
    assert all("Denied" in row.inner_text() for row in rows.all())
    expect(console.page).to_have_url(re.compile(f"#/audit\\?.*connection={connection}.*denied=true"))
    console.judge_everywhere()
    console.page.go_back()
    expect(console.page.get_by_label("Connection")).to_have_value("")
    expect(rows.filter(has_text="Connections.Save").first).to_be_visible()


def test_older_entries_come_on_demand_and_screen_readers_are_told(console: Console, connection: str) -> None:
    del connection
    console.sign_in("admin", "/audit?operation=Connections.Save")
    rows = console.page.locator("tbody tr")
    expect(rows).to_have_count(50)
    expect(console.page.get_by_role("status")).to_have_text("50 entries are shown.")
    console.page.get_by_role("button", name="Show older entries").click()
    expect(rows).to_have_count(100)
    expect(rows.last).to_contain_text("admin")


def test_a_filter_that_cannot_be_is_told_beside_its_field(console: Console) -> None:
    console.allow(400)
    console.sign_in("admin", "/audit")
    operation = console.page.get_by_label("Operation")
    operation.fill("anything")
    operation.press("Enter")
    expect(operation).to_have_attribute("aria-invalid", "true")
    expect(operation).to_be_focused()
    console.judge_everywhere()


def test_a_filter_that_nothing_fits_says_so(console: Console) -> None:
    console.sign_in("admin", "/audit?caller=nobody-at-all")
    expect(console.page.get_by_text("No entry fits these filters.")).to_be_visible()
