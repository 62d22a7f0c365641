"""The pages that the API has beside the console: its description, what its codes mean, and a run's report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.support.console import WATCH_POLICY

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.support.console import Console
    from tests.support.running_app import RunningApp


def test_the_description_shows_every_operation(browser: Browser, running: RunningApp) -> None:
    """What axe says of it is Swagger UI's own affair."""
    faults: list[str] = []
    with browser.new_context() as context:
        context.add_init_script(WATCH_POLICY)
        page = context.new_page()
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: faults.extend([] if running.host.url in request.url else [request.url]))
        page.goto(f"{running.host.url}/api/docs")
        described = running.get("/api/openapi.json")["paths"]
        expect(page.locator(".opblock")).to_have_count(sum(map(len, described.values())))
        faults.extend(page.evaluate("violations"))
    assert [fault for fault in faults if not fault.startswith("data:")] == []


def test_the_type_of_a_problem_leads_to_what_it_means(console: Console) -> None:
    problem = console.running.api.get("/api/exports/none").json()
    console.page.goto(f"{console.url}{problem['type']}")
    expect(console.page.locator("section:target")).to_contain_text(problem["code"])
    console.judge_everywhere()
