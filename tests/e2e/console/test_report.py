"""The report of a run says and draws what its page in the console does, stands alone, and fits phone and paper."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from functions.words import Words, languages
from tests.support.console import AXE, PHONE, WATCH_POLICY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.support.console import Console
    from tests.support.running_app import RunningApp, SavedExport, StartedRun

CROWD: Final = [f"person{number}@example.com" for number in range(40)]
PAPER: Final = {"width": 718, "height": 1047}
"""What is left of a sheet of A4 inside of a browser's margins, in pixels."""
TOLD: Final = """
() => {
  const shown = (each) => each.textContent.replace(/\\s+/g, "");
  const all = (selector) => [...document.querySelectorAll(`main ${selector}`)];
  return {
    title: document.title,
    language: document.documentElement.lang,
    headings: all(":is(h1, h2, .fold:not(section *) > summary):not(dialog *)").map(shown),
    facts: all("dt").map((each) => `${shown(each)}: ${shown(each.nextElementSibling)}`),
    boxes: all(".box > p:not(:has(button))").map(shown),
    quiet: all("section > .quiet").map(shown),
    columns: all("thead th").map(shown),
    rows: all("tbody tr").map((each) => [...each.children].map(shown)),
    keys: all("figcaption .chart-key, .stages li").map(shown),
    items: all("section ul li").map(shown),
    pictures: all("figure svg").map((each) => each.getAttribute("aria-label")),
    parts: all("figure svg rect").map((each) => each.getAttribute("class")),
    places: all("figure svg rect").flatMap((each) =>
      ["x", "width"].map((name) => Number(each.getAttribute(name)))),
    colours: all("figure svg rect, .badge, .box").map((each) => {
      const { fill, color, backgroundColor, borderLeftColor } = getComputedStyle(each);
      return [fill, color, backgroundColor, borderLeftColor];
    }),
  };
}
"""
"""What a page of a run tells, piece by piece: its buttons apart."""


@pytest.fixture(scope="module")
def export(running: RunningApp) -> SavedExport:
    """Of whom some have no address, one comes twice, and most leave after the first run."""
    connection = running.connection(users=["contributor", "operator", "viewer"])
    return running.export_of(*CROWD, "no address", "", CROWD[0], connection=connection, leavers="remove")


@pytest.fixture(scope="module")
def run(export: SavedExport, running: RunningApp) -> StartedRun:
    """A run with something of everything: too many have left, so that somebody has to confirm it."""
    export.run()
    second = [*CROWD[:10], "new@example.com", "no address"]
    running.deliver_emails(*second, segment=export.get()["segments"][0], day=2)
    run = export.start()
    assert run.wait()["removals_to_confirm"] == 30
    return run


@pytest.fixture
def alone(browser: Browser) -> Iterator[Page]:
    """A page of nobody's, on which nothing may be asked for but files."""
    faults: list[str] = []
    with browser.new_context(accept_downloads=True) as context:
        context.add_init_script(WATCH_POLICY)
        page = context.new_page()
        page.on("console", lambda message: faults.append(message.text))
        page.on("request", lambda request: faults.extend([] if request.url.startswith("file:") else [request.url]))
        yield page
        assert faults == []


def _download(console: Console, path: Path) -> Path:
    """The report that the open page of a run offers."""
    button = console.page.locator(".page-head button").last
    with console.page.expect_download() as download:
        button.click()
    download.value.save_as(path)
    return path


def _both(console: Console, run: StartedRun, alone: Page, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the page of a run tells and what its report does; again if the list was found ready in between."""
    while True:
        before = run.get()
        console.open(f"/exports/{run.export}/runs/{run.id}")
        expect(console.page.locator(".facts").first).to_be_visible()
        # In English the page asks for what reasons mean
        expect(console.page.locator("tr:has(th code)").first).to_contain_text(re.compile("address|адрес|地址"))
        page: dict[str, Any] = console.page.evaluate(TOLD)
        alone.goto(_download(console, folder / "report.html").as_uri())
        if run.get() == before:
            return page, alone.evaluate(TOLD)
        console.open("/")


def _judge(page: Page) -> None:
    """Fail on what is too wide, on what axe finds, and on breaches of the policy."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.evaluate(AXE.read_text())
    found = page.evaluate("() => axe.run()")["violations"]
    violations = [(each["id"], each["nodes"][0]["html"]) for each in found]
    assert (wide, violations, page.evaluate("violations")) == (0, [], [])


def _judge_on_paper(page: Page) -> None:
    page.set_viewport_size(PAPER)  # type: ignore[arg-type] # a constant is no literal
    page.emulate_media(media="print", color_scheme="dark")
    _judge(page)


@pytest.mark.parametrize("language", ["en-US", "ru", "zh-HK"])
def test_it_says_and_draws_what_the_page_does(
    console_in: Callable[[str], Console], run: StartedRun, alone: Page, tmp_path: Path, language: str
) -> None:
    with console_in(language) as console:
        console.sign_in("contributor")
        page, found = _both(console, run, alone, tmp_path)
    for name in ("title", "language", "boxes", "columns", "rows", "keys", "items", "pictures", "parts", "colours"):
        assert found[name] == page[name], name
    assert page["facts"] == found["facts"]
    assert found["places"] == pytest.approx(page["places"], abs=0.1)
    # What the console offers as a file is none of the report
    (kept_apart,) = set(page["headings"]) - set(found["headings"])
    assert [each for each in page["headings"] if each != kept_apart] == found["headings"]
    assert set(page["quiet"]) <= set(found["quiet"])
    assert len(page["columns"]) == 4 + 8  # of outcomes, of chunks
    _judge_on_paper(alone)
    assert "Europe/Stockholm" in alone.locator("main > p").last.inner_text()


def test_a_dry_run_has_its_forecast_and_names_nobody(
    console: Console, export: SavedExport, alone: Page, tmp_path: Path
) -> None:
    run = export.post("plan")
    run.wait()
    console.sign_in("contributor")
    page, found = _both(console, run, alone, tmp_path)
    assert (found["facts"], found["boxes"]) == (page["facts"], page["boxes"])
    assert any(each.startswith("Newcontacts: ") for each in found["facts"])
    assert re.findall(r"@|\*\*", alone.content().partition("</style>")[2]) == []


def test_it_is_right_for_everybody_on_screen_phone_and_paper(
    console: Console, run: StartedRun, alone: Page, tmp_path: Path
) -> None:
    console.sign_in("operator", f"/exports/{run.export}/runs/{run.id}")
    report = _download(console, tmp_path / "report.html")
    alone.goto(report.as_uri())
    for scheme in ("light", "dark"):
        alone.emulate_media(color_scheme=scheme)
        _judge(alone)
    dark = alone.evaluate("getComputedStyle(document.body).backgroundColor")
    for width in (PHONE["width"], 360):
        alone.set_viewport_size({"width": width, "height": 640})
        _judge(alone)
    _judge_on_paper(alone)
    assert alone.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)" != dark
    assert alone.evaluate("getComputedStyle(document.querySelector('.swatch')).printColorAdjust") == "exact"
    assert alone.pdf(format="A4").startswith(b"%PDF")


def test_where_the_app_serves_it_it_shows_its_style_and_nothing_more(
    browser: Browser, running: RunningApp, run: StartedRun
) -> None:
    faults: list[str] = []
    headers = {"x-functions-key": running.host.named_keys["viewer"]}
    with browser.new_context(extra_http_headers=headers, locale="fr-FR") as context:
        page = context.new_page()
        page.on("console", lambda message: faults.append(message.text))
        page.on("request", lambda request: faults.extend([] if running.host.url in request.url else [request.url]))
        page.goto(f"{running.host.url}{run.path}/report")
        assert page.locator("html").get_attribute("lang") == "fr"
        expect(page.locator(".badge").first).to_have_css("border-radius", "15px")
    assert faults == []


def test_numbers_and_times_are_written_as_the_console_writes_them(console: Console) -> None:
    """Where Chromium's knowledge of a language and Babel's differ it is in the kind of a space."""
    console.sign_in()
    numbers = [0, 1, 2, 5, 21, 999, 1234, 12_345, 1_000_000, 1_234_567]
    shares = [0, 0.0004, 0.0005, 0.1225, 1 / 3, 0.909, 1]
    sizes = [0, 1, 999, 1000, 1250, 12_345_678, 5 * 10**13]
    times = [0, 0.5, 1, 2.5, 59.6, 60, 125, 3600, 90_061, 864_000]
    moments = ["2026-01-31T23:05:00Z", "2026-05-09T07:50:02Z", "2026-11-28T12:00:00Z"]
    counts = [0, 1, 2, 3, 5, 11, 21, 101, 1_000_000]
    asked = """
      async ([language, numbers, shares, sizes, times, moments, counts]) => {
        const i18n = await import("/console/i18n.js");
        await i18n.setLanguage(language);
        return [
          ...numbers.map(i18n.number), ...shares.map(i18n.percent), ...sizes.map(i18n.bytes),
          ...times.map(i18n.duration), ...moments.map((each) => i18n.dateTime(each)),
          ...counts.map((count) => i18n.t("run.rows_read", { count })),
        ];
      }
    """
    for language in languages():
        words = Words(language=language, zone=ZoneInfo("Europe/Stockholm"))
        written = [
            *map(words.number, numbers),
            *map(words.percent, shares),
            *map(words.bytes, sizes),
            *map(words.duration, times),
            *(words.date_time(datetime.fromisoformat(each)) for each in moments),
            *(words.t("run.rows_read", count=count) for count in counts),
        ]
        there = console.page.evaluate(asked, [language, numbers, shares, sizes, times, moments, counts])
        assert [" ".join(each.split()) for each in written] == [" ".join(each.split()) for each in there], language
    console.page.reload()
    console.wait()
