"""Microsoft Entra ID as far as the app sees it: published keys, and tokens signed with them.

The claims are those of access tokens, version 2:
https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
"""

import json
import time
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from local.azure.tokens import TENANT_ID

HOST: Final = "login.microsoftonline.com"
APP_REGISTRATION: Final = "0c0c0c0c-0000-4000-8000-000000000003"
"""Application (client) ID of the registration that the tokens are for."""
CLIENT: Final = "0d0d0d0d-0000-4000-8000-000000000004"
"""Of the application with which people sign in."""
LIFETIME_SECONDS: Final = 3600
KEY_BITS: Final = 2048


class Entra:
    """Signs tokens for anybody who asks from within this process, and publishes its keys to everybody.

    Attributes:
        application: The ASGI application.
        requests: How often the keys were read.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.application = Starlette(routes=[Route(f"/{TENANT_ID}/discovery/v2.0/keys", self._keys)])
        self._private_keys: dict[str, rsa.RSAPrivateKey] = {}

    def roll_over(self) -> None:
        """Sign with a new key from now on; the older ones stay published."""
        self._private_keys[f"key-{len(self._private_keys) + 1}"] = rsa.generate_private_key(
            public_exponent=65537, key_size=KEY_BITS
        )

    def published(self) -> dict[str, Any]:
        """The public keys, as a JWK set."""
        self._newest()
        keys = []
        for key_id, private_key in self._private_keys.items():
            key = json.loads(RSAAlgorithm.to_jwk(private_key.public_key()))
            keys.append(key | {"kid": key_id, "use": "sig"})
        return {"keys": keys}

    def person(self, object_id: str, *roles: str, **claims: object) -> str:
        """An access token of somebody who has signed in; a claim that is None is left out."""
        person = {"scp": "user_impersonation", "preferred_username": f"{object_id}@contoso.example"}
        return self.sign({"oid": object_id, "sub": object_id, "roles": list(roles)} | person | claims)

    def application_of(self, object_id: str, *roles: str, **claims: object) -> str:
        """An access token of an application, by client credentials."""
        return self.sign({"oid": object_id, "sub": object_id, "roles": list(roles), "idtyp": "app"} | claims)

    def sign(self, claims: dict[str, object], *, key_id: str | None = None) -> str:
        """Any token, with what tokens have in common unless the claims say otherwise."""
        now = int(time.time())
        usual: dict[str, object] = {
            "aud": APP_REGISTRATION,
            "iss": f"https://{HOST}/{TENANT_ID}/v2.0",
            "tid": TENANT_ID,
            "azp": CLIENT,
            "ver": "2.0",
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME_SECONDS,
        }
        payload = {name: value for name, value in (usual | claims).items() if value is not None}
        newest = key_id or self._newest()
        return jwt.encode(payload, self._private_keys[newest], algorithm="RS256", headers={"kid": newest})

    def _newest(self) -> str:
        """The id of the newest key; the first is made when it is needed, for that takes a moment."""
        if not self._private_keys:
            self.roll_over()
        return list(self._private_keys)[-1]

    async def _keys(self, _request: Request) -> JSONResponse:
        self.requests += 1
        return JSONResponse(self.published())
