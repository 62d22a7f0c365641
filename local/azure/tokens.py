"""Access tokens as Microsoft Entra ID words them, but without a signature.

Azurite with `--oauth basic` and the local Key Vault read the claims and cannot know the signing keys.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass, field

import jwt

TENANT_ID = "11111111-2222-3333-4444-555555555555"
# Azurite accepts the v1 issuer only; login.microsoftonline.com/…/v2.0 is refused.
ISSUER = f"https://sts.windows.net/{TENANT_ID}/"
LIFETIME_SECONDS = 3600
CLOCK_SKEW_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class AccessToken:
    """A bearer token and the time it ends, in Unix seconds."""

    value: str = field(repr=False)
    expires_on: int


def issue_token(*, audience: str, client_id: str, lifetime_seconds: int = LIFETIME_SECONDS) -> AccessToken:
    """Return a token for one audience, valid from now on; a negative lifetime makes an expired one."""
    now = int(time.time())
    valid_from = now - CLOCK_SKEW_SECONDS + min(0, lifetime_seconds)
    claims = {
        "aud": audience,
        "iss": ISSUER,
        "tid": TENANT_ID,
        "appid": client_id,
        "sub": client_id,
        "iat": valid_from,
        "nbf": valid_from,
        "exp": now + lifetime_seconds,
    }
    return AccessToken(value=jwt.encode(claims, "", algorithm="none"), expires_on=now + lifetime_seconds)


def check_token(token: str, *, audiences: Collection[str]) -> None:
    """Raise `jwt.InvalidTokenError` unless it is for one of `audiences`, from our tenant and in time."""
    jwt.decode(
        token,
        audience=list(audiences),
        issuer=ISSUER,
        options={
            "verify_signature": False,
            "verify_aud": True,
            "verify_iss": True,
            "verify_exp": True,
            "verify_nbf": True,
            "require": ["aud", "iss", "exp", "nbf"],
        },
    )
