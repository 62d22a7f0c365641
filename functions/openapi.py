"""The description of the API, OpenAPI 3.1: made from the operations and the models that validate and answer.

https://spec.openapis.org/oas/v3.1.1
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final

from pydantic.json_schema import models_json_schema

from functions.bodies import READ_ONLY, READ_ONLY_CONSENT
from functions.field_docs import described_fields
from functions.merge_patch import MERGE_PATCH
from functions.operations import HEADERS, ID, JSON, OPERATIONS, RUN_ID
from functions.patch_schemas import add_patch
from functions.problems import PROBLEM_TYPE, Problem
from shared import __version__
from shared.model.documents import Document
from shared.model.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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
SEGMENT: Final = r"^\w[\w .-]{0,126}$"
"""Pattern of a segment's name, as `shared.model.definitions.SegmentName` has it."""
IDS: Final = {
    "id": ("Of the connection, export or notification target.", {"type": "string", "pattern": ID}),
    "run": ("Of the run.", {"type": "string", "pattern": RUN_ID}),
    "segment": ("Name of the segment.", {"type": "string", "pattern": SEGMENT}),
}


@functools.cache
def describe_api() -> dict[str, Any]:
    """The document."""
    operations = sorted(OPERATIONS.values(), key=lambda each: (each.path, each.method))
    models = {(model, mode): None for operation in operations for model, mode in _models(operation)}
    schemas, definitions = models_json_schema(
        [*models, (Problem, "serialization")], ref_template="#/components/schemas/{model}"
    )
    components = with_docs(definitions["$defs"])
    _shut_bodies(components, operations)
    _rename_object_defaults(components)
    for operation in operations:
        if operation.method == "PATCH" and operation.body is not None:
            add_patch(components, operation.body.__name__)
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


def with_docs(schemas: dict[str, Any]) -> dict[str, Any]:
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


def shut(schema: dict[str, Any]) -> None:
    """Let a schema say what is so of all that is sent: a member that is not known is refused."""
    if "properties" in schema:
        schema.setdefault("additionalProperties", False)


def _shut_bodies(schemas: dict[str, Any], operations: Iterable[Operation]) -> None:
    """Shut the schemas of bodies and of what they are made of; that of a definition takes what was answered."""
    bodies = {operation.body.__name__: operation for operation in operations if operation.body is not None}
    answered = {name for name, each in bodies.items() if each.method == "PUT" and each.path.endswith("/{id}")}
    for name in _reached(schemas, bodies):
        shut(schemas[name])
        ignored = READ_ONLY if name in answered else READ_ONLY_CONSENT if name == "ConsentText" else ()
        for member in sorted(ignored):
            schemas[name]["properties"][member] = {"readOnly": True, "description": "As it was answered; ignored."}


def _rename_object_defaults(schemas: Mapping[str, Any]) -> None:
    """Make a default that is an object an `x-default`: generators of clients leave out what has such a default."""
    for schema in schemas.values():
        for described in schema.get("properties", {}).values():
            if isinstance(described.get("default"), dict):
                described["x-default"] = described.pop("default")


def _reached(schemas: Mapping[str, Any], names: Iterable[str]) -> set[str]:
    """The schemas of these names, and those they refer to."""
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += re.findall(r"#/components/schemas/([^'\"]+)", repr(schemas[name]))
    return found


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
            content = {MERGE_PATCH: {"schema": {"$ref": f"{schema['$ref']}Patch"}}}
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
    if answer.also is not None:
        content[answer.also] = {"schema": {"type": "string"}}
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
