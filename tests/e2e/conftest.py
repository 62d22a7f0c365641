"""One app for all end-to-end tests that do not kill it, with messages on its queues that are none of ours."""

from collections.abc import Iterator

import pytest

from local.cloud import LocalCloud
from tests.support.openapi import NOT_CHECKED, find_specifications, recorded, wrong_exchanges
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
    """Return a running app; who makes trouble at SendGrid or in the vault for all takes it back in the end.

    When all tests of this worker are over, everything that SendGrid was asked is judged.
    """
    with RunningApp(cloud) as running:
        for queue, message in FOREIGN_MESSAGES.items():
            running.send_worn(queue, message)
        running.send("chunks", {"export": "unknown", "run": "20260101T000000Z-x", "chunk": 1})
        running.start_host()
        yield running
        assert wrong_exchanges(recorded(cloud)) == {}


@pytest.fixture(scope="module", autouse=True)
def _nobody_else_is_asked(running: RunningApp) -> Iterator[None]:
    """No test makes the app ask anybody beyond this machine."""
    before = running.refused_targets()
    yield
    assert running.refused_targets() == before
