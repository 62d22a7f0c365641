"""What an app process on the local cloud finds in its environment: the platform's part and its settings."""

import json
from dataclasses import dataclass
from pathlib import Path

from local.azure.entra import APP_REGISTRATION, HOST
from local.azure.identity import APP_CLIENT_ID
from local.azure.processes import base_environment
from local.azure.tokens import TENANT_ID

VAULT_URL = "https://kv-local.vault.azure.net"
STATE_CONTAINER = "sendgrid-exports"
AUDIT_CONTAINER = "sendgrid-audit"
EXTRACT_CONTAINER = "customerinsights"
HOST_CONTAINER = "azure-webjobs-hosts"
KEY_NAME = "admin"
"""Of the key that opens the app."""
# Once a year: tests and the demo tick by hand, and no tick comes in between.
NEVER = "0 0 0 1 1 *"


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Where the local cloud plays the platform.

    Attributes:
        identity_url: The managed identity endpoint.
        identity_header: The secret it asks for.
        proxy_url: The only way out.
        ca_file: The only authority to trust, as PEM.
        receiver: The one host of this machine that may be notified, with its port.
    """

    identity_url: str
    identity_header: str
    proxy_url: str
    ca_file: Path
    receiver: str


def platform_environment(platform: Platform) -> dict[str, str]:
    """Return all that is local about an app process; in Azure the platform does this."""
    return {
        "IDENTITY_ENDPOINT": platform.identity_url,
        "IDENTITY_HEADER": platform.identity_header,
        "HTTPS_PROXY": platform.proxy_url,
        # Nothing of ours speaks plain http to other hosts; this way the proxy would refuse it and tell.
        "HTTP_PROXY": platform.proxy_url,
        "NO_PROXY": "127.0.0.1,localhost",
        "REQUESTS_CA_BUNDLE": str(platform.ca_file),  # requests, the transport of the Azure clients
        "SSL_CERT_FILE": str(platform.ca_file),  # httpx and urllib
    }


def app_settings(account: str) -> dict[str, str]:
    """Return the genuine app settings, as the Bicep template makes them for a storage account."""
    blob, queue, table = (f"https://{account}.{name}.core.windows.net" for name in ("blob", "queue", "table"))
    identity = {"credential": "managedidentity", "clientId": APP_CLIENT_ID}
    host_storage = {"blobServiceUri": blob, "queueServiceUri": queue, "tableServiceUri": table} | identity
    data_storage = {"blobServiceUri": blob, "queueServiceUri": queue} | identity
    return {
        **{f"AzureWebJobsStorage__{name}": value for name, value in host_storage.items()},
        **{f"DataStorage__{name}": value for name, value in data_storage.items()},
        "AZURE_CLIENT_ID": APP_CLIENT_ID,
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        "KEY_VAULT_URL": VAULT_URL,
        "STATE_CONTAINER": STATE_CONTAINER,
        "AUDIT_CONTAINER": AUDIT_CONTAINER,
        "EXTRACT_CONTAINER": EXTRACT_CONTAINER,
        "SCHEDULE_TICK": NEVER,
        "AUTHENTICATION": "keys",
        "KEY_ROLES": json.dumps({KEY_NAME: "Administrator"}),
        "ENTRA_TENANT_ID": TENANT_ID,
        "ENTRA_CLIENT_ID": APP_REGISTRATION,
        "ENTRA_AUTHORITY": f"https://{HOST}",
    }


def app_environment(platform: Platform, account: str, **settings: str) -> dict[str, str]:
    """Return the whole environment of an app process; `settings` win over everything else."""
    notified = {"NOTIFICATION_ALLOWED_HOSTS": platform.receiver}
    return base_environment() | platform_environment(platform) | app_settings(account) | notified | settings
