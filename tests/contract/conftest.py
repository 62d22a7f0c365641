import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.openapi import NOT_CHECKED, find_specifications
from tests.support.simulated import World, running_world

type Exchange = dict[str, Any]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if find_specifications() is None:
        terminalreporter.section("NOT CHECKED", red=True, bold=True)
        terminalreporter.write_line(NOT_CHECKED, red=True, bold=True)


class Recording:
    """The exchanges between a world and its simulator."""

    def __init__(self, world: World, file: Path) -> None:
        self.world = world
        self._file = file

    def begin_again(self) -> None:
        self.world.begin_again()
        self._file.write_bytes(b"")

    def list_all(self) -> list[Exchange]:
        return [json.loads(line) for line in self._file.read_text().splitlines()]

    def last(self) -> Exchange:
        return self.list_all()[-1]


@pytest.fixture(scope="session")
def running_recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    file = tmp_path_factory.mktemp("contract") / "record.jsonl"
    with running_world(file) as world:
        yield Recording(world, file)


@pytest.fixture
def recording(running_recording: Recording) -> Recording:
    running_recording.begin_again()
    return running_recording


@pytest.fixture
def world(recording: Recording) -> World:
    return recording.world


@pytest.fixture(autouse=True)
def _specifications() -> None:
    if find_specifications() is None:
        pytest.skip(NOT_CHECKED)
