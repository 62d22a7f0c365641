"""Checks recorded traffic against SendGrid's own OpenAPI files.

The files are those of https://github.com/twilio/sendgrid-oai (MIT), folder spec/json. They are not part of this
repository: the environment variable SENDGRID_OAI names the folder that holds them.
"""

from __future__ import annotations

import functools
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import orjson
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from tests.support.deviations import (
    EXTRA_CONTACT_MEMBERS,
    NOT_SENDGRIDS_ANSWERS,
    UNDOCUMENTED_ANSWERS,
    UNDOCUMENTED_STATUSES,
    repair,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.cloud import LocalCloud

type Json = dict[str, Any]

HOST = "https://api.sendgrid.com"
FILES = (
    "tsg_mc_contacts_v3.json",
    "tsg_mc_lists_v3.json",
    "tsg_mc_custom_fields_v3.json",
    "tsg_scopes_v3.json",
    "tsg_user_v3.json",
    "tsg_suppressions_v3.json",
    "tsg_recipients_data_erasure_v3.json",
)
VARIABLE = "SENDGRID_OAI"
NOT_CHECKED = (
    f"SendGrid's OpenAPI files were not found ({VARIABLE} names their folder): whether requests and answers agree"
    " with SendGrid's specification was NOT checked."
)


def find_specifications() -> Path | None:
    """Gives the folder with the specifications, or nothing when it is not there."""
    default = Path(__file__).parents[2] / "../shared/sendgrid-oai"
    folder = Path(os.environ.get(VARIABLE, default))
    return folder if (folder / FILES[0]).is_file() else None


def recorded(cloud: LocalCloud) -> list[Json]:
    """Everything that the SendGrid of a local cloud was asked, and its answers, one after the other."""
    assert cloud.record_file
    if not cloud.record_file.exists():  # nothing was asked yet
        return []
    return [orjson.loads(line) for line in cloud.record_file.read_bytes().splitlines()]


def wrong_exchanges(records: list[Json]) -> Counter[str]:
    """What disagrees with the specification, and how often; nothing without the specifications."""
    if find_specifications() is None:
        return Counter()
    return Counter(violation for record in records for violation in validate_exchange(record))


def validate_exchange(record: Json) -> list[str]:
    """Lists how one line of a recording disagrees with the specification; each begins "request:" or "response:".

    What a recording leaves out is not judged: the key, a body that was not read whole, an answer that never was.
    Raises FileNotFoundError without the specifications; ask `find_specifications` first.
    """
    operation = find_operation(record["method"], _path(record))
    if operation is None:
        return [f"request: {record['method']} {_path(record)} is not in the specification"]
    request = _request(record)
    violations = [f"request: {each}" for each in _request_violations(operation, request, record)]
    if record["status"] is not None and not NOT_SENDGRIDS_ANSWERS.intersection(record["injected"]):
        violations += [f"response: {each}" for each in _response_violations(operation, request, record)]
    return violations


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation and the specification it is from."""

    specification: OpenAPI
    method: str
    path: str
    """The template."""
    statuses: frozenset[int]
    has_body: bool


def find_operation(method: str, path: str) -> Operation | None:
    """Finds the operation that a request is for: of several templates that match, the one that says most."""
    matching = [found for found in _operations() if found.method == method and _matches(found.path, path)]
    return min(matching, key=lambda found: found.path.count("{"), default=None)


@functools.cache
def _operations() -> tuple[Operation, ...]:
    folder = find_specifications()
    if folder is None:
        raise FileNotFoundError(NOT_CHECKED)
    return tuple(operation for name in FILES for operation in _operations_of(folder / name))


def _operations_of(file: Path) -> Iterator[Operation]:
    document = repair(orjson.loads(file.read_bytes()))
    specification = OpenAPI.from_dict(document)
    for path, methods in document["paths"].items():
        for method in methods.keys() & {"get", "put", "post", "patch", "delete"}:
            yield Operation(
                specification=specification,
                method=method.upper(),
                path=path,
                statuses=frozenset(map(int, methods[method]["responses"])),
                has_body="requestBody" in methods[method],
            )


def _matches(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path) is not None


def _path(record: Json) -> str:
    return str(record["path"].partition("?")[0])


def _request(record: Json) -> MockRequest:
    headers = {**record["request_headers"], "authorization": "Bearer left-out-of-the-recording"}
    return MockRequest(
        HOST,
        record["method"].lower(),
        unquote(_path(record)),
        args=dict(parse_qsl(record["path"].partition("?")[2], keep_blank_values=True)),
        headers=headers,
        data=(record["request_body"] or "").encode(),
        content_type=headers.get("content-type", ""),
    )


def _request_violations(operation: Operation, request: MockRequest, record: Json) -> Iterator[str]:
    if operation.has_body and record["request_body"] is None:
        return
    for problem in operation.specification.iter_request_errors(request):
        yield from _describe(problem)
    if (operation.method, operation.path) == ("PUT", "/v3/marketing/contacts"):
        yield from _unknown_members(operation.specification, record["request_body"])


def _unknown_members(specification: OpenAPI, body: str) -> Iterator[str]:
    """Finds misspelt members of contacts, which SendGrid and its schema let pass and nobody would notice."""
    known = (specification.spec / "components" / "schemas" / "ContactRequest" / "properties").keys()
    try:
        contacts = orjson.loads(body)["contacts"]
        used = {name for contact in contacts for name in contact}
    except (ValueError, KeyError, TypeError):
        return  # the schema has told already
    for name in sorted(used - set(known) - EXTRA_CONTACT_MEMBERS.keys()):
        yield f"contacts have a member {name!r}, which SendGrid does not know"


def _response_violations(operation: Operation, request: MockRequest, record: Json) -> Iterator[str]:
    status = record["status"]
    if status not in operation.statuses:
        if (
            status not in UNDOCUMENTED_STATUSES
            and (operation.method, operation.path, status) not in UNDOCUMENTED_ANSWERS
        ):
            yield f"{operation.method} {operation.path} does not answer {status}"
        return
    headers = record["response_headers"]
    response = MockResponse(record["response_body"].encode(), status, headers, headers.get("content-type", ""))
    for problem in operation.specification.iter_response_errors(request, response):
        yield from _describe(problem)


def _describe(problem: BaseException) -> Iterator[str]:
    """Names the places in a body that a schema forbids, or else the problem as a whole."""
    schema_errors = getattr(problem.__cause__, "schema_errors", None)
    if not schema_errors:
        yield f"{type(problem).__name__}: {problem.__cause__ or problem}"
        return
    for each in schema_errors:
        yield f"{each.json_path}: {each.message}"
