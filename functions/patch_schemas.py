"""Schemas of merge patches, made from those of what they change: https://www.rfc-editor.org/rfc/rfc7396."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    type Schema = dict[str, Any]

REFERENCE: Final = "#/components/schemas/"
DEFAULTS: Final = frozenset({"default", "x-default"})
NULL: Final = {"type": "null"}


def add_patch(schemas: dict[str, Any], name: str) -> Schema:
    """Add the schema of a patch of what `name` describes, and of what lies within; a reference to it.

    No member is required; null takes one back to its default, where it has one; objects change from within, lists
    are replaced.
    """
    patch = f"{name}Patch"
    if patch not in schemas:
        schemas[patch] = {}  # a reference to it may lie within
        schemas[patch] = _patch_of(schemas, name)
    return {"$ref": REFERENCE + patch}


def _patch_of(schemas: dict[str, Any], name: str) -> Schema:
    whole = schemas[name]
    required = whole.get("required", ())
    properties = {
        member: _member(schemas, described, may_be_null=member not in required)
        for member, described in whole["properties"].items()
    }
    description = f"Members of {name} to change; null takes one back to its default."
    kept = {key: value for key, value in whole.items() if key not in {"required", "properties", "description"}}
    return {**kept, "description": description, "properties": properties}


def _member(schemas: dict[str, Any], described: Mapping[str, Any], *, may_be_null: bool) -> Schema:
    about = {key: described[key] for key in ("description", "readOnly") if key in described}
    if described.get("readOnly"):
        return about
    rest = {key: value for key, value in described.items() if key not in DEFAULTS | about.keys()}
    options = _options(schemas, rest)
    if may_be_null and NULL not in options:
        options.append(NULL)
    return {**(options[0] if len(options) == 1 else {"anyOf": options}), **about}


def _options(schemas: dict[str, Any], described: Schema) -> list[Schema]:
    """What a member may be: each of a choice by itself, for which of them it was its patch need not say."""
    choice = described.get("anyOf") or described.get("oneOf")
    if choice:
        return [option for each in choice for option in _options(schemas, each)]
    name = described.get("$ref", "").removeprefix(REFERENCE)
    if name and "properties" in schemas[name]:
        return [add_patch(schemas, name)]
    found = dict(described)
    if isinstance(others := found.get("additionalProperties"), dict):
        found["additionalProperties"] = _or_null(others)
    if "patternProperties" in found:
        found["patternProperties"] = {form: _or_null(each) for form, each in found["patternProperties"].items()}
    return [found]


def _or_null(described: Schema) -> Schema:
    """An entry that a patch may take out."""
    return {"anyOf": [described, NULL]}
