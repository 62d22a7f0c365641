"""The description of the API, OpenAPI 3.1: made from the operations and the models that validate and answer.

https://spec.openapis.org/oas/v3.1.1
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final

from pydantic.json_schema import models_json_schema

from functions.field_docs import described_fields
from functions.merge_patch import MERGE_PATCH
from functions.operations import HEADERS, JSON, OPERATIONS
from functions.problems import PROBLEM_TYPE, Problem
from shared import __version__
from shared.model.documents import Document
from shared.model.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel
    from pydantic.json_schema import JsonSchemaMode

    from functions.operations import Answer, Operation, Parameter

INTRODUCTION: Final = (
    "Exports segments of customers to SendGrid contact lists. Callers send a function key (`x-functions-key`) or, "
    "where Microsoft Entra ID is set up, an access token. Refusals are problem documents (RFC 9457) whose `code` "
    "`GET /api/reasons` explains."
)
PROBLEMS: Final[Mapping[int, str]] = {
    400: "Something in the request is wrong; `errors` names it.",
    401: "The app does not know who is calling.",
    403: "The caller may not do this.",
    404: "There is no such thing, or the caller may not see it.",
    409: "The state of what the request is about forbids it.",
    412: "It is another version by now, or it is there already.",
    415: "The body is of another media type than is taken; `detail` says which are.",
    422: "The Idempotency-Key was sent before with another request.",
    429: "As much as is served at a time is under way; Retry-After says when to ask again.",
    500: "A setting of the app is missing or wrong.",
    503: "Something outside does not answer; Retry-After says when to ask again.",
}
EVERYWHERE: Final = (500, 503)
IDS: Final = {
    "id": (
        "Of the connection or export.",
        {"type": "string", "pattern": "^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"},
    ),
    "run": ("Of the run.", {"type": "string", "pattern": "^[0-9]{8}T[0-9]{6}Z-[a-z0-9]{1,16}$"}),
}


@functools.cache
def describe_api() -> dict[str, Any]:
    """The document."""
    operations = sorted(OPERATIONS.values(), key=lambda each: (each.path, each.method))
    models = {(model, mode): None for operation in operations for model, mode in _models(operation)}
    schemas, definitions = models_json_schema(
        [*models, (Problem, "serialization")], ref_template="#/components/schemas/{model}"
    )
    components = _with_docs(definitions["$defs"])
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.1",
        "info": {"title": "Segment exports to SendGrid", "version": __version__, "description": INTRODUCTION},
        "servers": [{"url": "/"}],
        "security": [{"functionKey": []}, {"entra": []}],
        "tags": [{"name": tag} for tag in sorted({_tag(operation) for operation in operations})],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "entra": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    }


def _with_docs(schemas: dict[str, Any]) -> dict[str, Any]:
    """The schemas, with what the code says of each field, and without what pydantic adds to please nobody."""
    kinds = {kind.__name__: kind for kind in _subclasses(Document)}
    for name, schema in schemas.items():
        docs = described_fields(kinds[name]) if name in kinds else {}
        for member, described in schema.get("properties", {}).items():
            described.pop("title", None)
            if member in docs:
                described.setdefault("description", docs[member])
        schema.pop("title", None)
    return schemas


def _subclasses(kind: type[Document]) -> Iterator[type[Document]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _models(operation: Operation) -> Iterator[tuple[type[BaseModel], JsonSchemaMode]]:
    if operation.body is not None:
        yield operation.body, "validation"
    for answer in operation.answers.values():
        if answer.model is not None:
            yield answer.model, "serialization"


type Schemas = Mapping[tuple[Any, JsonSchemaMode], Mapping[str, Any]]


def _operation(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [_tag(operation)],
        "summary": operation.summary,
        "parameters": [*_ids(operation), *map(_parameter, operation.parameters)],
        "responses": _responses(operation, schemas),
    }
    if operation.rule is None:
        described["security"] = []
    else:
        roles = ", ".join(role.value for role in Role if operation.rule.relations.get(role))
        described["description"] = f"{operation.description}\n\nFor: {roles}."
    if operation.body is not None:
        schema = schemas[operation.body, "validation"]
        content = {JSON: {"schema": schema}}
        if operation.method == "PATCH":
            changes = {"type": "object", "description": f"Members of {operation.body.__name__} to change."}
            content = {media: {"schema": changes} for media in (MERGE_PATCH, JSON)}
        described["requestBody"] = {"required": operation.body_required, "content": content}
    return described


def _tag(operation: Operation) -> str:
    return operation.path.split("/")[-1 if operation.path.endswith("/runs") else 2].replace(".json", "")


def _ids(operation: Operation) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", operation.path):
        description, schema = IDS[name]
        yield {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "description": parameter.description,
        "schema": dict(parameter.schema),
    }


def _responses(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    found = {str(status): _answer(answer, schemas) for status, answer in sorted(operation.answers.items())}
    statuses = {*operation.problems, *(EVERYWHERE if operation.rule else ())}
    if operation.rule:
        statuses |= {400, 401, 403} | ({404} if "{" in operation.path else set())
    return found | {str(status): _problem(status, schemas) for status in sorted(statuses)}


def _answer(answer: Answer, schemas: Schemas) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.description}
    content: dict[str, Any] = {}
    if answer.media != JSON:
        content[answer.media] = {"schema": {"type": "string"}}
    if answer.model is not None:
        content[JSON] = {"schema": schemas[answer.model, "serialization"]}
    if content:
        described["content"] = content
    if answer.headers:
        described["headers"] = {
            name: {"description": HEADERS[name][0], "schema": HEADERS[name][1]} for name in answer.headers
        }
    return described


def _problem(status: int, schemas: Schemas) -> dict[str, Any]:
    content = {PROBLEM_TYPE: {"schema": schemas[Problem, "serialization"]}}
    return {"description": PROBLEMS[status], "content": content}
