"""A gate before blob storage that lets a share of the app's writes meet an error, with or without their effect.

https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
"""

import random
import ssl
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from local.azure.environment import STATE_CONTAINER
from local.cloud import LocalCloud
from local.faults.gate import Gate, error_answer, gate_before, trust_of

BUSY: Final = (503, "ServerBusy")
CREATING: Final = ((409, "BlobAlreadyExists"), (409, "PendingCopyOperation"), BUSY)
REPLACING: Final = ((412, "ConditionNotMet"), (409, "PendingCopyOperation"), BUSY)
WRITING: Final = ((409, "PendingCopyOperation"), BUSY)
ONLY_AFTER: Final = {"BlobAlreadyExists"}
"""Not true unless the write has had its effect."""
ONLY_BEFORE: Final = {"PendingCopyOperation"}
"""Not true once the write has had its effect."""


class BlobGate(Gate):
    """Forwards to Azurite's blob port, but for some writes.

    Attributes:
        injected: How often each error was answered, by its status.
    """

    def __init__(self, port: int, *, trust: ssl.SSLContext, chooser: random.Random, share: float) -> None:
        """Answer a `share` of the writes to the state container with an error."""
        super().__init__(port, trust=trust)
        self.injected: Counter[int] = Counter()
        self._chooser = chooser
        self._share = share

    async def answer(self, request: Request) -> Response:
        """Answer a request, perhaps with an error."""
        fault = self._choose(request)
        if fault is None:
            return await self.forward(request)
        status, code = fault
        has_effect = code in ONLY_AFTER or (code not in ONLY_BEFORE and self._chooser.random() < 0.5)  # noqa: PLR2004
        if has_effect:
            answer = await self.forward(request)
            if answer.status_code >= 400:  # noqa: PLR2004 - a true refusal is not replaced
                return answer
        self.injected[status] += 1
        return error_answer(status, code)

    def _choose(self, request: Request) -> tuple[int, str] | None:
        is_write = request.method == "PUT" and request.url.path.startswith(f"/{STATE_CONTAINER}/")
        if not is_write or self._chooser.random() >= self._share:
            return None
        return self._chooser.choice(_possible(request.headers))


@contextmanager
def blob_gate(cloud: LocalCloud, *, chooser: random.Random, share: float) -> Iterator[BlobGate]:
    """Put the gate between everybody and the blobs, for the length of the block."""
    gate = BlobGate(cloud.azurite.ports.blob, trust=trust_of(cloud), chooser=chooser, share=share)
    with gate_before(cloud, "blob", gate):
        yield gate


def _possible(headers: Mapping[str, str]) -> tuple[tuple[int, str], ...]:
    if headers.get("if-none-match") == "*":
        return CREATING
    return REPLACING if "if-match" in headers else WRITING
