import json
from typing import Any

import httpx
import pytest

from local.sendgrid_simulator.faults import Fault, FaultKind
from tests.support.simulated import CONTACTS, InMemorySendGrid, running_world

BODY = '{"contacts": [{"email": "ann@example.com"}]}'


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Everything recorded of one accepted request, one reset, one that is too large, and an error file."""
    file = tmp_path_factory.mktemp("record") / "record.jsonl"
    with running_world(file) as sendgrid:
        sendgrid.begin_again()
        sendgrid.api.put(f"{CONTACTS}?a=b", content=BODY)
        reset_one(sendgrid)
        sendgrid.api.put(CONTACTS, content=b" " * 6_000_001)
        sendgrid.api.get("/__errors/unknown")
    return [json.loads(line) for line in file.read_text().splitlines()]


def reset_one(sendgrid: InMemorySendGrid) -> None:
    sendgrid.control.inject(Fault(kind=FaultKind.RESET_BEFORE_BODY))
    with pytest.raises(httpx.TransportError):
        sendgrid.api.put(CONTACTS, content=BODY)


def test_a_line_has_the_request_and_the_answer(recorded: list[dict[str, Any]]) -> None:
    line = recorded[0]
    assert (line["method"], line["path"], line["request_body"]) == ("PUT", f"{CONTACTS}?a=b", BODY)
    assert (line["status"], list(json.loads(line["response_body"]))) == (202, ["job_id"])


def test_a_line_has_the_headers_of_both_but_not_the_key(recorded: list[dict[str, Any]]) -> None:
    line = recorded[0]
    assert ("accept" in line["request_headers"], "authorization" in line["request_headers"]) == (True, False)
    assert line["response_headers"]["content-type"] == "application/json"


def test_a_request_that_was_not_read_or_answered_has_nulls_there(recorded: list[dict[str, Any]]) -> None:
    line = recorded[1]
    assert (line["request_body"], line["status"], line["response_body"]) == (None, None, None)
    assert line["injected"] == ["reset_before_body"]


def test_a_body_that_was_too_large_is_not_kept(recorded: list[dict[str, Any]]) -> None:
    assert (recorded[2]["status"], recorded[2]["request_body"]) == (413, None)


def test_error_files_are_not_part_of_the_api(recorded: list[dict[str, Any]]) -> None:
    assert len(recorded) == 3
