import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.openapi import NOT_CHECKED, find_specifications
from tests.support.simulated import InMemorySendGrid, running_world

type Exchange = dict[str, Any]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if find_specifications() is None:
        terminalreporter.section("NOT CHECKED", red=True, bold=True)
        terminalreporter.write_line(NOT_CHECKED, red=True, bold=True)


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


@pytest.fixture(autouse=True)
def _specifications() -> None:
    if find_specifications() is None:
        pytest.skip(NOT_CHECKED)
