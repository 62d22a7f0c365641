from collections.abc import Iterator

import pytest

from tests.support.simulated import InMemorySendGrid, running_world


@pytest.fixture(scope="session")
def simulator_world() -> Iterator[InMemorySendGrid]:
    with running_world() as sendgrid:
        yield sendgrid


@pytest.fixture
def sendgrid(simulator_world: InMemorySendGrid) -> InMemorySendGrid:
    simulator_world.begin_again()
    return simulator_world
