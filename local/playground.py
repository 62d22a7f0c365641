"""What the demo and `make serve` need on top of the local cloud: a list, a key, definitions, the app."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Final

from azure.storage.blob import ContainerClient

from local.azure.environment import EXTRACT_CONTAINER
from local.cloud import Host, LocalCloud
from local.extracts.deliveries import SEGMENT
from shared.model.definitions import SourceOptions

CONNECTION: Final = "sendgrid"
EXPORT: Final = "high-value-customers"
SECRET: Final = "sendgrid-api-key"  # noqa: S105 - the secret's name
LIST_NAME: Final = "High value customers"
MAX_CONTACTS: Final = 100_000
SETTLE: Final = timedelta(seconds=1)
CONSENT: Final = "I agree that the data of these customers goes to SendGrid."


class Playground:
    """A storage account, a SendGrid list, and a vault with a key that may write to it.

    Attributes:
        account: The storage account.
        list_id: The SendGrid list.
    """

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.account = cloud.new_account()
        cloud.prepare_account(self.account)
        cloud.send_events(self.account)
        cloud.vault.set_secret(SECRET, cloud.simulator.create_key())
        self.list_id = cloud.simulator.create_list(LIST_NAME)

    def extracts(self) -> AbstractContextManager[ContainerClient]:
        """The container that extracts are delivered to; a client to be closed."""
        service = self.cloud.blob_service(self.account)
        return service.get_container_client(EXTRACT_CONTAINER)

    def start_host(
        self,
        *,
        tick: str,
        refresh_schedule: str = "",
        authentication: str = "keys",
        port: int = 0,
        function_key: str = "",
    ) -> Host:
        """Start the app and return when it answers.

        Args:
            tick: When its timer ticks, a cron expression of six fields.
            refresh_schedule: When the environment refreshes, a cron expression of five fields; or never.
            authentication: How callers say who they are, `keys` or `entra`.
            port: Where the app listens; 0 takes any free one.
            function_key: The administrator's key; one is made up unless given.
        """
        return self.cloud.start_host(
            self.account,
            SCHEDULE_TICK=tick,
            REFRESH_SCHEDULE=refresh_schedule,
            AUTHENTICATION=authentication,
            SECRET_WRITERS=SECRET,
            port=port,
            function_key=function_key,
        )


def connection_definition(*, users: Sequence[str] = ()) -> dict[str, Any]:
    """What is PUT as the connection; `users` are object ids, or names of keys."""
    return {
        "display_name": "Marketing",
        "secret_name": SECRET,
        "region": "global",
        "consent": {"text": CONSENT, "version": "1"},
        "users": list(users),
    }


def export_definition(
    list_id: str,
    mapping: Mapping[str, str],
    *,
    schedule: str,
    max_contacts: int = MAX_CONTACTS,
    source: SourceOptions | None = None,
    leavers: str = "keep",
) -> dict[str, Any]:
    """What is PUT as the export; `schedule` is `refresh`, `arrival` or `off`.

    Files are delivered here at once: the extract need not settle for longer than a second.
    """
    options = (source or SourceOptions()).model_copy(update={"settle": SETTLE})
    return {
        "name": LIST_NAME,
        "connection": CONNECTION,
        "list_id": list_id,
        "segments": [SEGMENT],
        "mapping": dict(mapping),
        "source": options.model_dump(mode="json", exclude_defaults=True),
        "max_contacts": max_contacts,
        "schedule": {"kind": schedule},
        "leavers": leavers,
        "enabled": True,
    }
