from collections.abc import Iterator

import pytest

from tests.support.simulated import World, running_world


@pytest.fixture(scope="session")
def simulator_world() -> Iterator[World]:
    with running_world() as world:
        yield world


@pytest.fixture
def world(simulator_world: World) -> World:
    simulator_world.begin_again()
    return simulator_world
