"""JSON Schemas of the files, for editors: made from the models that the API reads bodies by."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from functions.openapi import shut, with_docs

if TYPE_CHECKING:
    from tools.exports.definitions import Kind

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_text(kind: Kind) -> str:
    """The schema of a kind of file; what it does not know is wrong there."""
    schema: dict[str, Any] = kind.model.model_json_schema(mode="validation")
    definitions = with_docs({**schema.pop("$defs", {}), kind.model.__name__: schema})
    for each in definitions.values():
        shut(each)
    root = definitions.pop(kind.model.__name__)
    parts = {"$defs": definitions} if definitions else {}
    return json.dumps({"$schema": DIALECT, **root, **parts}, indent=2, ensure_ascii=False) + "\n"
