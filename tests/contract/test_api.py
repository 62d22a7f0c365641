"""The app answers as its own description says, whatever it is sent: schemathesis makes the requests up.

https://schemathesis.readthedocs.io/ The functions run in this process with storage, vault and SendGrid in memory.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)

from shared.runs import pulse
from tests.contract.conftest import ANSWERS
from tests.support.factories import ADMIN_KEY, use_services
from tests.support.http_in_memory import wsgi
from tests.support.in_memory_app import InMemoryApp, people

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXAMPLES: Final = 30
"""Requests of each kind that are made up for an operation, beside those for each member and its bounds."""
CASES_LEAST: Final = 1_500
"""Far fewer would mean that the document has lost operations, or schemathesis its way to them."""
SETTINGS: Final = {
    "KEY_VAULT_URL": "https://vault.example",
    "DataStorage": "UseDevelopmentStorage=true",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "SCHEDULE_TICK": "*/30 * * * * *",
    "AUTHENTICATION": "keys",
    "KEY_ROLES": '{"admin": "Administrator"}',
}
"""What /api/health finds good."""
NOT_ASKED: Final = [
    unsupported_method,  # which method a route has is the host's to say, and it says 404
    ignored_auth,  # it takes our key for one of its own; test_who_may_what.py tries every function
]
SAID_BY_WORDS: Final = frozenset(
    {
        "duplicate_export",
        "get_audit",
        "get_report",
        "get_segment",
        "list_all_runs",
        "list_next_times",
        "patch_connection",
        "patch_export",
        "patch_notification",
        "preview_draft",
        "put_connection",
        "put_connection_key",
        "put_export",
        "put_notification",
    }
)
"""Operations that refuse what no schema can tell: a cursor, JSON in a parameter, cron, a time zone."""
STATES: Final = frozenset({412, 422})
"""What a good request is refused with for others before it, beside 409: another version, a key used before."""

schema = schemathesis.openapi.from_wsgi("/api/openapi.json", wsgi)


class World:
    """The app with something to find under each kind of id."""

    def __init__(self) -> None:
        self.answers: Counter[int] = Counter()
        self.begin_again()

    def begin_again(self) -> None:
        """Have everything there again that a test has deleted."""
        app = InMemoryApp()
        app.save()
        app.deliver_extract([*people(3), ("no address", "Nobody")])
        self.run = app.run_to_its_end().id
        use_services(app.services)

    def lead_to_something(self, case: Case[Any]) -> None:
        """Give every second good request the ids of what is there; made-up ones hardly ever are."""
        mode = case.meta.generation.mode if case.meta else None
        if mode is not GenerationMode.POSITIVE or sum(self.answers.values()) % 2:
            return
        there = {
            "id": "main" if "/connections/" in case.path else "newsletter",
            "run": self.run,
            "segment": "Customers",
        }
        case.path_parameters = {name: there[name] for name in case.path_parameters or {}}
        if isinstance(case.body, dict) and "connection" in case.body:
            case.body["connection"] = "main"


@pytest.fixture(scope="module", autouse=True)
def _well() -> Iterator[None]:
    """The settings are as they should be, and the timers as if the app had just been started."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        patch.setattr(pulse, "FIRST_TICK_WITHIN", 1 << 40)
        yield


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    world = World()
    yield world
    request.config.stash[ANSWERS] = world.answers


@pytest.fixture(autouse=True)
def _begin_again(_well: None, world: World) -> None:
    world.begin_again()


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described_and_none_is_a_fault_of_the_server(case: Case[Any], world: World) -> None:
    world.lead_to_something(case)
    response = case.call(headers={"x-functions-key": ADMIN_KEY})
    world.answers[response.status_code] += 1
    case.validate_response(response, excluded_checks=list(_not_asked(case, response.status_code)))


def _not_asked(case: Case[Any], status: int) -> Iterator[Callable[..., bool | None]]:
    yield from NOT_ASKED
    if status in STATES or case.operation.definition.raw["operationId"] in SAID_BY_WORDS:
        yield positive_data_acceptance
    if "" in (case.query or {}).values():  # the host drops it, so nothing is wrong any more
        yield negative_data_rejection


def test_there_were_many_requests_and_good_ones_among_them(world: World) -> None:
    assert sum(world.answers.values()) >= CASES_LEAST
    assert {200, 201, 202, 204, 400, 404, 412} <= set(world.answers)
