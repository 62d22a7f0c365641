"""What the app asks of SendGrid is as its specification says.

When the tests of a worker are over, conftest.py judges in the same way what was asked in any of them; after every
file it looks whether anybody beyond this machine was asked.
"""

import pytest

from tests.support.openapi import NOT_CHECKED, Json, find_specifications, recorded, wrong_exchanges
from tests.support.running_app import RunningApp


@pytest.fixture(scope="module")
def exchanges(running: RunningApp) -> list[Json]:
    """Everything that SendGrid was asked in a run, and its answers."""
    before = len(recorded(running.cloud))
    assert running.export_of("ann@example.com").run()["status"] == "succeeded"
    return recorded(running.cloud)[before:]


def test_requests_and_answers_agree_with_sendgrids_specification(exchanges: list[Json]) -> None:
    if find_specifications() is None:
        pytest.skip(NOT_CHECKED)
    assert wrong_exchanges(exchanges) == {}


def test_every_request_asks_for_json(exchanges: list[Json]) -> None:
    accepted = {each["request_headers"].get("accept") for each in exchanges if "errors" not in each["path"]}
    assert accepted == {"application/json"}


def test_there_was_something_to_judge(exchanges: list[Json]) -> None:
    assert {each["method"] for each in exchanges} >= {"GET", "PUT"}
