"""Checks a parameters file against the template it is for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from infra.check.nodes import Array, Literal, Parameter, Problem, Template
from infra.check.unify import hint

if TYPE_CHECKING:
    from pathlib import Path

_PYTHON = {"string": str, "int": int, "bool": bool, "array": list, "object": dict}


def check_parameters(path: Path, template: Template) -> list[Problem]:
    """Problems of a `*.parameters.json`."""
    given = json.loads(path.read_text())["parameters"]
    known = {each.name: each for each in template.of_kind(Parameter)}
    messages = [
        f"unknown parameter '{name}'{hint(name, known)}"
        if name not in known
        else _value(known[name], value.get("value"))
        for name, value in given.items()
    ]
    missing = [f"missing parameter '{name}'" for name, each in known.items() if _needed(each, given)]
    return [Problem(str(path), 1, 1, message) for message in [*messages, *missing] if message]


def _needed(parameter: Parameter, given: dict[str, object]) -> bool:
    return parameter.default is None and parameter.name not in given


def _value(parameter: Parameter, value: object) -> str:
    if parameter.decorator("secure"):
        return f"'{parameter.name}' is a secret and must not be in a file"
    expected = _PYTHON[parameter.type]
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        return f"'{parameter.name}' must be {parameter.type}"
    allowed = parameter.decorator("allowed")
    if allowed and isinstance(allowed.arguments[0], Array):
        values = [item.value for item in allowed.arguments[0].items if isinstance(item, Literal)]
        if value not in values:
            return f"'{parameter.name}' must be one of {values}"
    return ""
