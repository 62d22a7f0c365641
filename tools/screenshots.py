"""`make screenshots`: pictures of the console's main views, with made-up people, into docs/pictures."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Literal

from playwright.sync_api import expect, sync_playwright

from local.cloud import LocalCloud
from local.export_api import ExportApi
from local.extracts.changed_people import ChangedPeople
from local.extracts.deliveries import PEOPLE_MAPPING, put_people
from local.extracts.people import People
from local.playground import CONNECTION, EXPORT, Playground, connection_definition, export_definition

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

    from local.cloud import Host

FOLDER: Final = Path("docs/pictures")
ROWS: Final = 10_000
DESK: Final[ViewportSize] = {"width": 1180, "height": 820}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
NEVER: Final = "0 0 0 1 1 *"
FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")

type Scheme = Literal["light", "dark"]


def main() -> int:
    """Take the pictures; the status to exit with."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("screenshots: there is no Chromium; install one (apt-get install chromium)")
        return 1
    with TemporaryDirectory() as folder, LocalCloud(Path(folder)) as cloud, sync_playwright() as playwright:
        playground = Playground(cloud)
        host = playground.start_host(tick=NEVER)
        run = _prepare(playground, host)
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        _take(browser, host, run)
        browser.close()
    return 0


def _prepare(playground: Playground, host: Host) -> str:
    """An export that has run twice, the last time after some have left; the id of that run."""
    before, now = People(rows=ROWS), datetime.now(UTC)
    run = ""
    with host.client() as client, playground.extracts() as container:
        api = ExportApi(client, say=print)
        api.put(f"/api/connections/{CONNECTION}", connection_definition())
        definition = export_definition(playground.list_id, PEOPLE_MAPPING, schedule="off", leavers="remove")
        deliveries: tuple[People | ChangedPeople, ...] = (before, ChangedPeople(before=before))
        for number, people in enumerate(deliveries):
            put_people(container, people, delivered_at=now + timedelta(minutes=number))
            api.put(f"/api/exports/{EXPORT}", definition)
            for snapshot in api.follow(api.start_run(EXPORT), timeout_seconds=300):
                run = snapshot.id
    return run


def _take(browser: Browser, host: Host, run: str) -> None:
    views = {
        "overview": "/",
        "export": f"/exports/{EXPORT}",
        "editor": f"/exports/{EXPORT}/edit",
        "run": f"/exports/{EXPORT}/runs/{run}",
        "connection": f"/connections/{CONNECTION}",
    }
    kinds: tuple[tuple[str, Scheme, ViewportSize], ...] = (
        ("light", "light", DESK),
        ("dark", "dark", DESK),
        ("phone", "light", PHONE),
    )
    FOLDER.mkdir(parents=True, exist_ok=True)
    for kind, scheme, size in kinds:
        with browser.new_context(viewport=size, color_scheme=scheme, locale="en-GB") as context:
            page = context.new_page()
            _sign_in(page, host)
            for name, address in views.items():
                page.evaluate("address => { location.hash = address; }", address)
                _settle(page)
                if name == "editor":
                    _show_matching(page)
                page.screenshot(path=FOLDER / f"{name}-{kind}.png")


def _sign_in(page: Page, host: Host) -> None:
    page.goto(f"{host.url}/console")
    page.locator("form input").fill(host.function_key)
    page.locator("form input").press("Enter")
    page.locator(".account").wait_for()


def _settle(page: Page) -> None:
    """Return when the view shows everything that it has asked for."""
    page.wait_for_load_state("networkidle")
    expect(page.locator(".spinner")).to_have_count(0, timeout=30_000)
    page.locator("h1").wait_for()


def _show_matching(page: Page) -> None:
    """Turn to the columns and fields of the editor, once it says what the first rows hold."""
    page.get_by_text("Of the first").wait_for()
    page.get_by_role("heading", name="Data matching").evaluate("heading => heading.scrollIntoView()")


if __name__ == "__main__":
    sys.exit(main())
