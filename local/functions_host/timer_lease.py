"""The lease by which one host of several runs a timer: a blob, held for a minute and renewed every half of it.

A killed holder's lease runs out by itself; a clean stop gives it back. Who does not get it tries each minute.
"""

import contextlib
import logging
from http.client import FORBIDDEN

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobLeaseClient, ContainerClient

from local.functions_host.errors import HostEndError
from local.functions_host.schedule_status import HOST_ID

LEASE_SECONDS = 60

logger = logging.getLogger(__name__)


class TimerLease:
    """The lease of one timer; every method calls the storage and waits for it."""

    def __init__(self, container: ContainerClient, function_name: str, seconds: int = LEASE_SECONDS) -> None:
        """Take the container of the hosts, the function whose timer it is, and how long a lease lasts."""
        self.seconds = seconds
        self._container = container
        self._blob = container.get_blob_client(f"locks/{HOST_ID}/{function_name}.Listener")
        self._lease: BlobLeaseClient | None = None

    def acquire(self) -> bool:
        """Tell whether the lease is this host's now; False while another has it, or the storage is away.

        Raises:
            HostEndError: the storage refuses this host.
        """
        try:
            self._lease = self._acquire()
        except HttpResponseError as error:
            self._end_if_forbidden(error)
            return False
        except AzureError as error:
            logger.warning("The lease of a timer cannot be had: %s", type(error).__name__)
            return False
        return True

    def _acquire(self) -> BlobLeaseClient:
        try:
            return self._blob.acquire_lease(lease_duration=self.seconds)
        except ResourceNotFoundError:
            with contextlib.suppress(ResourceExistsError):
                self._container.create_container()
            with contextlib.suppress(ResourceExistsError):
                self._blob.upload_blob(b"")
            return self._blob.acquire_lease(lease_duration=self.seconds)

    def renew(self) -> bool:
        """Tell whether the lease is still this host's; a fault that passes leaves it so.

        Raises:
            HostEndError: the storage refuses this host.
        """
        if self._lease is None:
            return False
        try:
            self._lease.renew()
        except HttpResponseError as error:
            self._end_if_forbidden(error)
            return error.status_code not in {404, 409, 412}
        except AzureError as error:
            logger.warning("The lease of a timer was not renewed: %s", type(error).__name__)
        return True

    def release(self) -> None:
        """Let another host have it at once."""
        with contextlib.suppress(AzureError):
            if self._lease is not None:
                self._lease.release()

    @staticmethod
    def _end_if_forbidden(error: HttpResponseError) -> None:
        if error.status_code == FORBIDDEN:
            raise HostEndError("The lease of a timer was refused", HostEndError.STORAGE) from error
