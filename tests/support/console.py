"""The console in a real browser, and what must be so of every page that it shows."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from playwright.sync_api import expect

if TYPE_CHECKING:
    from types import TracebackType

    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request

    from tests.support.running_app import RunningApp

AXE: Final = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome")
NOT_CHECKED: Final = "THE CONSOLE WAS NOT CHECKED: there is no Chromium; install one (apt-get install chromium)"
FLAGS: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
ROLES: Final = {
    "admin": "Administrator",
    "contributor": "Contributor",
    "operator": "Operator",
    "viewer": "Viewer",
    "stranger": "Contributor",
}
"""Names of the keys that open the app, and their roles; the stranger is meant to be no user of a connection."""
PHONE: Final = {"width": 320, "height": 640}
WATCH_POLICY: Final = """
  globalThis.violations = [];
  addEventListener("securitypolicyviolation", (event) =>
    violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
"""


def find_chromium() -> str | None:
    """The system's own browser."""
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


class Console:
    """A page of the console, and all that went wrong on it so far.

    Attributes:
        page: Playwright's page.
        faults: What must not be: errors in the browser's console, requests to elsewhere, breaches of the policy.
    """

    def __init__(self, browser: Browser, running: RunningApp, *, language: str = "en-US") -> None:
        self.running = running
        self.url = running.host.url
        self.faults: list[str] = []
        self._statuses: set[int] = set()
        self._origins = [f"{self.url}/", "data:", f"blob:{self.url}/"]
        self._context = browser.new_context(locale=language, timezone_id="Europe/Stockholm", accept_downloads=True)
        self._context.add_init_script(WATCH_POLICY)
        self.page: Page = self._context.new_page()
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("request", self._note_request)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.judge()
        finally:
            self._context.close()

    def allow(self, *statuses: int) -> None:
        """Say that the app will refuse something: the browser tells of each such answer as an error."""
        self._statuses.update(statuses)

    def allow_origin(self, origin: str) -> None:
        """Say that the page is meant to ask somebody else, too."""
        self._origins.append(f"{origin}/")

    def open(self, address: str = "") -> None:
        """Go to an address below the #, such as `/audit`; a page that is open already is not loaded anew."""
        wanted = f"{self.url}/console#{address}" if address else f"{self.url}/console"
        if self.page.url.partition("#")[0] == f"{self.url}/console" and address:
            self.page.evaluate("address => { location.hash = address; }", address)
        else:
            self.page.goto(wanted)
        self.wait()

    def sign_in(self, role: str = "admin", address: str = "") -> None:
        """Open the console with the key of a role and wait for the view that shows."""
        self.open(address)
        self.page.get_by_role("textbox").fill(self.running.host.named_keys[role])
        self.page.get_by_role("textbox").press("Enter")
        expect(self.page.locator(".account")).to_be_visible()
        self.wait()

    def wait(self) -> None:
        """Return when nothing is loading any more."""
        expect(self.heading()).to_be_visible()
        expect(self.page.locator(".spinner")).to_have_count(0)

    def heading(self) -> Locator:
        """The heading of the view that is seen; while somebody signs in anew theirs is kept unseen."""
        return self.page.locator("h1:visible")

    def axe(self) -> list[str]:
        """What axe finds wrong with the page as it is."""
        self.page.evaluate(AXE.read_text())
        found: dict[str, Any] = self.page.evaluate("() => axe.run()")
        return [
            f"axe: {each['id']}: {[node['html'][:200] for node in each['nodes']]}" for each in found["violations"]
        ]

    def judge(self) -> None:
        """Fail on anything that must not be on any page."""
        self.wait()
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        violations = [f"policy: {each}" for each in self.page.evaluate("violations")]
        too_wide = [f"{wide} pixels wider than the window"] if wide > 0 else []
        found = [*self.faults, *violations, *too_wide, *self.axe()]
        assert not found, "\n".join(found)

    def judge_everywhere(self) -> None:
        """The same, in light and dark, and on a phone."""
        size = self.page.viewport_size
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            self.judge()
        self.page.set_viewport_size(PHONE)  # type: ignore[arg-type] # a constant is no literal
        self.judge()
        if size is not None:
            self.page.set_viewport_size(size)
        self.page.emulate_media(color_scheme="light")

    def stored(self) -> str:
        """Everything that the page has stored, in whatever storage there is."""
        found = self.page.evaluate(
            "async () => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, "
            "await indexedDB.databases(), await caches.keys(), location.href, history.state])"
        )
        return str(found)

    def _note_console(self, message: ConsoleMessage) -> None:
        expected = any(f"status of {status} " in message.text for status in self._statuses)
        if message.type in {"error", "warning"} and not expected:
            self.faults.append(f"console: {message.text}")

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith(tuple(self._origins)):
            self.faults.append(f"request to elsewhere: {request.url}")
        if any(key in request.url for key in self.running.host.named_keys.values()):
            self.faults.append("a key stands in an address")
