"""Sign-in by Microsoft Entra ID: MSAL goes there and comes back; Entra is pretended, all else is as it is."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import expect

from local.azure.entra import APP_REGISTRATION, HOST
from local.azure.tokens import TENANT_ID
from shared.model.roles import Role
from tests.support.running_app import RunningApp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Route

    from local.azure.entra import Entra
    from local.cloud import LocalCloud
    from tests.support.console import Console

ADA: Final = "0e0e0e0e-0000-4000-8000-00000000000a"
AUTHORITY: Final = f"https://{HOST}/{TENANT_ID}/oauth2/v2.0"


@pytest.fixture(scope="module")
def running(browser: Browser, cloud: LocalCloud) -> Iterator[RunningApp]:
    """An app whose callers have tokens."""
    del browser
    with RunningApp(cloud) as running:
        running.start_host(AUTHENTICATION="entra")
        yield running


class PretendedEntra:
    """Answers a browser as Entra does: a code for whoever asks, and tokens for the code and its verifier."""

    def __init__(self, entra: Entra, console: Console, *roles: str) -> None:
        self.entra = entra
        self.roles = roles
        self.asked: dict[str, str] = {}
        self.tokens: list[str] = []
        self.lives = 3600
        self.refused = False
        console.allow_origin(f"https://{HOST}")
        console.page.route(f"https://{HOST}/**", self._answer)

    def _answer(self, route: Route) -> None:
        address = urlsplit(route.request.url)
        if address.path.endswith("/authorize"):
            self.asked = {name: values[0] for name, values in parse_qs(address.query).items()}
            back = urlencode({"code": "a-code", "state": self.asked["state"], "client_info": self._client_info()})
            route.fulfill(status=302, headers={"Location": f"{self.asked['redirect_uri']}#{back}"})
        elif address.path.endswith("/token"):
            self._give_tokens(route)
        elif address.path.endswith("/logout"):
            route.fulfill(status=302, headers={"Location": parse_qs(address.query)["post_logout_redirect_uri"][0]})
        else:
            route.fulfill(status=404)

    def _give_tokens(self, route: Route) -> None:
        sent = {name: values[0] for name, values in parse_qs(route.request.post_data or "").items()}
        headers = {"Access-Control-Allow-Origin": "*"}
        if self.refused:
            told = {"error": "interaction_required", "error_description": "AADSTS50078: again, please."}
            route.fulfill(status=400, headers=headers, json=told)
            return
        if sent["grant_type"] == "authorization_code":
            digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
            assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == self.asked["code_challenge"]
        access = self.entra.person(ADA, *self.roles, preferred_username="ada@contoso.example")
        self.tokens += [access, "a-refresh-token"]
        claims: dict[str, object] = {"nonce": self.asked["nonce"], "preferred_username": "ada@contoso.example"}
        given: dict[str, object] = {
            "token_type": "Bearer",
            "scope": f"{APP_REGISTRATION}/.default",
            "expires_in": self.lives,
            "access_token": access,
            "refresh_token": "a-refresh-token",
            "id_token": self.entra.sign(claims | {"oid": ADA, "sub": ADA, "aud": APP_REGISTRATION}),
            "client_info": self._client_info(),
        }
        route.fulfill(status=200, headers=headers, json=given)

    def _client_info(self) -> str:
        info = json.dumps({"uid": ADA, "utid": TENANT_ID}).encode()
        return base64.urlsafe_b64encode(info).decode().rstrip("=")


@pytest.fixture
def entra(console: Console, cloud: LocalCloud) -> PretendedEntra:
    return PretendedEntra(cloud.entra, console, Role.ADMINISTRATOR)


def sign_in(console: Console) -> None:
    """Go to Entra and come back."""
    console.page.get_by_role("button", name="Sign in with Microsoft Entra ID").click()
    expect(console.page.locator(".account")).to_contain_text("Administrator")
    console.wait()


def test_one_comes_back_to_the_view_that_was_asked_for(console: Console, entra: PretendedEntra) -> None:
    console.open("/audit")
    console.judge_everywhere()
    sign_in(console)
    expect(console.heading()).to_have_text("Audit log")
    assert entra.asked["client_id"] == APP_REGISTRATION
    assert entra.asked["redirect_uri"] == f"{console.url}/console"
    assert entra.asked["code_challenge_method"] == "S256"
    assert f"{APP_REGISTRATION}/.default" in entra.asked["scope"]


def test_tokens_stay_in_the_tab_and_outlive_a_reload(console: Console, entra: PretendedEntra) -> None:
    console.open()
    sign_in(console)
    elsewhere = console.page.evaluate("JSON.stringify([{...localStorage}, document.cookie, location.href])")
    assert entra.tokens
    assert not [token for token in entra.tokens if token in elsewhere]
    console.page.reload()
    expect(console.page.locator(".account")).to_contain_text("Administrator")


def test_a_token_that_ends_is_replaced_and_where_entra_wants_the_person_again_one_is_asked(
    console: Console, entra: PretendedEntra
) -> None:
    console.allow(400)
    entra.lives = 1
    console.open()
    sign_in(console)
    given = len(entra.tokens)
    console.page.get_by_role("link", name="Audit log").click()
    expect(console.heading()).to_have_text("Audit log")
    console.wait()
    assert len(entra.tokens) > given
    entra.refused = True
    console.page.get_by_role("link", name="Exports", exact=True).click()
    expect(console.page.get_by_role("button", name="Sign in with Microsoft Entra ID")).to_be_visible()


def test_who_has_no_role_is_told_so(console: Console, entra: PretendedEntra) -> None:
    console.allow(401, 403)
    entra.roles = ()
    console.open()
    console.page.get_by_role("button", name="Sign in with Microsoft Entra ID").click()
    expect(console.page.get_by_role("alert")).to_be_visible()
    expect(console.page.locator(".account")).to_have_count(0)


def test_signing_out_signs_out_of_entra_too(console: Console, entra: PretendedEntra) -> None:
    console.open()
    sign_in(console)
    with console.page.expect_request("**/logout*"):
        console.page.get_by_role("button", name="Sign out").click()
    expect(console.page.get_by_role("button", name="Sign in with Microsoft Entra ID")).to_be_visible()
    assert not [token for token in entra.tokens if token in console.stored()]
