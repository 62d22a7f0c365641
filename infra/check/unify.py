"""How types compare, and what one type says of several values."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from infra.check.azure_types import (
    ANY,
    NULL,
    STRING,
    AnyType,
    ArrayType,
    Choice,
    Deployed,
    ObjectType,
    Property,
    Type,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


def hint(name: str, known: Iterable[str]) -> str:
    """`, did you mean …?` when a known name is close."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f", did you mean '{close[0]}'?" if close else ""


def alike(got: Type, want: Type) -> bool:
    """Whether the two could be the same kind of value."""
    if isinstance(got, AnyType) or isinstance(want, AnyType) or got == NULL:
        return True
    if isinstance(got, Deployed):
        return False
    return str(got) == str(want)


def common(types: list[Type]) -> Type:
    """One type for several values: null says nothing, strings keep their values, the rest must agree."""
    told = [each for each in types if each != NULL]
    if not told:
        return NULL if types else ANY
    if all(isinstance(each, Choice) for each in told):
        values = [value for each in told if isinstance(each, Choice) for value in each.values]
        return Choice(tuple(dict.fromkeys(values)))
    if all(isinstance(each, ObjectType) for each in told):
        return _alternatives([each for each in told if isinstance(each, ObjectType)])
    if all(isinstance(each, ArrayType) for each in told):
        return ArrayType(common([each.item for each in told if isinstance(each, ArrayType)]))
    if all(str(each) == "string" for each in told):
        return STRING
    return told[0] if all(each == told[0] for each in told) else ANY


def _alternatives(objects: list[ObjectType]) -> ObjectType:
    """An object that is one of several: what one of them may have, it may have."""
    built = ObjectType(objects[0].name)
    for name in dict.fromkeys(name for each in objects for name in each.properties):
        built.properties[name] = Property(
            common([each.properties[name].type for each in objects if name in each.properties])
        )
    if any(each.other for each in objects):
        built.other = ANY
    return built


def merged(types: list[Type]) -> Type:
    """Type of the union of several objects."""
    objects = [each for each in types if isinstance(each, ObjectType)]
    if len(objects) < len(types):
        return ANY
    built = ObjectType("object")
    for each in objects:
        built.properties.update(each.properties)
        built.other = built.other or each.other
    return built
