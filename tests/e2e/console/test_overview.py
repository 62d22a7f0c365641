"""The overview: what needs somebody first, how runs went, and where to begin when there is nothing."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.support.console import Console
    from tests.support.running_app import RunningApp

HOSTILE = "<img src=x onerror=alert(1)> ${alert(2)}"
USERS = ["contributor", "operator", "viewer"]


@pytest.mark.parametrize(
    ("role", "offered"), [("admin", "Add a connection"), ("contributor", "Add export"), ("viewer", None)]
)
def test_where_there_is_nothing_one_is_led_to_the_first_thing_to_do(
    console: Console, role: str, offered: str | None
) -> None:
    console.sign_in(role)
    expect(console.page.get_by_role("heading", name="There is no export yet")).to_be_visible()
    links = console.page.locator("main").get_by_role("link")
    assert [link.inner_text() for link in links.all()] == ([offered] if offered else [])
    console.judge_everywhere()


@pytest.fixture(scope="module")
def exports(running: RunningApp) -> dict[str, str]:
    """An export that has run, one with a warning, one of a name that looks like markup; the ids by their kind."""
    connection = running.connection(users=USERS)
    segment = running.deliver("EMail\n" + "".join(f"person{number}@example.com\n" for number in range(7)))
    calm = running.export(segment, connection=connection, name="Calm")
    assert calm.run()["status"] == "succeeded"
    assert calm.run(force=True)["status"] == "succeeded"
    every_hour = {"kind": "cron", "cron": "0 * * * *", "time_zone": "Etc/UTC"}
    warned = running.export(segment, connection=connection, name="Warned", schedule={"kind": "refresh"})
    due = running.export(segment, connection=connection, name="Zeal", schedule=every_hour)
    off = running.export(segment, connection=connection, name=HOSTILE, enabled=False)
    return {"calm": calm.id, "warned": warned.id, "due": due.id, "off": off.id}


def test_warnings_come_first_and_each_export_says_how_it_went(console: Console, exports: dict[str, str]) -> None:
    console.sign_in("viewer")
    rows = console.page.locator("tbody tr")
    expect(rows).to_have_count(4)
    names = [row.locator("th a").inner_text() for row in rows.all()]
    assert names[0] == "Warned"
    expect(rows.first.locator(".box-warning")).to_contain_text("it never runs by itself")
    calm = rows.filter(has=console.page.get_by_role("link", name="Calm"))
    expect(calm.get_by_role("link", name="Succeeded")).to_have_attribute(
        "href", re.compile(re.escape(f"#/exports/{exports['calm']}/runs/"))
    )
    expect(calm.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile(re.escape("Contacts over the last 2 runs"))
    )
    expect(calm.locator("figcaption")).to_contain_text("Rows of the segment: 7")
    expect(calm.locator("figcaption")).to_contain_text("On the list: 7")
    expect(rows.filter(has=console.page.get_by_role("link", name="Zeal")).locator("time")).to_be_visible()
    console.judge_everywhere()


def test_a_long_name_leaves_room_for_how_it_went(
    console: Console, running: RunningApp, exports: dict[str, str]
) -> None:
    path = f"/api/exports/{exports['off']}?check=false"
    running.api.patch(path, json={"name": "Longname" * 12}).raise_for_status()
    try:
        console.sign_in("viewer")
        expect(console.page.get_by_role("columnheader", name="Contacts")).to_be_in_viewport(ratio=1)
    finally:
        running.api.patch(path, json={"name": HOSTILE}).raise_for_status()


def test_many_exports_are_found_by_name_and_segment(
    console: Console, running: RunningApp, exports: dict[str, str]
) -> None:
    some = running.get(f"/api/exports/{exports['calm']}")
    many = [{**some, "id": f"e{at}", "name": f"Name {at}"} for at in range(12)]
    many[7]["segments"] = ["Gold"]
    found = {"exports": many, "next": None}
    console.allow(404)  # of their charts: there are no such exports
    console.page.route("**/api/exports", lambda route: route.fulfill(json=found))
    console.sign_in("viewer")
    rows = console.page.locator("tbody tr")
    expect(rows).to_have_count(12)
    wanted = console.page.get_by_label("Filter by name or segment")
    wanted.fill("gold")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Name 7")
    wanted.fill("none of them")
    expect(console.page.get_by_text("No export fits.")).to_be_visible()
    console.judge_everywhere()


def test_a_name_is_text_and_nothing_else(console: Console, exports: dict[str, str]) -> None:
    del exports
    console.sign_in("admin")
    expect(console.page.get_by_role("link", name=HOSTILE, exact=True)).to_be_visible()
    expect(console.page.locator("main img")).to_have_count(0)
    expect(console.page.get_by_text("Disabled", exact=True)).to_be_visible()


def test_an_app_that_is_not_well_says_what_is_wrong(console: Console, exports: dict[str, str]) -> None:
    del exports
    console.allow(503)
    answer = {"status": "degraded", "version": "0.1.0", "problems": ["The timer sweep has missed three ticks."]}
    console.page.route("**/api/health", lambda route: route.fulfill(status=503, body=json.dumps(answer)))
    console.sign_in("admin")
    expect(console.page.get_by_role("alert")).to_contain_text("The timer sweep has missed three ticks.")
    console.page.unroute("**/api/health")
    console.page.get_by_role("button", name="Look again").click()
    expect(console.page.get_by_text("Everything runs that has to.")).to_be_visible()


def test_charts_that_are_not_looked_at_cost_nothing(console: Console, exports: dict[str, str]) -> None:
    del exports
    asked: list[str] = []
    console.page.on("request", lambda request: asked.append(request.url) if "/runs?" in request.url else None)
    console.page.set_viewport_size({"width": 1280, "height": 200})
    console.sign_in("admin")
    expect(console.page.locator("tbody tr")).to_have_count(4)
    console.page.wait_for_timeout(500)
    assert len(asked) < 4
    with console.page.expect_request("**/runs?*"):
        console.page.locator("tbody tr").last.scroll_into_view_if_needed()
