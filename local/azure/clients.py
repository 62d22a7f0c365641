"""The genuine storage clients, as an operator beside the app would use them.

They take the way the app takes, over the proxy and TLS with a token from the identity endpoint, but are told
so one by one: the environment of this process stays as it is.
"""

from typing import Any

import httpx
from azure.core.credentials import AccessToken
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.azure.environment import Platform
from local.azure.identity import API_VERSION, OPERATOR_CLIENT_ID


class OperatorCredential:
    """Gets tokens for the operator's managed identity from the local identity endpoint."""

    def __init__(self, *, endpoint: str, header: str) -> None:
        self._endpoint = endpoint
        self._header = header

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:  # noqa: ANN401 - as azure-core's protocol has it
        """Return a token for the first scope; raise `httpx.HTTPStatusError` when the endpoint refuses."""
        response = httpx.get(
            self._endpoint,
            params={
                "api-version": API_VERSION,
                "resource": scopes[0].removesuffix("/.default"),
                "client_id": OPERATOR_CLIENT_ID,
            },
            headers={"X-IDENTITY-HEADER": self._header},
            trust_env=False,
        )
        token = response.raise_for_status().json()
        return AccessToken(token["access_token"], int(token["expires_on"]))


class StorageClients:
    """Makes clients for any of the local storage accounts."""

    def __init__(self, platform: Platform) -> None:
        self._credential = OperatorCredential(endpoint=platform.identity_url, header=platform.identity_header)
        self._transport: dict[str, Any] = {
            "connection_verify": str(platform.ca_file),
            "proxies": {"https": platform.proxy_url},
        }

    def blob_service(self, account: str) -> BlobServiceClient:
        """Return a client for the account's blobs; the caller closes it."""
        url = f"https://{account}.blob.core.windows.net"
        return BlobServiceClient(url, credential=self._credential, **self._transport)

    def queue_service(self, account: str) -> QueueServiceClient:
        """Return a client for the account's queues; the caller closes it."""
        url = f"https://{account}.queue.core.windows.net"
        return QueueServiceClient(url, credential=self._credential, **self._transport)
