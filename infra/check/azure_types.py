"""Types of values, and Azure's resource types.

The data is derived from https://github.com/Azure/bicep-types-az; what it lacks is in supplement.json, written
from the REST reference in a short notation: `name!` is required, `name-` read-only, `*` any other name, a list
the values a string may have, `{"[]": T}` an array of T.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_REQUIRED, _READ_ONLY, _WRITE_ONLY = 1, 2, 4


@dataclass(frozen=True)
class AnyType:
    """Could be anything; nothing is checked."""

    def __str__(self) -> str:
        return "any"


@dataclass(frozen=True)
class Scalar:
    """`string`, `int`, `bool` or `null`; the limits are those of strings."""

    kind: str
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None

    def __str__(self) -> str:
        return self.kind


@dataclass(frozen=True)
class Choice:
    """A string that is one of `values`."""

    values: tuple[str, ...]

    def __str__(self) -> str:
        return "string"


@dataclass(eq=False)
class ArrayType:
    """An array."""

    item: Type

    def __str__(self) -> str:
        return "array"


@dataclass(frozen=True)
class Property:
    """A property of an object."""

    type: Type
    required: bool = False
    read_only: bool = False
    write_only: bool = False


@dataclass(eq=False)
class ObjectType:
    """An object; `other` is the type of properties that are not named, None where there are none."""

    name: str
    properties: dict[str, Property] = field(default_factory=dict)
    other: Type | None = None

    def __str__(self) -> str:
        return "object"


@dataclass(eq=False)
class Discriminated:
    """An object whose properties depend on the value of one of them."""

    name: str
    discriminator: str
    base: dict[str, Property]
    elements: dict[str, ObjectType]

    def __str__(self) -> str:
        return "object"


@dataclass(frozen=True)
class Deployed:
    """A resource or module in this file."""

    kind: str
    type: str
    body: Type
    conditional: bool = False

    def __str__(self) -> str:
        return self.kind


type Type = AnyType | Scalar | Choice | ArrayType | ObjectType | Discriminated | Deployed

ANY: Final = AnyType()
STRING: Final = Scalar("string")
INT: Final = Scalar("int")
BOOL: Final = Scalar("bool")
NULL: Final = Scalar("null")
BY_NAME: Final[Mapping[str, Type]] = {"string": STRING, "int": INT, "bool": BOOL, "any": ANY}


def named_type(text: str) -> Type:
    """Type of a `param` or `output` declaration."""
    text = text.strip()
    if text.endswith("[]"):
        return ArrayType(named_type(text[:-2]))
    if text == "array":
        return ArrayType(ANY)
    return ObjectType("object", other=ANY) if text == "object" else BY_NAME.get(text, ANY)


class ResourceTypes:
    """Azure's resource types, by `type@version`, in any case."""

    def __init__(self, data: Path, supplement: Path) -> None:
        document = json.loads(data.read_text())
        self._raw: list[dict[str, Any]] = document["types"]
        self._built: dict[int, Type] = {}
        self._index: dict[str, int] = {name.lower(): number for name, number in document["resources"].items()}
        self._own: dict[str, Type] = {
            name.lower(): _own_resource(name, body) for name, body in json.loads(supplement.read_text()).items()
        }

    def find(self, resource_type: str, version: str) -> Type | None:
        """Type of the resource's body; None when there is no such type in that version."""
        key = f"{resource_type}@{version}".lower()
        if key in self._own:
            return self._own[key]
        number = self._index.get(key)
        return None if number is None else self._type(self._raw[number]["body"]["$ref"])

    def versions(self, resource_type: str) -> list[str]:
        """Known versions of a resource type, oldest first."""
        names = (*self._index, *self._own)
        return sorted(name.partition("@")[2] for name in names if name.startswith(resource_type.lower() + "@"))

    def names(self) -> list[str]:
        """All known resource types, in lower case."""
        return sorted({name.partition("@")[0] for name in (*self._index, *self._own)})

    def _type(self, number: int) -> Type:
        if number not in self._built:
            self._build(number)
        return self._built[number]

    def _build(self, number: int) -> None:
        raw = self._raw[number]
        match raw["$type"]:
            case "StringType":
                self._built[number] = Scalar(
                    "string", raw.get("minLength"), raw.get("maxLength"), raw.get("pattern")
                )
            case "StringLiteralType":
                self._built[number] = Choice((raw["value"],))
            case "IntegerType":
                self._built[number] = INT
            case "BooleanType":
                self._built[number] = BOOL
            case "UnionType":
                self._built[number] = self._union(raw)
            case "ArrayType":
                array = self._built[number] = ArrayType(ANY)
                array.item = self._type(raw["itemType"]["$ref"])
            case "ObjectType":
                self._build_object(number, raw)
            case "DiscriminatedObjectType":
                self._build_discriminated(number, raw)
            case _:
                self._built[number] = ANY

    def _union(self, raw: dict[str, Any]) -> Type:
        """The known values. That Azure may know others too (`'A' | string`) is no licence to write them."""
        elements = [self._raw[element["$ref"]] for element in raw["elements"]]
        values = tuple(element["value"] for element in elements if element["$type"] == "StringLiteralType")
        return Choice(values) if values else ANY

    def _build_object(self, number: int, raw: dict[str, Any]) -> None:
        built = self._built[number] = ObjectType(raw["name"])
        # The data has lost every property of this name together with the descriptions.
        built.properties["description"] = Property(STRING)
        built.properties.update(self._properties(raw["properties"]))
        if "additionalProperties" in raw:
            other = raw["additionalProperties"]["$ref"]
            built.other = ANY if other == "any" else self._type(other)

    def _build_discriminated(self, number: int, raw: dict[str, Any]) -> None:
        built = self._built[number] = Discriminated(raw["name"], raw["discriminator"], {}, {})
        built.base.update(self._properties(raw["baseProperties"]))
        for value, element in raw["elements"].items():
            inner = self._type(element["$ref"])
            if isinstance(inner, ObjectType):
                built.elements[value] = inner

    def _properties(self, raw: dict[str, Any]) -> dict[str, Property]:
        return {
            name: Property(
                self._type(each["type"]["$ref"]) if each["type"]["$ref"] != "any" else ANY,
                required=bool(each["flags"] & _REQUIRED),
                # The data forgets to say of some that they are the service's own.
                read_only=bool(each["flags"] & _READ_ONLY) or name == "provisioningState",
                write_only=bool(each["flags"] & _WRITE_ONLY),
            )
            for name, each in raw.items()
        }


def _own_resource(name: str, body: dict[str, Any]) -> ObjectType:
    built = _own_object(name, body)
    built.properties["name"] = Property(STRING, required=True)
    for fixed in ("id", "type", "apiVersion"):
        built.properties[fixed] = Property(STRING, read_only=True)
    return built


def _own_object(name: str, body: dict[str, Any]) -> ObjectType:
    built = ObjectType(name)
    for key, value in body.items():
        if key == "*":
            built.other = _own_type(name, value)
        else:
            plain = key.rstrip("!-")
            built.properties[plain] = Property(
                _own_type(f"{name}.{plain}", value), required=key.endswith("!"), read_only=key.endswith("-")
            )
    return built


def _own_type(name: str, value: object) -> Type:
    match value:
        case str():
            return BY_NAME[value]
        case list():
            return Choice(tuple(value))
        case {"[]": item}:
            return ArrayType(_own_type(name, item))
        case dict():
            return _own_object(name, value)
        case _:
            raise TypeError(f"{name}: not a type: {value!r}")
