"""One app for all end-to-end tests that do not kill it, with messages on its queues that are none of ours."""

from collections.abc import Iterator

import pytest

from local.cloud import LocalCloud
from tests.support.openapi import NOT_CHECKED, find_specifications
from tests.support.running_app import RunningApp

FOREIGN_MESSAGES = {
    "runs": "Call poisonmark@example.com back, please.",
    "chunks": '{"export": "../../connections/poisonmark", "run": "20260101T000000Z-x", "chunk": 1}',
    "imports": '{"customer": "poisonmark@example.com"}',
}
"""Queue → a message that somebody else has put there."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if find_specifications() is None:
        terminalreporter.section("NOT CHECKED END TO END", red=True, bold=True)
        terminalreporter.write_line(NOT_CHECKED, red=True, bold=True)


@pytest.fixture(scope="session")
def running(cloud: LocalCloud) -> Iterator[RunningApp]:
    """Return a running app; who makes trouble at SendGrid or in the vault for all takes it back in the end."""
    with RunningApp(cloud) as running:
        for queue, message in FOREIGN_MESSAGES.items():
            running.send_worn(queue, message)
        running.send("chunks", {"export": "unknown", "run": "20260101T000000Z-x", "chunk": 1})
        running.start_host()
        yield running
