"""Entra for the real az: a person signs in with a password, an identity as itself; tokens are not signed."""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

TENANT = "00000000-0000-0000-0000-0000000000bb"
ADA = "00000000-0000-0000-0000-0000000000ad"
ADAS_NAME = "ada@contoso.example"
WORKFLOW = "00000000-0000-0000-0000-0000000000ee"
"""Object ID of the identity that a workflow signs in as."""
HOST = "https://login.microsoftonline.com"


def identity_token(resource: str) -> dict[str, str]:
    """What the endpoint of managed identities answers."""
    token = _token({"aud": resource, "oid": WORKFLOW, "appid": WORKFLOW})
    return {"access_token": token, "expires_on": str(_soon()), "token_type": "Bearer", "resource": resource}


def answer(method: str, url: str, body: bytes) -> tuple[int, Any] | None:
    """Status and document; None for what is not known here."""
    path = urlsplit(url).path
    if path.endswith("/.well-known/openid-configuration"):
        tenant = path.split("/")[1]
        endpoint = f"{HOST}/{tenant}/oauth2/v2.0"
        document = {"authorization_endpoint": f"{endpoint}/authorize", "token_endpoint": f"{endpoint}/token"}
        return 200, document | {"issuer": f"{HOST}/{tenant}/v2.0"}
    if path.startswith("/common/userrealm/"):
        return 200, {"account_type": "Managed", "domain_name": "contoso.example"}
    if method == "POST" and path.endswith("/oauth2/v2.0/token"):
        return 200, _person(parse_qs(body.decode()))
    return None


def _person(asked: dict[str, list[str]]) -> dict[str, Any]:
    scopes = asked["scope"][0].split()
    resource = next(scope for scope in scopes if scope.startswith("https://")).removesuffix("/.default")
    names = {"oid": ADA, "preferred_username": ADAS_NAME, "sub": ADA}
    return {
        "token_type": "Bearer",
        "scope": asked["scope"][0],
        "expires_in": 3600,
        "access_token": _token({"aud": resource, **names}),
        "refresh_token": "made up",
        "id_token": _token({"aud": asked["client_id"][0], **names}),
        "client_info": _encoded({"uid": ADA, "utid": TENANT}),
    }


def claims_of(authorization: str) -> dict[str, Any]:
    """Of a token from here; nothing of anything else."""
    kind, _, words = authorization.partition(" ")
    if kind != "Bearer":
        return {}
    part = words.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def _token(claims: dict[str, str]) -> str:
    common = {"tid": TENANT, "iss": f"{HOST}/{TENANT}/v2.0", "iat": int(time.time()), "exp": _soon()}
    return f"{_encoded({'alg': 'none', 'typ': 'JWT'})}.{_encoded(common | claims)}."


def _encoded(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def _soon() -> int:
    return int(time.time()) + 3600
