"""Where SendGrid's OpenAPI files are wrong or silent, and why we do not count that against anybody."""

from typing import Any

UNDOCUMENTED_STATUSES = {
    401: "left out by the lists, fields and user files, though any call without a valid key gets it",
    403: "left out by the same files; the errors page has it for missing scopes and temporary blocks",
    405: "in no file; an HTTP server answers it by itself",
    406: "in no file; the errors page has it for an Accept header without JSON",
    413: "in no file; nginx answers it, as HTML",
    414: "in no file; nginx answers it, as HTML",
    429: "in no file of these; on the rate limits page",
    451: "in no file; the errors page has it for data residency",
    500: "left out by the lists, fields and user files",
}
"""Statuses that any operation may answer although its specification does not list them."""

UNDOCUMENTED_ANSWERS = {
    ("GET", "/v3/marketing/lists", 400): "page_size has bounds, but no answer to one that is out of them",
    ("POST", "/v3/marketing/contacts/batch", 400): "ids has a maximum, but no answer to one that exceeds it",
    ("GET", "/v3/suppression/bounces", 400): "limit has a maximum, but no answer to one that exceeds it",
    ("POST", "/v3/asm/suppressions/global", 400): "addresses have a format, but no answer to one that has it not",
    ("GET", "/v3/asm/groups/{group_id}", 404): "no answer to a group that does not exist",
}
"""Single answers that the specification ought to list."""

EXTRA_CONTACT_MEMBERS = dict.fromkeys(
    ("phone_number", "whatsapp", "line", "facebook", "unique_name"),
    "a writable reserved field according to the field definitions, but not in ContactRequest",
)
"""Members of a contact that may be sent although the schema lacks them."""

GLOBAL_SUPPRESSION = "/v3/asm/suppressions/global/{email}"

NOT_SENDGRIDS_ANSWERS = {"answer", "error_after_acceptance"}
"""Faults whose answers stand for outages and gateways, which no specification describes."""


def repair(document: dict[str, Any]) -> dict[str, Any]:
    """Corrects what the files get wrong; the argument is changed.

    - `nullable` is a word of OpenAPI 3.0 without effect in 3.1, which the files claim to be: the null that it
      means, and that their own examples contain, becomes part of the type.
    - `custom_fields` has an example of a field, `w1`, where its schema belongs; numbers are valid values, too.
    - `alternate_emails` and `segment_ids` are arrays, though SendGrid was recorded to answer null for none, and to
      leave the latter out of the newest contacts.
    - The `job_id` of a deletion is an object, though recorded as the text that it is everywhere else.
    - A global suppression must have an address, though the prose says that {} means none.
    - No request body is marked as required, though none of these operations does anything without.
    - 204 is given a body of type string; RFC 9110 section 15.3.5 does not allow any.
    """
    _allow_nulls(document)
    for path in document["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                _require(operation.get("requestBody", {}))
                operation["responses"].get("204", {}).pop("content", None)
    if suppression := document["paths"].get(GLOBAL_SUPPRESSION):
        del suppression["get"]["responses"]["200"]["content"]["application/json"]["schema"]["required"]
    for body in document["components"].get("requestBodies", {}).values():
        _require(body)
    _say_that_job_ids_are_texts(document["paths"])
    for name, schema in document["components"]["schemas"].items():
        if name != "ContactRequest":
            _allow_null_arrays(schema.get("properties", {}))
        if name == "ContactDetails3":
            schema["required"].remove("segment_ids")
    contact = document["components"]["schemas"].get("ContactRequest")
    if contact:
        del contact["properties"]["custom_fields"]["properties"]
    return document


def _require(request_body: dict[str, Any]) -> None:
    if "$ref" not in request_body:  # what it refers to is there itself
        request_body["required"] = True


def _say_that_job_ids_are_texts(node: object) -> None:
    if isinstance(node, dict):
        if isinstance(job_id := node.get("job_id"), dict) and job_id.get("type") == "object":
            node["job_id"] = {"type": "string"}
        for each in node.values():
            _say_that_job_ids_are_texts(each)
    elif isinstance(node, list):
        for each in node:
            _say_that_job_ids_are_texts(each)


def _allow_null_arrays(properties: dict[str, Any]) -> None:
    for name in properties.keys() & {"alternate_emails", "segment_ids"}:
        properties[name]["type"] = ["array", "null"]


def _allow_nulls(node: object) -> None:
    if isinstance(node, list):
        for each in node:
            _allow_nulls(each)
    elif isinstance(node, dict):
        if node.get("nullable") is True and isinstance(node.get("type"), str):
            node["type"] = [node["type"], "null"]
        for each in node.values():
            _allow_nulls(each)
