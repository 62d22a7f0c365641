from collections.abc import Iterator

import pytest

from tests.support import plain_planner as plain


@pytest.fixture(scope="module")
def plain_planner() -> Iterator[None]:
    """Plan in a few lines of Python: as the app does, for tests that make hundreds of plans."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.planning.plan.plan", plain.plan)
        patch.setattr("shared.planning.members.next_generation", plain.next_generation)
        yield
