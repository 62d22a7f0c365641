"""A request that is sent twice starts one run: by its Idempotency-Key, or while the run it started is not over."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.errors import BlobChangedError, BlobExistsError, IdempotencyMismatchError
from shared.limits import IDEMPOTENCY_KEPT
from shared.model.runs import Run, StartedRequest
from shared.runs.start import new_run_id, start
from shared.storage.layout import RunBlobs, request_blob

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.model.definitions import Actor
    from shared.model.documents import Document
    from shared.services import Services


@dataclass(frozen=True, kw_only=True)
class StartRequest:
    """A request for a run, as far as it decides what is started."""

    export: str
    export_uid: str
    by: Actor
    operation: str
    """As the audit log calls it."""
    run: str | None = None
    """The earlier run that it is about."""
    body: Document | None = None
    key: str | None = None
    """Its Idempotency-Key."""

    @property
    def blob(self) -> str:
        """Where its key is remembered: a key is its caller's and its export's, and finds nobody else's request."""
        owner = json.dumps([self.export_uid, self.by.id, self.key])
        return request_blob(self.export, hashlib.sha256(owner.encode()).hexdigest())

    @property
    def digest(self) -> str:
        """Of what another request under the same key would differ in."""
        body = self.body.model_dump(mode="json") if self.body else None
        return hashlib.sha256(json.dumps([self.operation, self.run, body]).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Started:
    """The run of a request."""

    run: Run
    is_replay: bool = False
    """Whether the request was sent before, under the same key."""


def start_once(services: Services, request: StartRequest, begin: Callable[[str], Run]) -> Started:
    """The run that the request started when it was sent before under its key, else the one that `begin` starts.

    `begin` is given the id of the run it is to start, and may join one that is under way instead. A request that
    was cut off before its run was written down begins it again, under the same id.

    Raises IdempotencyMismatchError when the key was sent with another request, and what `begin` raises.
    """
    if request.key is None:
        return Started(run=begin(new_run_id(services)))
    noted, _ = note_request(services, request)
    found = services.store.find(RunBlobs(export=request.export, run=noted.run).document, Run)
    if found is not None:
        return Started(run=start(services, found.document), is_replay=True)
    run = begin(noted.run)
    if run.id != noted.run:
        services.store.upsert(request.blob, noted.model_copy(update={"run": run.id}))
    return Started(run=run)


def note_request(services: Services, request: StartRequest) -> tuple[StartedRequest, bool]:
    """What is noted of the request under its key within IDEMPOTENCY_KEPT, and whether it was noted just now.

    Raises IdempotencyMismatchError when the key was sent with another request.
    """
    noted, is_new = _noted(services, request)
    if noted.request != request.digest:
        raise IdempotencyMismatchError(
            "The Idempotency-Key was sent before with another request; send a key of its own with each."
        )
    return noted, is_new


def _noted(services: Services, request: StartRequest) -> tuple[StartedRequest, bool]:
    now = services.clock()
    mine = StartedRequest(run=new_run_id(services), request=request.digest, asked_at=now)
    found = services.store.find(request.blob, StartedRequest)
    oldest = now - timedelta(seconds=IDEMPOTENCY_KEPT)
    try:
        if found is None:
            services.store.create(request.blob, mine)
        elif found.document.asked_at is None or found.document.asked_at < oldest:
            services.store.replace(request.blob, mine, etag=found.etag)
        else:
            return found.document, False
    except (BlobExistsError, BlobChangedError):  # sent twice at the same moment
        return services.store.get(request.blob, StartedRequest).document, False
    return mine, True


def one_at_a_time(services: Services, export: str, name: str, run: str) -> str:
    """The run that the document `name` stands for, unless it is over; else `run`, for which it stands then.

    A run without a document was cut off as it was started, and is started by the next who asks.
    """
    mine = StartedRequest(run=run)
    found = services.store.find(name, StartedRequest)
    try:
        if found is None:
            services.store.create(name, mine)
        elif is_over(services, export, found.document.run):
            services.store.replace(name, mine, etag=found.etag)
        else:
            return found.document.run
    except (BlobExistsError, BlobChangedError):  # asked twice at the same moment
        return services.store.get(name, StartedRequest).document.run
    return run


def is_over(services: Services, export: str, run: str) -> bool:
    """Whether a run is over; one without a document is not."""
    found = services.store.find(RunBlobs(export=export, run=run).document, Run)
    return found is not None and found.document.status.is_terminal
