"""Callers who show an access token of Microsoft Entra ID.

What is looked at: https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-tokens and
https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import jwt

from shared.access.callers import Caller, CallerKind
from shared.errors import UnauthenticatedError
from shared.model.definitions import UUID_FORM
from shared.model.roles import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.access.signing_keys import SigningKeys
    from shared.settings import Entra

TOKEN_MAX: Final = 16_384
"""Most characters of a token; Entra's have some 2,000."""
LEEWAY: Final = 60.0
"""Seconds by which clocks may differ."""
REQUIRED: Final = ("exp", "nbf", "iat", "iss", "aud", "tid", "oid")
SCHEME: Final = "bearer "
ASK: Final = "Send an access token of the app's registration at Microsoft Entra ID: Authorization: Bearer …"
NOT_VALID: Final = "The access token is not valid."


class TokenHolders:
    """Knows callers by their tokens, and by nothing that stands in front of the app."""

    def __init__(self, entra: Entra, signing_keys: SigningKeys) -> None:
        self._entra = entra
        self._signing_keys = signing_keys
        v1 = f"https://sts.windows.net/{entra.tenant_id}/"
        self._issuers = [f"{entra.authority}/{entra.tenant_id}/v2.0", v1]
        self._audiences = [entra.client_id, f"api://{entra.client_id}"]

    def identify(self, headers: Mapping[str, str], query: Mapping[str, str]) -> Caller:
        """Who calls. Raises UnauthenticatedError, and TransientError while Entra's keys cannot be had."""
        del query  # a token in an address would end up in logs
        value = headers.get("authorization", "")
        if value[: len(SCHEME)].lower() != SCHEME:
            raise UnauthenticatedError(ASK)
        token = value[len(SCHEME) :].strip()
        if len(token) > TOKEN_MAX or not token.isascii():
            raise UnauthenticatedError(NOT_VALID)
        return self._caller(self._claims(token))

    def _claims(self, token: str) -> Mapping[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.InvalidTokenError, RecursionError):
            raise UnauthenticatedError(NOT_VALID) from None
        key = self._signing_keys.find(str(header.get("kid")))
        if key is None:
            raise UnauthenticatedError("The access token is not signed by Microsoft Entra ID.")
        try:
            return jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._audiences,
                issuer=self._issuers,
                leeway=LEEWAY,
                options={"require": list(REQUIRED)},
            )
        except jwt.ExpiredSignatureError:
            raise UnauthenticatedError("The access token has expired; get a new one.") from None
        except jwt.InvalidAudienceError:
            raise UnauthenticatedError("The access token is for another application.") from None
        except (jwt.InvalidTokenError, RecursionError):
            raise UnauthenticatedError(NOT_VALID) from None

    def _caller(self, claims: Mapping[str, Any]) -> Caller:
        """Roles are those of the token's own claim; a name is never more than a name."""
        object_id = claims["oid"]
        roles = claims.get("roles", [])
        # an ID token has neither; it says who somebody is, and lets nobody in
        client = claims.get("azp", claims.get("appid"))
        texts = (object_id, claims["tid"], client)
        if not all(isinstance(text, str) for text in texts) or not isinstance(roles, list):
            raise UnauthenticatedError("The token is no access token.")
        if not UUID_FORM.fullmatch(object_id):
            raise UnauthenticatedError("The token is no access token.")
        if claims["tid"].lower() != self._entra.tenant_id:
            raise UnauthenticatedError("The access token is of another tenant.")
        is_person = "scp" in claims
        name = claims.get("preferred_username") or claims.get("upn") or claims.get("name") if is_person else client
        return Caller(
            id=object_id.lower(),
            name=str(name or object_id)[:256],
            kind=CallerKind.PERSON if is_person else CallerKind.APPLICATION,
            roles=frozenset(role for role in Role if role.value in roles),
        )
