"""What was asked of the API and what it answered; never a key, never a body."""

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict

from local.sendgrid_simulator.faults import FaultKind


class LoggedRequest(BaseModel):
    """One request to the API."""

    model_config = ConfigDict(frozen=True)

    method: str
    path: str
    """With the query."""
    endpoint: str
    """The method and the path's template."""
    status: int | None
    """None when the connection ended, on whichever side, before the request was answered."""
    request_bytes: int
    response_bytes: int
    started: float
    """When the request's head had arrived, in seconds since 1970."""
    seconds: float
    """From then to the answer, as late as it is meant to be."""
    contacts: int = 0
    """The contacts in an accepted upsert."""
    injected: tuple[FaultKind, ...] = ()


class RequestLog:
    """The requests since the last reset, and sums over them."""

    def __init__(self) -> None:
        self._requests: list[LoggedRequest] = []
        self._lock = threading.Lock()

    def add(self, entry: LoggedRequest) -> None:
        """Notes one request."""
        with self._lock:
            self._requests.append(entry)

    def list_all(self) -> list[LoggedRequest]:
        """Lists the requests in the order in which they were decided."""
        with self._lock:
            return list(self._requests)

    def count_by_status(self) -> Counter[str]:
        """Counts the requests, under keys such as "PUT /v3/marketing/contacts 202" or "… reset"."""
        return Counter(f"{each.endpoint} {each.status or 'reset'}" for each in self.list_all())


class Recorder:
    """Appends every exchange to a file, one JSON object a line, for checks afterwards."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def write(self, exchange: dict[str, Any]) -> None:
        """Appends one exchange; a reader finds it there when this returns."""
        line = orjson.dumps(exchange, option=orjson.OPT_APPEND_NEWLINE)
        with self._lock, self._path.open("ab") as file:
            file.write(line)
