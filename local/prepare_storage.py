"""Makes the containers and queues that the app needs, where they are missing: `python -m local.prepare_storage`.

In Azure the Bicep template makes them. This reads local.settings.json, waits for the emulator that it names, and
may run again at any time.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from azure.core.exceptions import AzureError, ResourceExistsError, ServiceRequestError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from shared.errors import SettingsError
from shared.model.messages import every_queue
from shared.settings import StorageSettings, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterable

SETTINGS: Final = Path("local.settings.json")
PATIENCE_SECONDS: Final = 30.0
"""How long an emulator that was started a moment ago may take."""
LOOK_SECONDS: Final = 0.5
ONE_TRY: Final[dict[str, Any]] = {"retry_total": 0, "connection_timeout": 5, "read_timeout": 10}


class NotPreparedError(Exception):
    """What keeps the storage from being prepared, and what to change."""


def main() -> int:
    """Do it from the command line; the status to exit with."""
    try:
        for line in prepare(SETTINGS):
            print(line)
    except (NotPreparedError, SettingsError) as error:
        print(f"prepare_storage: {error}", file=sys.stderr)
        return 1
    return 0


def prepare(file: Path) -> list[str]:
    """Make what is missing in the storage that the file names; what there is now. Raises NotPreparedError."""
    settings = read_settings(_values(file))
    data, extracts = settings.data_storage, settings.extract_storage
    ours, theirs = {settings.state_container, settings.audit_container}, {settings.extract_container}
    if extracts == data:
        return _prepare_account(data, ours | theirs, every_queue())
    return _prepare_account(data, ours, every_queue()) + _prepare_account(extracts, theirs, ())


def create_missing(blobs: BlobServiceClient, containers: Iterable[str]) -> None:
    """Make these containers where they are not there yet."""
    for name in containers:
        with suppress(ResourceExistsError):
            blobs.create_container(name)


def create_missing_queues(queues: QueueServiceClient, names: Iterable[str]) -> None:
    """Make these queues where they are not there yet."""
    for name in names:
        with suppress(ResourceExistsError):
            queues.create_queue(name)


def _values(file: Path) -> dict[str, str]:
    try:
        values = json.loads(file.read_text("utf-8"))["Values"]
    except FileNotFoundError:
        raise NotPreparedError(f"There is no {file} here: cp local.settings.sample.json {file}") from None
    except (ValueError, KeyError, TypeError):
        raise NotPreparedError(f"{file} is no JSON object with Values, as the sample is.") from None
    return {name: str(value) for name, value in values.items()}


def _prepare_account(storage: StorageSettings, containers: set[str], queues: tuple[str, ...]) -> list[str]:
    if not storage.connection_string:
        raise NotPreparedError(
            "DataStorage and ExtractStorage of local.settings.json must be connection strings here, such as "
            "UseDevelopmentStorage=true: accounts in Azure are prepared by infra/deploy.sh."
        )
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with (
                BlobServiceClient.from_connection_string(storage.connection_string, **ONE_TRY) as blob_service,
                QueueServiceClient.from_connection_string(storage.connection_string, **ONE_TRY) as queue_service,
            ):
                create_missing(blob_service, containers)
                create_missing_queues(queue_service, queues)
            break
        except ServiceRequestError:
            if time.monotonic() > until:
                raise NotPreparedError("No storage answers; start Azurite first, as README.md shows.") from None
            time.sleep(LOOK_SECONDS)
        except (AzureError, ValueError) as error:
            raise NotPreparedError(f"Storage refuses ({type(error).__name__}); look at its address.") from None
    return [*(f"container {name}" for name in sorted(containers)), *(f"queue {name}" for name in queues)]


if __name__ == "__main__":
    sys.exit(main())
