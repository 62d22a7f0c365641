"""The API key in the browser: it goes straight to Key Vault, and is nowhere else afterwards."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import expect

from tests.support.console import ROLES
from tests.support.running_app import RunningApp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.cloud import LocalCloud
    from tests.support.console import Console

WRITABLE: Final = "key-from-the-console"
FORBIDDEN: Final = "key-that-the-vault-keeps"
NONE_YET: Final = "SG.none-yet"


@pytest.fixture(scope="module")
def running(cloud: LocalCloud, browser: object) -> Iterator[RunningApp]:
    """An app that may write two secrets, as far as it knows."""
    del browser
    with RunningApp(cloud) as running:
        names = [name for name in ROLES if name != "admin"]
        writers = f"{WRITABLE},{FORBIDDEN}"
        running.start_host(key_names=names, KEY_ROLES=json.dumps(ROLES), SECRET_WRITERS=writers)
        yield running


def _enter(console: Console, key: str) -> None:
    console.page.get_by_label("SendGrid API key").fill(key)
    console.page.get_by_role("button", name="Store the key").click()


def test_a_key_goes_straight_to_the_vault_and_is_nowhere_else(console: Console, running: RunningApp) -> None:
    console.allow(409)
    vault = running.cloud.vault
    vault.set_secret(WRITABLE, NONE_YET)
    connection = running.connection(secret_name=WRITABLE)
    wrong, right = "SG.a-slip-of-the-hand.0123456789", running.key()
    console.sign_in("admin", f"/connections/{connection}?check=now")
    page = console.page
    expect(page.locator(".step-bad")).to_contain_text("SendGrid does not take the key")
    _enter(console, wrong)
    expect(page.get_by_role("alert").first).to_contain_text("nothing was stored")
    expect(page.get_by_label("SendGrid API key")).to_have_value("")
    console.judge_everywhere()
    assert vault.values(WRITABLE) == [NONE_YET]
    _enter(console, right)
    expect(page.get_by_text("The key is in Key Vault, and SendGrid takes it.").first).to_be_visible()
    expect(page.locator(".step-good")).to_have_count(4)
    expect(page.get_by_label("SendGrid API key")).to_have_value("")
    console.judge_everywhere()
    assert vault.values(WRITABLE) == [NONE_YET, right]
    export = running.export_of("ann@example.com", connection=connection)
    assert export.run()["status"] == "succeeded"
    shown = page.content() + json.dumps(
        page.evaluate("() => [{...localStorage}, {...sessionStorage}, location.href]")
    )
    told = json.dumps(running.get("/api/audit?operation=Connections.SetKey")["entries"])
    assert told.count('"Connections.SetKey"') == 4
    disk = _everything_stored(running)
    assert connection.encode() in disk  # the search would find something
    for key in (wrong, right):
        assert key not in shown + told + running.log()
        assert [part for part in _forms(key) if part in disk] == []


def _everything_stored(running: RunningApp) -> bytes:
    """All blobs and queue messages of the local cloud, as they lie on Azurite's disk."""
    folder = running.cloud.ca_file.parent / "azurite"
    return b"\n".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def _forms(key: str) -> Iterator[bytes]:
    """The key, and what one finds of it in the base64 of anything that holds it."""
    yield key.encode()
    for shift in range(3):
        yield base64.b64encode(b"\0" * shift + key.encode())[(0, 2, 3)[shift] : -4]


def test_what_the_vault_refuses_says_the_command(console: Console, running: RunningApp) -> None:
    console.allow(409)
    running.cloud.vault.set_secret(FORBIDDEN, NONE_YET)
    running.cloud.vault.forbid_writing(FORBIDDEN)
    console.sign_in("admin", f"/connections/{running.connection(secret_name=FORBIDDEN)}")
    _enter(console, running.key())
    refusal = console.page.get_by_role("alert").first
    expect(refusal).to_contain_text("Key Vault does not let this app write the secret")
    expect(refusal).to_contain_text("az keyvault secret set --vault-name kv-local --name")
    console.judge_everywhere()
    assert running.cloud.vault.values(FORBIDDEN) == [NONE_YET]


def test_where_the_app_may_not_write_the_page_shows_the_command(console: Console, running: RunningApp) -> None:
    connection = running.connection()
    console.sign_in("admin", f"/connections/{connection}")
    page = console.page
    expect(page.get_by_label("SendGrid API key")).to_have_count(0)
    shown = running.get(f"/api/connections/{connection}")["key_command"]
    expect(page.locator("pre")).to_have_text(shown)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the command").click()
    expect(page.get_by_role("status").filter(has_text="The command is copied.")).to_have_count(1)
    assert page.evaluate("() => navigator.clipboard.readText()") == shown
    console.judge_everywhere()


def test_others_than_administrators_are_asked_for_no_key(console: Console, running: RunningApp) -> None:
    running.cloud.vault.set_secret(WRITABLE, running.key())
    connection = running.connection(secret_name=WRITABLE, users=["contributor"])
    console.sign_in("contributor", f"/connections/{connection}")
    expect(console.page.get_by_role("button", name="Check the connection")).to_be_visible()
    expect(console.page.get_by_role("heading", name="API key")).to_have_count(0)
