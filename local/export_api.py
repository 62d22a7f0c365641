"""The app's HTTP API, as a client sees it."""

import csv
import io
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import httpx
from pydantic import AwareDatetime, BaseModel

POLL_SECONDS: Final = 0.2
TERMINAL: Final = {"succeeded", "completed_with_warnings", "failed", "skipped", "cancelled"}


class ApiError(Exception):
    """The app refused a request, or a run did not end in time."""


class Reason(BaseModel):
    """Why a run ended as it did."""

    code: str
    message: str


class Counts(BaseModel):
    """What became of the rows."""

    rows_read: int
    sent: int
    unchanged: int = 0
    duplicate: int
    rejected: int
    not_sent: int
    removed: int = 0
    rejected_by_reason: dict[str, int]
    cut: dict[str, int]
    created: int
    updated: int


class Chunks(BaseModel):
    """How far a run has come."""

    planned: int
    accepted: int
    finished: int
    contacts_planned: int
    contacts_accepted: int


class Run(BaseModel):
    """What the demo needs of a run's document."""

    id: str
    export: str
    trigger: str
    status: str
    reason: Reason | None
    warnings: list[str]
    created_at: AwareDatetime
    planning_at: AwareDatetime | None
    uploading_at: AwareDatetime | None
    importing_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    counts: Counts
    chunks: Chunks

    @property
    def is_terminal(self) -> bool:
        """Whether the run is over."""
        return self.status in TERMINAL

    @property
    def begun(self) -> dict[str, datetime]:
        """Stage → when the run entered it, in order, for the stages it has reached."""
        times = {
            "queued": self.created_at,
            "planning": self.planning_at,
            "uploading": self.uploading_at,
            "importing": self.importing_at,
        }
        return {stage: at for stage, at in times.items() if at}

    @property
    def path(self) -> str:
        """Where the API shows it."""
        return f"/api/exports/{self.export}/runs/{self.id}"


class ExportApi:
    """Calls the app and raises ApiError when it refuses."""

    def __init__(self, client: httpx.Client, *, say: Callable[[str], None]) -> None:
        """Tell `say` of every call that changes something."""
        self._client = client
        self._say = say

    def put(self, path: str, definition: Mapping[str, Any]) -> None:
        """Save a connection or an export."""
        self._change("PUT", path, definition)

    def start_run(self, export: str, *, force: bool = False) -> Run:
        """Start an export on demand and look at the run where `Location` says it is."""
        answer = self._change("POST", f"/api/exports/{export}/runs", {"force": force})
        return self.get_run(answer.headers["Location"])

    def get(self, path: str) -> dict[str, Any]:
        """Look at a document."""
        document: dict[str, Any] = self._send("GET", path).json()
        return document

    def get_run(self, path: str) -> Run:
        """Look at a run."""
        return Run.model_validate(self._send("GET", path).json())

    def list_runs(self, export: str) -> list[Run]:
        """List the newest runs of an export, newest first."""
        answer = self._send("GET", f"/api/exports/{export}/runs")
        return [Run.model_validate(each) for each in answer.json()["runs"]]

    def count_rejected(self, run: Run) -> int:
        """Count the rows of the run's list of rejected rows."""
        return sum(1 for _ in csv.DictReader(io.StringIO(self.read_rejected(run), newline="")))

    def read_report(self, run: Run) -> str:
        """The run's report, a page."""
        return self._send("GET", f"{run.path}/report").text

    def read_rejected(self, run: Run) -> str:
        """The run's list of rejected rows, which comes in parts."""
        parts = []
        path: str | None = f"{run.path}/rejected"
        while path:
            answer = self._send("GET", path)
            parts.append(answer.text)
            path = answer.links.get("next", {}).get("url")
        return "".join(parts)

    def follow(self, run: Run, *, timeout_seconds: float) -> Iterator[Run]:
        """Yield the run as it goes on; last when it is over."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            run = self.get_run(run.path)
            yield run
            if run.is_terminal:
                return
            if time.monotonic() > deadline:
                raise ApiError(f"Run {run.id} was still {run.status} after {timeout_seconds:.0f} s.")
            time.sleep(POLL_SECONDS)

    def await_own_run(self, export: str, *, trigger: str, timeout_seconds: float) -> Run:
        """Wait until the app has started a run by itself; the first that was started so."""
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            started = [run for run in self.list_runs(export) if run.trigger == trigger]
            if started:
                return started[-1]
            time.sleep(POLL_SECONDS)
        raise ApiError(f"No run of {export} was started as {trigger} in {timeout_seconds:.0f} s.")

    def _change(self, method: str, path: str, body: Mapping[str, Any]) -> httpx.Response:
        answer = self._send(method, path, body)
        self._say(f"{method} {path} → {answer.status_code}")
        return answer

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.TransportError as error:
            raise ApiError(f"{method} {path}: the app does not answer ({type(error).__name__})") from error
        if not answer.is_success:
            raise ApiError(f"{method} {path} → {answer.status_code} {answer.text}")
        return answer
