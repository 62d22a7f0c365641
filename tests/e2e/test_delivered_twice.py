"""Queues deliver at least once: every message comes at least twice here, and nobody notices."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.running_app import CONTACTS_PER_CHUNK, Json, RunningApp, SavedExport, StartedRun, eventually

QUEUES = ("runs", "chunks", "imports")
CHUNKS = 3
EMAILS = sorted(f"person{number}@example.com" for number in range((CHUNKS - 1) * CONTACTS_PER_CHUNK + 20))
PAUSE_SECONDS = 0.2


class Echo:
    """Sends every message of a run again, under another id, as soon as the run's state shows that it was sent."""

    def __init__(self, run: StartedRun) -> None:
        self.run = run
        self.sent: list[tuple[str, Json]] = []

    def send_new(self) -> None:
        """Send what was not sent again yet."""
        for message in self._messages():
            if message not in self.sent:
                self.sent.append(message)
                self.run.running.send(*message)

    def send_all(self) -> None:
        """Send all once more."""
        for message in self.sent:
            self.run.running.send(*message)

    def _messages(self) -> Iterator[tuple[str, Json]]:
        ids = {"export": self.run.export, "run": self.run.id}
        yield "runs", ids
        for plan in self.run.running.read_all(self.run.folder + "plan.json").values():
            for chunk in json.loads(plan)["chunks"]:
                yield "chunks", ids | {"chunk": chunk["number"]}
        for name, delivery in self.run.running.read_all(self.run.folder + "deliveries/").items():
            if poll := json.loads(delivery).get("poll"):
                yield "imports", ids | {"chunk": int(name[-10:-5]), "poll_token": poll["token"]}


@contextmanager
def echoing(run: StartedRun) -> Iterator[Echo]:
    echo, stopping = Echo(run), threading.Event()

    def work() -> None:
        while not stopping.wait(PAUSE_SECONDS):
            echo.send_new()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield echo
    finally:
        stopping.set()
        thread.join()


@pytest.fixture(scope="module")
def export(running: RunningApp) -> SavedExport:
    return running.large_export(EMAILS)


@pytest.fixture(scope="module")
def echo(export: SavedExport) -> Echo:
    """A run of which every message came twice; it is over."""
    run = export.start()
    with echoing(run) as echo:
        run.wait()
    return echo


@pytest.mark.parametrize(("queue", "least"), [("runs", 1), ("chunks", CHUNKS), ("imports", CHUNKS)])
def test_every_message_was_sent_again(echo: Echo, queue: str, least: int) -> None:
    assert [name for name, _ in echo.sent].count(queue) >= least


def test_each_chunk_was_sent_to_sendgrid_once(running: RunningApp, export: SavedExport, echo: Echo) -> None:
    assert (echo.run.get()["chunks"]["planned"], running.count_upserts(export.list_id)) == (CHUNKS, CHUNKS)


def test_everybody_is_on_the_list_once_and_counts_once(export: SavedExport, echo: Echo) -> None:
    run = echo.run.get()
    assert (run["status"], run["counts"]["sent"], export.emails()) == ("succeeded", len(EMAILS), EMAILS)


def told(running: RunningApp, run: StartedRun) -> dict[str, bytes]:
    """All but the delivery records: a look at a job that overlaps the end may still note its time there."""
    return {name: data for name, data in running.read_all(run.folder).items() if "/deliveries/" not in name}


def test_messages_that_come_after_the_end_change_nothing(
    running: RunningApp, export: SavedExport, echo: Echo
) -> None:
    before = told(running, echo.run)
    left = running.count_messages(*QUEUES)
    echo.send_all()
    eventually(lambda: running.count_messages(*QUEUES) <= left)
    assert (told(running, echo.run), running.count_upserts(export.list_id)) == (before, CHUNKS)
