"""Whose token is believed, and what it says."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import pytest

from local.azure.entra import APP_REGISTRATION, HOST, Entra
from local.azure.tokens import TENANT_ID
from shared.access.callers import CallerKind
from shared.access.signing_keys import LEAST_BETWEEN, LIFETIME
from shared.access.tokens import TOKEN_MAX
from shared.errors import TransientError, UnauthenticatedError
from shared.model.roles import Role
from tests.support.entra import SETTINGS, bearing, published_keys, the_entra, token_holders

ADA = "aaaaaaaa-0000-4000-8000-00000000000a"
V1 = {"iss": f"https://sts.windows.net/{TENANT_ID}/", "aud": f"api://{APP_REGISTRATION}", "ver": "1.0"}


@pytest.fixture
def entra() -> Entra:
    return the_entra()


def unsigned(claims: dict[str, object], algorithm: str) -> str:
    """A token whose signature is nobody's."""
    parts = ({"alg": algorithm, "kid": "key-1", "typ": "JWT"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, ""])


def claims_of(token: str) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    return claims


def test_a_person_is_known_by_object_id_and_roles(entra: Entra) -> None:
    token = entra.person(ADA.upper(), "Contributor", "Viewer", "Owner", preferred_username="ada@contoso.example")
    caller = token_holders().identify(bearing(token), {})
    assert (caller.id, caller.name, caller.kind) == (ADA, "ada@contoso.example", CallerKind.PERSON)
    assert caller.roles == {Role.CONTRIBUTOR, Role.VIEWER}
    assert "ada@" not in repr(caller)


def test_an_application_has_the_same_roles(entra: Entra) -> None:
    caller = token_holders().identify(bearing(entra.application_of(ADA, "Operator")), {})
    assert (caller.id, caller.kind, set(caller.roles)) == (ADA, CallerKind.APPLICATION, {Role.OPERATOR})


def test_tokens_of_version_1_are_believed(entra: Entra) -> None:
    token = entra.person(ADA, "Viewer", azp=None, appid="0d0d", **V1)
    assert token_holders().identify(bearing(token), {}).roles == {Role.VIEWER}


@pytest.mark.parametrize(
    "claims",
    [
        {"roles": None},
        {"roles": [], "groups": ["Administrator"], "http://evil.example/role": "Administrator"},
        {"roles": ["administrator", "Administrator "]},
        {"roles": [], "wids": ["62e90394-69f5-4237-9190-012177145e10"], "role": "Administrator"},
    ],
)
def test_a_role_is_in_the_role_claim_or_is_none(entra: Entra, claims: dict[str, object]) -> None:
    assert token_holders().identify(bearing(entra.person(ADA, **claims)), {}).roles == set()


def test_platform_headers_say_nothing(entra: Entra) -> None:
    forged = base64.b64encode(b'{"claims": [{"typ": "roles", "val": "Administrator"}]}').decode()
    principal = {"x-ms-client-principal": forged, "x-ms-client-principal-id": "somebody"}
    caller = token_holders().identify(principal | bearing(entra.person(ADA, "Viewer")), {})
    assert (caller.id, set(caller.roles)) == (ADA, {Role.VIEWER})
    with pytest.raises(UnauthenticatedError):
        token_holders().identify(principal, {})


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1_600_000_000},
        {"exp": None},
        {"nbf": 4_000_000_000},
        {"aud": "00000003-0000-0000-c000-000000000000"},
        {"aud": None},
        {"iss": f"https://{HOST}/99999999-2222-3333-4444-555555555555/v2.0"},
        {"iss": f"https://evil.example/{TENANT_ID}/v2.0"},
        {"iss": None},
        {"tid": "99999999-2222-3333-4444-555555555555"},
        {"tid": None},
        {"tid": 5},
        {"oid": None},
        {"oid": ["a"]},
        {"roles": "Administrator"},
        {"azp": None},
        {"azp": None, "nonce": "n", "scp": None},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_us_or_not_now_lets_nobody_in(entra: Entra, claims: dict[str, object]) -> None:
    token = entra.person(ADA, "Administrator", **claims)
    with pytest.raises(UnauthenticatedError) as caught:
        token_holders().identify(bearing(token), {})
    assert token not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS256"])
def test_a_token_without_entras_signature_lets_nobody_in(entra: Entra, algorithm: str) -> None:
    token = unsigned(claims_of(entra.person(ADA, "Administrator")), algorithm)
    with pytest.raises(UnauthenticatedError):
        token_holders().identify(bearing(token), {})


def test_a_public_key_is_no_secret_to_sign_with(entra: Entra) -> None:
    public = json.dumps(entra.published()["keys"][0]).encode()
    header, payload, _ = entra.person(ADA, "Administrator").split(".")
    header = base64.urlsafe_b64encode(b'{"alg": "HS256", "kid": "key-1"}').rstrip(b"=").decode()
    digest = hmac.digest(public, f"{header}.{payload}".encode(), "sha256")
    token = f"{header}.{payload}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
    with pytest.raises(UnauthenticatedError):
        token_holders().identify(bearing(token), {})


def test_a_token_that_was_changed_lets_nobody_in(entra: Entra) -> None:
    header, _, signature = entra.person(ADA, "Viewer").split(".")
    _, other, _ = entra.person(ADA, "Administrator").split(".")
    with pytest.raises(UnauthenticatedError):
        token_holders().identify(bearing(f"{header}.{other}.{signature}"), {})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer x"},
        {"authorization": "Bearer a.b.c"},
        {"authorization": "Bearer \ud800.\uff20.é"},
        {"authorization": "Basic YTpi"},
        {"authorization": "Bearer " + "a" * (TOKEN_MAX + 1)},
        {"authorization": "Bearer " + unsigned({"a": "[" * 5000}, "RS256")},
        {"x-functions-key": "admin." + "0" * 64},
    ],
    ids=lambda headers: ascii(headers)[:40],
)
def test_without_a_token_nobody_is_let_in(headers: dict[str, str]) -> None:
    with pytest.raises(UnauthenticatedError):
        token_holders().identify(headers, {"code": "admin." + "0" * 64})


def test_keys_are_read_once_a_day_and_again_when_entra_signs_with_a_new_one() -> None:
    entra, now = Entra(), datetime(2026, 3, 2, tzinfo=UTC)
    keys = published_keys(entra, lambda: now)
    entra.roll_over()
    entra.requests = 0
    assert keys.find("key-1")
    assert keys.find("key-1")
    assert entra.requests == 1
    entra.roll_over()
    now += LEAST_BETWEEN + timedelta(seconds=1)
    assert keys.find("key-2")
    now += LIFETIME + timedelta(seconds=1)
    assert keys.find("key-2")
    assert entra.requests == 3


def test_made_up_key_ids_do_not_make_the_app_ask_each_time() -> None:
    entra, now = the_entra(), datetime(2026, 3, 2, tzinfo=UTC)
    before = entra.requests
    keys = published_keys(entra, lambda: now)
    assert [keys.find(f"made-up-{number}") for number in range(100)] == [None] * 100
    assert entra.requests == before + 1


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"keys": []}', b'{"keys": [{"kty": "RSA"}]}', b"[" * 100_000, b" " * 3_000_000]
)
def test_keys_that_cannot_be_read_are_nobodys_fault(content: bytes) -> None:
    keys = published_keys(the_entra(), answer=lambda: httpx.Response(200, content=content))
    with pytest.raises(TransientError):
        keys.find("key-1")


def test_keys_from_before_go_on_while_entra_is_away() -> None:
    entra, now, is_away = the_entra(), datetime(2026, 3, 2, tzinfo=UTC), False
    entra.published()

    def answer() -> httpx.Response:
        return httpx.Response(503) if is_away else httpx.Response(200, json=entra.published())

    keys = published_keys(entra, lambda: now, answer=answer)
    assert keys.find("key-1")
    is_away, now = True, now + LIFETIME * 2
    assert keys.find("key-1")


def test_the_audience_may_be_the_id_or_its_address(entra: Entra) -> None:
    for audience in (SETTINGS.client_id, f"api://{SETTINGS.client_id}"):
        assert token_holders().identify(bearing(entra.person(ADA, aud=audience)), {}).id == ADA
