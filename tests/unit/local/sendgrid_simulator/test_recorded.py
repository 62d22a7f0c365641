"""The profile `realistic` answers as SendGrid did when it was recorded.

Each file of `recorded/` is one exchange, with people of our own: what was asked, `after` how many seconds, and the
answer, member by member. Braces stand for what the stage below has made, and angles for what is never the same.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from local.sendgrid_simulator.configuration import REALISTIC
from local.sendgrid_simulator.suppressions import SuppressionKind
from tests.support.simulated import InMemorySendGrid

FILES = sorted((Path(__file__).parent / "recorded").glob("*.json"))
PATTERNS = {
    "<uuid>": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "<moment>": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "<number>": r"\d+",
    "<seconds>": r"[1-9]|[1-5]\d|60",
    "<id>": r"[1-9]\d{5}",
}


@pytest.fixture
def stage(sendgrid: InMemorySendGrid) -> dict[str, str]:
    """Prepares an account, and says what stands for the words in braces."""
    sendgrid.control.configure(profile=REALISTIC, edge_406_share=0)
    sendgrid.control.configure(latencies={})
    field = sendgrid.control.create_custom_field("tier", "Text")
    sendgrid.control.suppress(SuppressionKind.UNSUBSCRIBES, "eve@example.com")
    group = sendgrid.api.post("/v3/asm/groups", json={"name": "News", "description": "Weekly"}).json()["id"]
    members = {"recipient_emails": ["ann@example.com"]}
    sendgrid.api.post(f"/v3/asm/groups/{group}/suppressions", json=members)
    job = sendgrid.start_job({"email": "ann@example.com", "first_name": "Ann", "custom_fields": {field: "gold"}})
    return {"field": field, "group": str(group), "job": job, "list": sendgrid.list_id}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_answer_is_as_recorded(sendgrid: InMemorySendGrid, stage: dict[str, str], file: Path) -> None:
    recorded = json.loads(file.read_bytes())
    sendgrid.clock.pass_(recorded["after"])
    if recorded["after"]:
        stage["contact"] = (sendgrid.control.contact("ann@example.com") or {})["id"]
    request = filled(recorded["request"], stage)
    answer = sendgrid.api.request(request["method"], request["path"], json=request.get("body"))
    headers = {name: answer.headers.get(name) for name in recorded.get("headers", {})}
    body = answer.json() if answer.content else None
    assert answer.status_code == recorded["status"]
    assert like(headers, recorded.get("headers", {})) == recorded.get("headers", {})
    assert like(body, expected := filled(recorded["body"], stage)) == expected


def filled(value: Any, stage: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda word: stage[word.group(1)], value)
    if isinstance(value, dict):
        return {name: filled(each, stage) for name, each in value.items()}
    return [filled(each, stage) for each in value] if isinstance(value, list) else value


def like(value: Any, expected: Any) -> Any:  # noqa: ANN401 - JSON
    """Puts the word in angles in the place of what fits it, so that only differences are left."""
    if isinstance(expected, str) and expected in PATTERNS:
        return expected if re.fullmatch(PATTERNS[expected], str(value)) else value
    if isinstance(value, dict) and isinstance(expected, dict):
        return {name: like(each, expected.get(name)) for name, each in value.items()}
    if isinstance(value, list) and isinstance(expected, list) and len(value) == len(expected):
        return [like(each, other) for each, other in zip(value, expected, strict=True)]
    return value
