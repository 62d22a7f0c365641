"""Whom the app has asked in all the tests before: SendGrid, as its specification says, and nobody else."""

import json
from collections import Counter

import pytest

from tests.support.openapi import NOT_CHECKED, find_specifications, validate_exchange
from tests.support.running_app import Json, RunningApp


@pytest.fixture(scope="module")
def exchanges(running: RunningApp) -> list[Json]:
    """Everything that SendGrid was asked in this session, and its answers; one run at least."""
    assert running.export_of("ann@example.com").run()["status"] == "succeeded"
    assert running.cloud.record_file
    return [json.loads(line) for line in running.cloud.record_file.read_bytes().splitlines()]


def test_requests_and_answers_agree_with_sendgrids_specification(exchanges: list[Json]) -> None:
    if find_specifications() is None:
        pytest.skip(NOT_CHECKED)
    found = Counter(violation for exchange in exchanges for violation in validate_exchange(exchange))
    assert found == Counter()


def test_every_request_asks_for_json(exchanges: list[Json]) -> None:
    accepted = {each["request_headers"].get("accept") for each in exchanges if "errors" not in each["path"]}
    assert accepted == {"application/json"}


def test_nobody_was_asked_beyond_this_machine(running: RunningApp, exchanges: list[Json]) -> None:
    assert exchanges
    assert running.refused_targets() == []
