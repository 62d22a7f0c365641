from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import quote

import pytest

from local.export_api import Run

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

COUNTS: dict[str, Any] = {
    "rows_read": 10,
    "sent": 5,
    "duplicate": 2,
    "rejected": 3,
    "not_sent": 0,
    "rejected_by_reason": {"email_missing": 1, "email_invalid": 2},
    "cut": {"city": 1},
    "created": 4,
    "updated": 1,
}
CHUNKS = {"planned": 2, "accepted": 2, "finished": 2, "contacts_planned": 5, "contacts_accepted": 5}
TIMES = {
    "created_at": "2026-08-04T14:03:00Z",
    "planning_at": "2026-08-04T14:03:01Z",
    "uploading_at": "2026-08-04T14:03:03Z",
    "importing_at": "2026-08-04T14:03:07Z",
    "finished_at": "2026-08-04T14:03:15Z",
}


@pytest.fixture
def make_run() -> Callable[..., Run]:
    """A factory of runs as the API shows them; `counts` and `chunks` replace single figures."""

    def make(
        *, counts: dict[str, Any] | None = None, chunks: dict[str, int] | None = None, **members: object
    ) -> Run:
        document = {
            "id": "20260804T140300Z-abc",
            "export": "vip",
            "trigger": "on_demand",
            "status": "succeeded",
            "reason": {"code": "done", "message": "All is well."},
            "warnings": [],
            "counts": COUNTS | (counts or {}),
            "chunks": CHUNKS | (chunks or {}),
        }
        return Run.model_validate(document | TIMES | members)

    return make


class MemoryContainer:
    """The methods of a ContainerClient that deliveries need, on a dict."""

    url = "https://stlocal.blob.core.windows.net/customerinsights"

    def __init__(self, blobs: dict[str, bytes]) -> None:
        self._blobs = blobs

    def upload_blob(self, name: str, data: str | Iterable[bytes] | IO[bytes], *, overwrite: bool) -> None:
        assert overwrite
        self._blobs[name] = data.encode() if isinstance(data, str) else b"".join(data)

    def get_blob_client(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(url=f"{self.url}/{quote(name)}")


@pytest.fixture
def blobs() -> dict[str, bytes]:
    """What was uploaded to `container`, in the order of the uploads."""
    return {}


@pytest.fixture
def container(blobs: dict[str, bytes]) -> "ContainerClient":
    return cast("ContainerClient", MemoryContainer(blobs))
