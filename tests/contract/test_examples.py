"""What README.md and docs/ show of the API is so: it is sent to the app in memory, and held to the description."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from openapi_schema_validator import OAS31Validator

from functions.openapi import describe_api
from tests.support.doc_examples import PAGES, ROOT, Call, blocks, calls, named_operations
from tests.support.factories import ADMIN_KEY, use_services
from tests.support.fake_sendgrid import KEY, LIST_ID
from tests.support.http_in_memory import answer
from tests.support.in_memory_app import InMemoryApp
from tools.exports.definitions import Kind, complete

if TYPE_CHECKING:
    from pathlib import Path

OBSERVING: Final = "first-deployment.md"
"""Its calls look how a deployed app refuses them, too."""
CALLS: Final = [call for page in PAGES if page.name != OBSERVING for call in calls(page)]
WITH_CALLS: Final = sorted({call.page for call in CALLS})
NOT_NOW: Final = {("leavers.md", "confirm-removals"): 409}
"""What needs a run that took nobody off, which this one is not: (page, end of the path) → status."""
ROWS: Final = "".join(f"person{number}@example.com,Ann,SE\n" for number in range(3))


class Reader:
    """Somebody who types what a page shows, one after the other."""

    def __init__(self) -> None:
        self.app = InMemoryApp()
        self.app.vault.secrets["sendgrid-api-key"] = KEY
        self.app.save()
        for segment in ("Customers", "HighValueCustomers", "HighValue"):
            name = f"{segment}/2026/03/02/0900/{segment}_1.csv"
            self.app.extracts.upsert(name, f"EMail,FirstName,Country\n{ROWS}".encode())
        self.run = self.app.run_to_its_end().id
        use_services(self.app.services)

    def send(self, call: Call) -> int:
        """Type it, and let the app work until it is at rest; the status of the answer."""
        path = re.sub(r"<run>|\$RUN", self.run, call.path)
        body = re.sub(r"<[^>]*list[^>]*>", str(LIST_ID), call.body or "").encode()
        address, _, query = path.partition("?")
        given = answer(call.method, address, query, call.headers | {"x-functions-key": ADMIN_KEY}, body)
        if location := given.headers.get("Location"):
            self.app.work()
            self.run = location.rpartition("/")[2]
        return int(given.status_code)


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """The operation of an address, or of a path with names in braces."""
    path = path.partition("?")[0]
    for form, operations in describe_api()["paths"].items():
        if path == form or re.fullmatch(re.sub(r"{\w+}", "[^/]+", form.replace(".", r"\.")), path):
            found: dict[str, Any] | None = operations.get(method.lower())
            return found
    return None


def validator(name: str) -> OAS31Validator:
    document = describe_api()
    return OAS31Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_what_is_called_is_an_operation_and_what_is_sent_is_of_its_form(call: Call) -> None:
    operation = operation_of(call.method, call.path)
    assert operation is not None
    assert call.headers.keys() & {"x-functions-key", "authorization"}
    if call.body is not None:
        (content,) = operation["requestBody"]["content"].values()
        body = json.loads(re.sub(r"<[^>]*list[^>]*>", str(LIST_ID), call.body))
        assert list(validator(content["schema"]["$ref"].rpartition("/")[2]).iter_errors(body)) == []


@pytest.mark.parametrize("page", WITH_CALLS, ids=lambda page: page.name)
def test_who_types_what_a_page_shows_gets_good_answers(page: Path) -> None:
    reader = Reader()
    shown = calls(page)
    answered = {f"{call.method} {call.path}": reader.send(call) for call in shown}
    wrong = {
        what: status
        for what, status in answered.items()
        if status != NOT_NOW.get((page.name, what.rpartition("/")[2]), status if status < 300 else None)
    }
    assert wrong == {}


def test_the_readmes_story_ends_with_a_run_that_has_succeeded() -> None:
    reader = Reader()
    for call in calls(ROOT / "README.md"):
        reader.send(call)
    (run,) = reader.app.runs("newsletter")[-1:]
    assert (run.id, run.status.value) == (reader.run, "succeeded")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_operation_that_a_page_names_is_one(page: Path) -> None:
    named = [(method.replace("HEAD", "GET"), path) for method, path in named_operations(page)]
    assert [each for each in named if operation_of(*each) is None] == []


def test_entries_that_the_audit_logs_page_shows_are_of_their_form() -> None:
    (block,) = blocks(ROOT / "docs/audit.md", "json")
    entries = [json.loads(line) for line in block.splitlines()]
    assert len(entries) == 3
    assert [list(validator("AuditEntry").iter_errors(entry)) for entry in entries] == [[], [], []]


def test_files_that_the_page_of_config_as_code_shows_are_good() -> None:
    connection, export, workflow = blocks(ROOT / "docs/config-as-code.md", "yaml")
    assert complete(Kind.CONNECTION, yaml.safe_load(connection))["secret_name"] == "sendgrid-api-key"
    assert complete(Kind.EXPORT, yaml.safe_load(export))["connection"] == "marketing"
    assert "tools.exports" in yaml.safe_load(workflow)["jobs"]["exports"]["steps"][-1]["run"]


def test_there_are_examples() -> None:
    assert {page.name for page in WITH_CALLS} == {"README.md", "deploy.md", "leavers.md"}
    assert len(CALLS) >= 10
