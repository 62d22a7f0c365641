"""Editors know of a file what the tool knows."""

from __future__ import annotations

import json

import pytest
import yaml
from openapi_schema_validator import OAS31Validator

from tests.unit.tools.exports.conftest import CONNECTION, EXPORT
from tools.exports.definitions import Kind
from tools.exports.schemas import schema_text


def validator(kind: Kind) -> OAS31Validator:
    schema = json.loads(schema_text(kind))
    OAS31Validator.check_schema(schema)
    return OAS31Validator(schema)


@pytest.mark.parametrize(
    ("kind", "text"), [(Kind.CONNECTION, CONNECTION), (Kind.EXPORT, EXPORT.replace("off", "'off'"))]
)
def test_a_good_file_is_good(kind: Kind, text: str) -> None:
    assert list(validator(kind).iter_errors(yaml.safe_load(text))) == []


@pytest.mark.parametrize(
    "text",
    [
        EXPORT.replace("mapping:", "maping:"),
        EXPORT.replace("  email:", "  e_mail:"),
        EXPORT.replace("kind: off", "kind: sometimes"),
        EXPORT + "id: newsletter\n",
    ],
)
def test_what_is_misspelt_is_wrong(text: str) -> None:
    assert list(validator(Kind.EXPORT).iter_errors(yaml.safe_load(text)))


def test_members_are_explained_by_the_words_of_the_code() -> None:
    members = json.loads(schema_text(Kind.CONNECTION))["properties"]
    assert members["secret_name"]["description"].endswith("never the key.")
