"""The part of Key Vault's data plane that reads and writes secrets.

https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret
https://learn.microsoft.com/rest/api/keyvault/secrets/set-secret
"""

import secrets
import time
from dataclasses import dataclass, field

import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from local.azure.tokens import TENANT_ID, check_token

RESOURCE = "https://vault.azure.net"
AUDIENCES = frozenset({RESOURCE, f"{RESOURCE}/"})
# The client refuses a challenge whose resource is not a parent domain of the vault's own host name.
CHALLENGE = f'Bearer authorization="https://login.microsoftonline.com/{TENANT_ID}", resource="{RESOURCE}"'


@dataclass(frozen=True, kw_only=True)
class SecretVersion:
    """One value a secret had; `created` is in Unix seconds."""

    version: str
    value: str = field(repr=False)
    created: int


class KeyVault:
    """A vault in memory, to which the methods here do what an operator would do in the portal.

    Attributes:
        authorization_schemes: The schemes of all Authorization headers received so far.
        application: The ASGI application.
    """

    def __init__(self) -> None:
        self.authorization_schemes: set[str] = set()
        self._versions: dict[str, list[SecretVersion]] = {}
        self._deleted: set[str] = set()
        self._forbidden: set[str] = set()
        self._read_only: set[str] = set()
        self._away = False
        self.application = Starlette(
            routes=[
                # The client writes a trailing slash where it names no version.
                Route("/secrets/{name}", self._put_secret, methods=["PUT"]),
                Route("/secrets/{name}", self._get_secret),
                Route("/secrets/{name}/", self._get_secret),
                Route("/secrets/{name}/versions", self._list_versions),
                Route("/secrets/{name}/{version}", self._get_secret),
            ]
        )

    def set_secret(self, name: str, value: str) -> str:
        """Add a version, which becomes the current one, and return its name."""
        added = SecretVersion(version=secrets.token_hex(16), value=value, created=int(time.time()))
        self._versions.setdefault(name, []).append(added)
        self._deleted.discard(name)
        return added.version

    def delete_secret(self, name: str) -> None:
        """Remove all versions of a secret, whose name is then kept; one that is not there stays away."""
        if self._versions.pop(name, None):
            self._deleted.add(name)

    def values(self, name: str) -> list[str]:
        """All values of a secret, the oldest first."""
        return [each.value for each in self._versions.get(name, [])]

    def forbid_writing(self, name: str) -> None:
        """Let this secret be read only, as by the role Key Vault Secrets User."""
        self._read_only.add(name)

    def forbid(self, name: str) -> None:
        """Refuse this secret from now on, as when the role assignment is missing."""
        self._forbidden.add(name)

    def permit(self, name: str) -> None:
        """Take back `forbid`."""
        self._forbidden.discard(name)

    def unavailable(self, away: bool) -> None:  # noqa: FBT001 - a switch with one argument
        """Answer everything with 503 while `away`."""
        self._away = away

    async def _get_secret(self, request: Request) -> JSONResponse:
        return self._refusal(request) or self._answer(request)

    async def _put_secret(self, request: Request) -> JSONResponse:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        name = request.path_params["name"]
        if name in self._read_only:
            return _error(403, "Forbidden", "Caller is not authorized to perform action.", "ForbiddenByRbac")
        if name in self._deleted:
            message = f"Secret {name} is currently in a deleted but recoverable state."
            return _error(409, "Conflict", message, "ObjectIsDeletedButRecoverable")
        sent = await request.json()
        if not isinstance(sent.get("value"), str):
            return _error(400, "BadParameter", "Property value is required.")
        self.set_secret(name, sent["value"])
        return self._answer(request)

    async def _list_versions(self, request: Request) -> JSONResponse:
        """https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret-versions/get-secret-versions."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        name = request.path_params["name"]
        address = f"https://{request.headers['Host']}/secrets/{name}"
        items = [
            {"id": f"{address}/{each.version}", "attributes": _attributes(each)}
            for each in self._versions.get(name, [])
        ]
        return JSONResponse({"value": items, "nextLink": None})

    def _refusal(self, request: Request) -> JSONResponse | None:
        if self._away:
            return _error(503, "ServiceUnavailable", "The service is temporarily unavailable.")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return _challenge("AKV10000: Request is missing a Bearer or PoP token.")
        self.authorization_schemes.add(scheme)
        try:
            check_token(token, audiences=AUDIENCES)
        except jwt.InvalidTokenError as error:
            return _challenge(f"AKV10032: Invalid token. {error}")
        if request.path_params["name"] in self._forbidden:
            return _error(403, "Forbidden", "Caller is not authorized to perform action.", "ForbiddenByRbac")
        return None

    def _answer(self, request: Request) -> JSONResponse:
        name = request.path_params["name"]
        found = self._find(name, request.path_params.get("version"))
        if found is None:
            return _error(
                404, "SecretNotFound", f"A secret with (name/id) {name} was not found in this key vault."
            )
        return _secret(f"https://{request.headers['Host']}/secrets/{name}/{found.version}", found)

    def _find(self, name: str, version: str | None) -> SecretVersion | None:
        newest_first = reversed(self._versions.get(name, []))
        return next((each for each in newest_first if version in (None, each.version)), None)


def _secret(identifier: str, found: SecretVersion) -> JSONResponse:
    return JSONResponse({"value": found.value, "id": identifier, "attributes": _attributes(found)})


def _attributes(version: SecretVersion) -> dict[str, object]:
    return {
        "enabled": True,
        "created": version.created,
        "updated": version.created,
        "recoveryLevel": "Recoverable",
        "recoverableDays": 90,
    }


def _challenge(message: str) -> JSONResponse:
    response = _error(401, "Unauthorized", message)
    response.headers["WWW-Authenticate"] = CHALLENGE
    return response


def _error(status: int, code: str, message: str, inner_code: str | None = None) -> JSONResponse:
    error: dict[str, object] = {"code": code, "message": message}
    if inner_code:
        error["innererror"] = {"code": inner_code}
    return JSONResponse({"error": error}, status_code=status)
