"""Blobs and queues in Azure Storage; foreign errors are mapped here, once."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import requests
from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
)
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import BlobPrefix, BlobProperties, BlobServiceClient, ContainerClient
from azure.storage.blob import ExponentialRetry as BlobRetry
from azure.storage.queue import ExponentialRetry as QueueRetry
from azure.storage.queue import QueueServiceClient, TextBase64EncodePolicy
from requests.adapters import HTTPAdapter

from shared.errors import (
    BlobChangedError,
    BlobExistsError,
    BlobMissingError,
    ExportError,
    SettingsError,
    StorageUnavailableError,
)
from shared.limits import QUEUE_DELAY_MAX
from shared.storage.interfaces import Blob, BlobItem, Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from azure.core.credentials import TokenCredential
    from azure.core.pipeline import PipelineResponse

    from shared.settings import StorageSettings


class BlobRangeError(ExportError):
    """The range begins at the end of the blob or after it."""


BY_STATUS: Final[Mapping[int, type[ExportError]]] = {
    404: BlobMissingError,
    412: BlobChangedError,
    416: BlobRangeError,
}
"""What the statuses that callers tell apart are to us."""
FORBIDDEN: Final = 403


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long calls to storage are waited for."""

    connect: float
    """Seconds until a connection must stand."""
    read: float
    """Seconds without a byte."""
    retries: int


FOR_MESSAGES: Final = Patience(connect=20, read=60, retries=3)
"""Nobody waits but the message."""
FOR_CALLERS: Final = Patience(connect=2, read=2.5, retries=1)
"""Somebody waits for an answer over HTTP, and may ask again."""


def blob_service(
    settings: StorageSettings, credential: TokenCredential, *, patience: Patience, connections: int
) -> BlobServiceClient:
    """Client of the storage account's blobs, by connection string where one is set, else by identity."""
    options = _options(patience, connections) | {"retry_policy": BlobRetry(**_retrying(patience))}
    if settings.connection_string:
        return BlobServiceClient.from_connection_string(settings.connection_string, **options)
    return BlobServiceClient(settings.blob_uri, credential=credential, **options)


def queue_service(
    settings: StorageSettings, credential: TokenCredential, *, patience: Patience, connections: int
) -> QueueServiceClient:
    """Client of the storage account's queues, by connection string where one is set, else by identity."""
    options = _options(patience, connections) | {"retry_policy": QueueRetry(**_retrying(patience))}
    if settings.connection_string:
        return QueueServiceClient.from_connection_string(settings.connection_string, **options)
    return QueueServiceClient(settings.queue_uri, credential=credential, **options)


def _retrying(patience: Patience) -> dict[str, Any]:
    """Waits of 1, 3, 5 … s between tries."""
    return {"initial_backoff": 1, "increment_base": 2, "retry_total": patience.retries, "random_jitter_range": 0}


def _options(patience: Patience, connections: int) -> dict[str, Any]:
    """Timeouts, and a pool with a connection for each thread: requests keeps ten and throws the others away."""
    session = requests.Session()
    adapter = HTTPAdapter(pool_connections=connections, pool_maxsize=connections, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    transport = RequestsTransport(
        session=session,
        session_owner=False,
        connection_timeout=patience.connect,
        read_timeout=patience.read,
    )
    return {"transport": transport}


@contextmanager
def _mapped(what: str) -> Iterator[None]:
    try:
        yield
    except AzureError as error:
        raise _our_error(error, what) from error


def _our_error(error: AzureError, what: str) -> ExportError:
    code = getattr(error, "error_code", None)
    if code == "BlobAlreadyExists":
        return BlobExistsError(what)
    status = getattr(error, "status_code", None)
    if ours := BY_STATUS.get(status or 0):
        return ours(what)
    if status == FORBIDDEN or isinstance(error, ClientAuthenticationError):
        return SettingsError(
            f"Azure Storage refuses this app at {what}: give its identity the roles Storage Blob Data "
            "Contributor and Storage Queue Data Contributor there."
        )
    if code:
        return StorageUnavailableError(f"Azure Storage answered {code} at {what}")
    return StorageUnavailableError(f"Azure Storage did not answer at {what} ({type(error).__name__})")


class AzureBlobs:
    """One container."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    def now(self) -> datetime:
        """The time by storage's clock, as a listing tells it: whoever may list may ask."""
        told: list[PipelineResponse[Any, Any]] = []
        with _mapped(f"{self._container.container_name}/"):
            listing = self._container.list_blobs(results_per_page=1, raw_response_hook=told.append)
            next(listing.by_page(), None)
        return parsedate_to_datetime(told[0].http_response.headers["Date"])

    def list_blobs(self, prefix: str = "") -> Iterator[BlobItem]:
        """Blobs whose name starts with `prefix`, by name."""
        with _mapped(f"{self._container.container_name}/{prefix}"):
            for item in self._container.list_blobs(name_starts_with=prefix, include=["metadata"]):
                yield _item(item)

    def list_level(self, prefix: str = "") -> Level:
        """Folders and blobs directly below `prefix`.

        Storage has them in the order of names with a slash behind folders, a hierarchical namespace in that of its
        folders, and lists an empty folder as a folder or as a blob that stands for one.
        """
        folders: set[str] = set()
        blobs: list[BlobItem] = []
        with _mapped(f"{self._container.container_name}/{prefix}"):
            for item in self._container.walk_blobs(name_starts_with=prefix, include=["metadata"], delimiter="/"):
                if isinstance(item, BlobPrefix):
                    folders.add(item.name.rstrip("/"))
                elif (found := _item(item)).is_folder:
                    folders.add(found.name)
                else:
                    blobs.append(found)
        return Level(folders=tuple(sorted(folders)), blobs=tuple(sorted(blobs, key=attrgetter("name"))))

    def get(self, name: str) -> Blob:
        """The whole blob."""
        with _mapped(name):
            download = self._container.get_blob_client(name).download_blob()
            return Blob(data=download.readall(), etag=download.properties.etag.strip('"'))

    def get_range(self, name: str, *, offset: int, length: int, etag: str) -> bytes:
        """At most `length` bytes from `offset` of version `etag`."""
        client = self._container.get_blob_client(name)
        try:
            with _mapped(name):
                return client.download_blob(
                    offset=offset,
                    length=length,
                    etag=f'"{etag}"',
                    match_condition=MatchConditions.IfNotModified,
                    decompress=False,  # a label of Content-Encoding says nothing of a range
                ).readall()
        except BlobMissingError as error:
            raise BlobChangedError(name) from error
        except BlobRangeError:
            return b""

    def create(self, name: str, data: bytes) -> str:
        """Write a new blob."""
        with _mapped(name):
            return _etag(self._container.get_blob_client(name).upload_blob(data, overwrite=False))

    def replace(self, name: str, data: bytes, *, etag: str) -> str:
        """Overwrite version `etag`."""
        try:
            with _mapped(name):
                blob = self._container.get_blob_client(name)
                answer = blob.upload_blob(
                    data, overwrite=True, etag=f'"{etag}"', match_condition=MatchConditions.IfNotModified
                )
                return _etag(answer)
        except BlobMissingError as error:
            raise BlobChangedError(name) from error

    def upsert(self, name: str, data: bytes) -> str:
        """Write the blob whether or not it exists."""
        with _mapped(name):
            return _etag(self._container.get_blob_client(name).upload_blob(data, overwrite=True))

    def delete(self, name: str, *, etag: str | None = None) -> None:
        """Remove the blob."""
        client = self._container.get_blob_client(name)
        try:
            with _mapped(name):
                if etag is None:
                    client.delete_blob()
                else:
                    client.delete_blob(etag=f'"{etag}"', match_condition=MatchConditions.IfNotModified)
        except BlobMissingError:
            return

    def create_growing(self, name: str) -> None:
        """Make a new, empty append blob."""
        with _mapped(name):
            self._container.get_blob_client(name).create_append_blob(match_condition=MatchConditions.IfMissing)

    def append(self, name: str, data: bytes, *, offset: int) -> None:
        """Add `data` behind the first `offset` bytes; again is as good as once.

        The SDK asks again where no answer came, and storage then says that the blob ends elsewhere:
        https://learn.microsoft.com/rest/api/storageservices/append-block
        """
        try:
            with _mapped(name):
                self._container.get_blob_client(name).append_block(data, appendpos_condition=offset)
        except BlobChangedError:
            if self.read_grown(name, offset=offset, length=len(data)) != data:
                raise

    def read_grown(self, name: str, *, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset`."""
        try:
            with _mapped(name):
                return self._container.get_blob_client(name).download_blob(offset=offset, length=length).readall()
        except BlobRangeError:
            return b""


def _item(item: BlobProperties) -> BlobItem:
    # https://learn.microsoft.com/azure/storage/blobs/data-lake-storage-namespace: how a folder shows as a blob
    is_folder = (item.metadata or {}).get("hdi_isfolder") == "true"
    return BlobItem(
        name=item.name,
        size=item.size,
        etag=item.etag.strip('"'),
        modified=item.last_modified,
        is_folder=is_folder,
    )


def _etag(answer: dict[str, object]) -> str:
    return str(answer["etag"]).strip('"')


class AzureQueues:
    """All queues of the app. Bodies are base64, as the Functions host expects them."""

    def __init__(self, service: QueueServiceClient) -> None:
        self._service = service

    def send(self, queue: str, body: str, *, delay: float = 0) -> None:
        """Put a message on `queue`, visible after `delay` seconds, rounded up."""
        with _mapped(queue):
            client = self._service.get_queue_client(queue, message_encode_policy=TextBase64EncodePolicy())
            client.send_message(body, visibility_timeout=min(math.ceil(delay), int(QUEUE_DELAY_MAX)))
