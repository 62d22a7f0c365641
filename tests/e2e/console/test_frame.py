"""The frame of every view: keyboard, languages, colours, addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support.console import ROLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Request

    from tests.support.console import Console

COMPRESSED_MAX = 150_000
"""Bytes on the way, for all that the console loads."""


def test_the_first_step_by_keyboard_leads_past_the_navigation(console: Console) -> None:
    console.open()
    console.page.keyboard.press("Tab")
    expect(console.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    console.page.keyboard.press("Enter")
    expect(console.page.locator("main")).to_be_focused()
    console.page.keyboard.press("Tab")
    expect(console.page.get_by_label("Function key")).to_be_focused()


def test_a_view_that_one_goes_to_has_the_focus_on_its_heading(console: Console) -> None:
    console.sign_in("admin")
    expect(console.heading()).to_be_focused()
    page = console.page
    page.get_by_role("link", name="Connections").focus()
    page.keyboard.press("Enter")
    expect(console.heading()).to_have_text("Connections")
    expect(console.heading()).to_be_focused()
    expect(page).to_have_title("Connections · Exports to SendGrid")
    expect(page.get_by_role("link", name="Connections")).to_have_attribute("aria-current", "page")


@pytest.mark.parametrize("address", ["/none", "/exports/a/b/c/d", "/%zz", "/connections/x/y"])
def test_what_is_no_view_is_said_to_be_none(console: Console, address: str) -> None:
    console.sign_in("admin")
    console.open(address)
    expect(console.heading()).to_have_text("Not found")
    console.page.get_by_role("link", name="All exports").click()
    expect(console.heading()).to_have_text("Exports")


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("zh-HK", "zh-Hant-HK"),
        ("ca-ES", "ca"),
        ("fr-CH", "fr"),
        ("ru-RU", "ru"),
        ("sv-SE", "sv"),
        ("de-DE", "en"),
    ],
)
def test_the_browsers_language_is_spoken(console_in: Callable[[str], Console], asked: str, spoken: str) -> None:
    with console_in(asked) as console:
        console.sign_in("admin")
        assert console.page.evaluate("document.documentElement.lang") == spoken


def test_another_language_is_chosen_and_kept_without_a_reload(console: Console) -> None:
    console.sign_in("admin")
    console.page.get_by_role("combobox").nth(1).select_option("fr")
    expect(console.page.locator("html")).to_have_attribute("lang", "fr")
    expect(console.page.locator(".account")).to_be_visible()
    console.page.reload()
    expect(console.page.locator("html")).to_have_attribute("lang", "fr")
    assert "fr" in console.stored()


def test_colours_are_the_systems_or_chosen(console: Console) -> None:
    console.sign_in("admin")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = console.page.evaluate(ground)
    console.page.get_by_role("combobox").first.select_option("dark")
    dark = console.page.evaluate(ground)
    assert light != dark
    console.page.emulate_media(color_scheme="dark")
    assert console.page.evaluate(ground) == dark
    console.page.get_by_role("combobox").first.select_option("light")
    assert console.page.evaluate(ground) == light


@pytest.mark.parametrize("language", ["en-US", "ru-RU"])
def test_all_that_is_loaded_is_small(console_in: Callable[[str], Console], language: str) -> None:
    """Russian has the largest catalogues."""
    with console_in(language) as console:
        sizes = [_size(request) for request in _everything(console) if "/console" in request.url]
    assert len(sizes) > 20
    assert sum(sizes) < COMPRESSED_MAX


def _everything(console: Console) -> list[Request]:
    """What is asked for where somebody goes to all views."""
    loaded: list[Request] = []

    def note(request: Request) -> None:
        loaded.append(request)

    console.page.on("requestfinished", note)
    console.sign_in("admin")
    for address in (
        "/connections",
        "/connections/new",
        "/exports/new",
        "/exports/a",
        "/exports/a/runs/b",
        "/audit",
    ):
        console.allow(400, 404)
        console.open(address)
        console.wait()
    return loaded


def _size(request: Request) -> int:
    sizes = request.sizes()
    return int(sizes["responseBodySize"] + sizes["responseHeadersSize"])


@pytest.mark.parametrize("name", ROLES)
def test_one_sees_who_one_is(console: Console, name: str) -> None:
    console.sign_in(name)
    expect(console.page.locator(".account")).to_have_text(f"{name} {ROLES[name]}")
