import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.openapi import NOT_CHECKED, find_specifications
from tests.support.simulated import InMemorySendGrid, running_world

type Exchange = dict[str, Any]

ANSWERS: Final = pytest.StashKey[Counter[int]]()
"""Status → how often the app answered what schemathesis made up."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if answers := terminalreporter.config.stash.get(ANSWERS, None):
        statuses = ", ".join(f"{status}: {number}" for status, number in sorted(answers.items()))
        terminalreporter.write_line(f"schemathesis: {answers.total()} cases ({statuses})")
    if find_specifications() is None:
        terminalreporter.section("NOT CHECKED", red=True, bold=True)
        terminalreporter.write_line(NOT_CHECKED, red=True, bold=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each operation that schemathesis tries an id of its own: xdist runs what has the same id but once."""
    for item in items:
        _, mark, operation = item.name.partition("[")
        if mark and item.id.params is None:
            item._id = item.id.with_params(operation.removesuffix("]"))


class Recording:
    """The exchanges between a sendgrid and its simulator."""

    def __init__(self, sendgrid: InMemorySendGrid, file: Path) -> None:
        self.sendgrid = sendgrid
        self._file = file

    def begin_again(self) -> None:
        self.sendgrid.begin_again()
        self._file.write_bytes(b"")

    def list_all(self) -> list[Exchange]:
        return [json.loads(line) for line in self._file.read_text().splitlines()]

    def last(self) -> Exchange:
        return self.list_all()[-1]


@pytest.fixture(scope="session")
def running_recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    file = tmp_path_factory.mktemp("contract") / "record.jsonl"
    with running_world(file) as sendgrid:
        yield Recording(sendgrid, file)


@pytest.fixture
def recording(running_recording: Recording) -> Recording:
    running_recording.begin_again()
    return running_recording


@pytest.fixture
def sendgrid(recording: Recording) -> InMemorySendGrid:
    return recording.sendgrid


@pytest.fixture
def _specifications() -> None:
    if find_specifications() is None:
        pytest.skip(NOT_CHECKED)
