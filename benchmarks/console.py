"""How long the console takes until its first view is there, in the system's Chromium, and how much it loads."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

from local.cloud import LocalCloud

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

RUNS: Final = 5
CHROMIUM: Final = "chromium"
SIZE: Final = "performance.getEntries().reduce((sum, each) => sum + (each.transferSize ?? 0), 0)"


def measure() -> Iterator[dict[str, object]]:
    """Yield one row: a new browser each time, which has nothing in its cache; none where there is no Chromium."""
    path = shutil.which(CHROMIUM)
    if path is None:
        return
    with tempfile.TemporaryDirectory() as folder, LocalCloud(Path(folder)) as cloud:
        account = cloud.new_account()
        cloud.prepare_account(account)
        url = f"{cloud.start_host(account).url}/console"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
            seconds, sizes = zip(*(_first_view(browser, url) for _ in range(RUNS)), strict=True)
            browser.close()
    yield {
        "bench": "console_first_view",
        "seconds": round(statistics.median(seconds), 3),
        "bytes": statistics.median(sizes),
    }


def _first_view(browser: Browser, url: str) -> tuple[float, int]:
    with browser.new_context() as context:
        page = context.new_page()
        begin = time.perf_counter()
        page.goto(url)
        page.locator("form input").wait_for()
        return time.perf_counter() - begin, int(page.evaluate(SIZE))
