from collections.abc import Iterator

import pytest

from tests.support import plain_planner as plain
from tests.support.in_memory_app import InMemoryApp
from tests.support.worlds import a_world


@pytest.fixture(scope="module")
def plain_planner() -> Iterator[None]:
    """Plan in a few lines of Python: as the app does, for tests that make hundreds of plans."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.planning.plan.plan", plain.plan)
        patch.setattr("shared.planning.members.next_generation", plain.next_generation)
        yield


@pytest.fixture
def app() -> InMemoryApp:
    """An export whose extract, of twelve people, is delivered; modules about another world have their own."""
    return a_world()
