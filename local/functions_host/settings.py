"""App settings: %NAME% in bindings, and connections to storage accounts.

A connection X is the setting X, which holds a connection string, or the settings X__queueServiceUri and
X__blobServiceUri with an identity: X__credential=managedidentity, X__clientId for a user-assigned one, or,
without X__credential, whatever DefaultAzureCredential finds. See
https://learn.microsoft.com/azure/azure-functions/functions-reference#configure-an-identity-based-connection.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from azure.storage.blob import ContainerClient
from azure.storage.queue import ExponentialRetry, QueueClient

from local.functions_host.errors import SettingError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

HOST_STORAGE = "AzureWebJobsStorage"
PLACEHOLDER = re.compile("%([^%]+)%")


def resolve(text: str, settings: Mapping[str, str]) -> str:
    """Replace each %NAME% by the app setting of that name.

    Raises:
        SettingError: there is no such setting.
    """

    def look_up(found: re.Match[str]) -> str:
        if found[1] not in settings:
            raise SettingError(f"the app setting {found[1]} is not set")
        return settings[found[1]]

    return PLACEHOLDER.sub(look_up, text)


def queue_client(connection: str, queue_name: str, settings: Mapping[str, str]) -> QueueClient:
    """Return a client for a queue, without looking whether it exists; texts are neither encoded nor decoded.

    Raises:
        SettingError: the connection's settings are missing or wrong.
    """
    if connection in settings:
        return _from_string(connection, settings, QueueClient.from_connection_string, queue_name=queue_name)
    uri = _service_uri(connection, "queueServiceUri", settings)
    return QueueClient(uri, queue_name, credential=_credential(connection, settings), **_client_options())


def container_client(connection: str, container_name: str, settings: Mapping[str, str]) -> ContainerClient:
    """Return a client for a blob container, without looking whether it exists.

    Raises:
        SettingError: the connection's settings are missing or wrong.
    """
    if connection in settings:
        make = ContainerClient.from_connection_string
        return _from_string(connection, settings, make, container_name=container_name)
    uri = _service_uri(connection, "blobServiceUri", settings)
    return ContainerClient(uri, container_name, credential=_credential(connection, settings), **_client_options())


def _client_options() -> dict[str, Any]:
    # Six tries about 0.8, 1.6, 3.2 … apart, as in .NET; the SDK's own first retry would come after 15 seconds.
    return {
        "retry_policy": ExponentialRetry(initial_backoff=0, increment_base=2, retry_total=5, random_jitter_range=0)
    }


def _from_string[Client](
    connection: str, settings: Mapping[str, str], make: Callable[..., Client], **names: str
) -> Client:
    try:
        return make(settings[connection], **names, **_client_options())
    except ValueError as error:
        raise SettingError(f"the app setting {connection} is no connection string") from error


def _service_uri(connection: str, kind: str, settings: Mapping[str, str]) -> str:
    name = f"{connection}__{kind}"
    if name not in settings:
        raise SettingError(f"neither the app setting {connection} nor {name} is set")
    if not settings[name].startswith("https://"):
        raise SettingError(f"the app setting {name} must be an https address, for tokens are sent there")
    return settings[name]


def _credential(connection: str, settings: Mapping[str, str]) -> "TokenCredential":
    kind = settings.get(f"{connection}__credential")
    if kind is None:
        return _default_credential()
    if kind.lower() != "managedidentity":
        raise SettingError(f"the app setting {connection}__credential can only be managedidentity here")
    return _managed_identity(settings.get(f"{connection}__clientId"))


@cache
def _default_credential() -> "TokenCredential":
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()


@cache
def _managed_identity(client_id: str | None) -> "TokenCredential":
    from azure.identity import ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=client_id)
