"""The endpoint from which an app with a managed identity gets its tokens.

Speaks the App Service protocol, version 2019-08-01:
https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
"""

import secrets
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from local.azure.tokens import issue_token

API_VERSION = "2019-08-01"
PATH = "/msi/token"
APP_CLIENT_ID = "0a0a0a0a-0000-4000-8000-000000000001"
OPERATOR_CLIENT_ID = "0b0b0b0b-0000-4000-8000-000000000002"
ASSIGNED_CLIENT_IDS = frozenset({APP_CLIENT_ID, OPERATOR_CLIENT_ID})


@dataclass(frozen=True, kw_only=True)
class TokenRequest:
    """Who asked for a token to what; `client_id` is None when the caller named no identity."""

    client_id: str | None
    resource: str


class Identity:
    """Hands out tokens for two user-assigned identities: the app's, and that of whoever prepares the storage.

    Attributes:
        header: The secret that callers must send as X-IDENTITY-HEADER.
        requests: Every request with the right header, in order.
        application: The ASGI application.
    """

    def __init__(self) -> None:
        self.header = secrets.token_urlsafe()
        self.requests: list[TokenRequest] = []
        self.application = Starlette(routes=[Route(PATH, self._token)])

    async def _token(self, request: Request) -> JSONResponse:
        if request.headers.get("X-IDENTITY-HEADER") != self.header:
            return _refuse("The X-IDENTITY-HEADER is missing or wrong.")
        if request.query_params.get("api-version") != API_VERSION:
            return _refuse(f"Only api-version {API_VERSION} is spoken here.")
        resource = request.query_params.get("resource")
        if not resource:
            return _refuse("The resource is missing.")
        client_id = request.query_params.get("client_id")
        self.requests.append(TokenRequest(client_id=client_id, resource=resource))
        if client_id not in ASSIGNED_CLIENT_IDS:
            return _refuse("No User Assigned Managed Identity found for specified ClientId.")
        return _grant(client_id, resource)


def _grant(client_id: str, resource: str) -> JSONResponse:
    token = issue_token(audience=resource, client_id=client_id)
    return JSONResponse(
        {
            "access_token": token.value,
            "expires_on": str(token.expires_on),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": client_id,
        }
    )


def _refuse(message: str) -> JSONResponse:
    return JSONResponse({"statusCode": 400, "message": message}, status_code=400)
