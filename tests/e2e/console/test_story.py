"""The whole story in a browser, in two languages: from an empty app and a key to a run, a leaver, a kept file."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from functions.console_page import FOLDER
from tests.support.console import ROLES
from tests.support.running_app import RunningApp, csv_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from local.cloud import LocalCloud
    from tests.support.console import Console

COLUMNS = ["CustomerId", "EMail", "FirstName", "City"]
STAY = [[f"{number}", f"person{number}@example.com", "Ann", "Lund"] for number in range(9)]
GOES = ["10", "zoe@example.com", "Zoe", "Umeå"]
WRONG = ["11", "no address", "Di", "Kiruna"]
"""One of eleven rows: a run that rejects more than a fifth takes nobody off."""
LANGUAGES = {"en": "en-US", "ru": "ru-RU"}
"""With what a browser asks for each."""


def _secret(language: str) -> str:
    """Name of the secret that the story in a language writes."""
    return f"key-of-the-story-{language}"


class Words:
    """What the console says in one language."""

    def __init__(self, language: str) -> None:
        self._messages: dict[str, Any] = json.loads((FOLDER / "messages" / f"{language}.json").read_text())

    def __call__(self, key: str) -> str:
        return str(self._messages[key])


@pytest.fixture(scope="module")
def running(cloud: LocalCloud, browser: object) -> Iterator[RunningApp]:
    """An app of this story's own: it is empty in the beginning."""
    del browser
    with RunningApp(cloud) as running:
        names = [name for name in ROLES if name != "admin"]
        writers = ",".join(map(_secret, LANGUAGES))
        running.start_host(key_names=names, KEY_ROLES=json.dumps(ROLES), SECRET_WRITERS=writers)
        yield running


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_whole_story(
    console_in: Callable[[str], Console], running: RunningApp, tmp_path: Path, language: str
) -> None:
    say, asked = Words(language), LANGUAGES[language]
    running.cloud.vault.set_secret(_secret(language), "SG.none-yet")
    name = running.name("story")
    segment = running.deliver(csv_text(COLUMNS, [*STAY, GOES, WRONG]))
    list_id = str(running.cloud.simulator.create_list(name))
    with console_in(asked) as console:
        _connect(console, say, name, _secret(language))
        _enter_key(console, say, running.key())
    with console_in(asked) as console:
        _export(console, say, name, segment)
        _run(console, say)
        _keep_rejected(console, say, tmp_path / "rejected.csv")
    assert sorted(running.cloud.simulator.list_emails(list_id)) == [row[1] for row in (*STAY, GOES)]
    running.deliver(csv_text(COLUMNS, [*STAY, WRONG]), segment=segment, day=2)
    with console_in(asked) as console:
        console.sign_in("operator", f"/exports/{name}")
        _run(console, say)
        taken_off = console.page.locator("dt").get_by_text(say("members.removed"), exact=True).locator("+ dd")
        expect(taken_off).to_have_text("1")
        console.judge_everywhere()
    assert sorted(running.cloud.simulator.list_emails(list_id)) == [row[1] for row in STAY]
    with console_in(asked) as console:
        console.sign_in("viewer")
        expect(console.page.get_by_role("link", name=name)).to_be_visible()
        expect(console.page.get_by_text(say("run_status.succeeded")).first).to_be_visible()
        console.judge_everywhere()
    with console_in(asked) as console:
        console.sign_in("stranger")
        expect(console.page.get_by_text(name)).to_have_count(0)


def _connect(console: Console, say: Words, name: str, secret: str) -> None:
    """The administrator makes a connection, and lets others use it; it has no key yet that works."""
    console.allow(409)
    console.sign_in("admin", "/connections/new")
    page = console.page
    page.get_by_label(say("connection.display_name")).fill(name)
    page.get_by_label(say("connection.secret_name")).fill(secret)
    page.get_by_label(say("connection.users")).fill("contributor\noperator\nviewer")
    page.get_by_label(say("connection.agree")).check()
    page.get_by_role("button", name=say("connection.connect")).click()
    expect(console.heading()).to_have_text(name)
    console.judge_everywhere()


def _enter_key(console: Console, say: Words, key: str) -> None:
    """The administrator stores the key, and sees that the connection works."""
    page = console.page
    expect(page.locator(".step-bad")).to_have_text(re.compile(re.escape(say("check.sendgrid.bad"))))
    page.get_by_label(say("key.label")).fill(key)
    page.get_by_role("button", name=say("key.act")).click()
    expect(page.get_by_text(say("key.stored")).first).to_be_visible()
    expect(page.locator(".step-good")).to_have_count(4)
    console.judge_everywhere()


def _export(console: Console, say: Words, name: str, segment: str) -> None:
    """A contributor makes an export of the segment to the list of that name."""
    console.sign_in("contributor", "/exports/new")
    page = console.page
    page.get_by_label(say("export_editor.name")).fill(name)
    page.get_by_label(say("export_editor.connection")).select_option(name)
    page.get_by_label(segment, exact=True).check()
    of_that_name = page.locator("option", has_text=f"{name} (")
    page.get_by_label(say("list.name"), exact=True).select_option(of_that_name.get_attribute("value"))
    page.get_by_label(say("timing.kind.off")).check()
    page.get_by_label(say("timing.settle")).fill("0")
    page.get_by_label(say("modes.leavers_remove")).check()
    page.get_by_label(say("modes.max_share")).fill("100")
    page.get_by_role("button", name=say("export_editor.save_enabled")).click()
    expect(page.locator(".outcome")).to_be_visible()
    console.judge_everywhere()
    console.open(f"/exports/{name}")


def _run(console: Console, say: Words) -> None:
    """Start a run, and follow it to its end."""
    page = console.page
    page.get_by_role("button", name=say("export.run")).click()
    page.get_by_role("dialog").get_by_role("button", name=say("export.run")).click()
    page.wait_for_url("**/runs/**")
    ended = page.locator("dd .badge", has_text=say("run_status.succeeded"))
    expect(ended).to_be_visible()
    console.judge()


def _keep_rejected(console: Console, say: Words, file: Path) -> None:
    with console.page.expect_download() as download:
        console.page.get_by_role("button", name=say("rejected.download")).click()
    download.value.save_as(file)
    assert "email_invalid" in file.read_text()
