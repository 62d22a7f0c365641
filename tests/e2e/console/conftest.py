"""The console in Chromium, on an app of its own for each module."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support.console import FLAGS, NOT_CHECKED, ROLES, Console, find_chromium
from tests.support.running_app import RunningApp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from local.cloud import LocalCloud

SECONDS = 60
"""To wait for what a page is to show; machines are busy."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, headless."""
    path = find_chromium()
    if path is None:
        pytest.skip(NOT_CHECKED)
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def running(browser: Browser, cloud: LocalCloud) -> Iterator[RunningApp]:
    """An app with nothing in it, and a key for each role."""
    del browser  # without one nothing needs to run
    with RunningApp(cloud) as running:
        running.start_host(key_names=[name for name in ROLES if name != "admin"], KEY_ROLES=json.dumps(ROLES))
        yield running


@pytest.fixture
def console(browser: Browser, running: RunningApp) -> Iterator[Console]:
    """A page that nobody is signed in on; in the end there must be nothing wrong with it."""
    with Console(browser, running) as console:
        yield console


@pytest.fixture
def console_in(browser: Browser, running: RunningApp) -> Callable[[str], Console]:
    """Makes a page in another language, to be used by `with`."""
    return lambda language: Console(browser, running, language=language)
