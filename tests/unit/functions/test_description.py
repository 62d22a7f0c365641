"""Routes, models and documents say the same."""

from __future__ import annotations

import json
import re

import pytest
from openapi_spec_validator import validate

import function_app
from functions.openapi import describe_api
from functions.operations import OPERATIONS
from shared.access.policy import POLICY
from tests.support.http_routes import api_routes
from tests.unit.functions.test_who_may_what import OPEN
from tools.describe_api import ROOT, made_files


def test_the_description_is_valid() -> None:
    validate(describe_api())


def test_every_route_is_described_as_it_is_and_no_other() -> None:
    assert function_app.app is not None
    described = {operation.name: (operation.method, operation.path) for operation in OPERATIONS.values()}
    assert described == {name: (route.method, f"/{route.path}") for name, route in api_routes().items()}
    assert {name for name, operation in OPERATIONS.items() if operation.rule is None} == OPEN - {"get_console"}
    assert all(operation.rule is POLICY[name] for name, operation in OPERATIONS.items() if name not in OPEN)


@pytest.mark.parametrize("path", made_files(), ids=lambda path: path.name)
def test_documents_are_as_they_are_made(path: object) -> None:
    files = made_files()
    for made, text in files.items():
        if made == path:
            assert made.read_text(encoding="utf-8") == text, "run `make docs`"


def test_the_documents_are_where_they_are_said_to_be() -> None:
    assert {path.relative_to(ROOT).as_posix() for path in made_files()} == {
        "docs/openapi.json",
        "docs/errors.md",
        "docs/api.md",
        "docs/telemetry.md",
        "docs/schemas/connection.schema.json",
        "docs/schemas/export.schema.json",
        "docs/schemas/notification.schema.json",
        "infra/console-paths.json",
    }


def test_fields_are_described_by_the_words_of_the_code() -> None:
    fields = describe_api()["components"]["schemas"]["ExportDraft"]["properties"]
    assert fields["max_contacts"]["description"].startswith("A run that would send more contacts")


def test_nothing_of_the_library_is_in_the_description() -> None:
    text = json.dumps(describe_api())
    assert not re.search(r"pydantic|Input should|\bTypedDict\b", text)
