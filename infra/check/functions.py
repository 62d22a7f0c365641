"""Bicep's functions and decorators: what they take and what they give.

https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-functions
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from infra.check.azure_types import ANY, BOOL, INT, NULL, STRING, ArrayType, ObjectType, Property, Scalar, Type


@dataclass(frozen=True)
class Signature:
    """Types of the parameters; the last repeats when `variadic`, those after `required` may be left out."""

    parameters: tuple[Type, ...]
    required: int
    variadic: bool
    returns: Type


def _record(name: str, /, **properties: Type) -> ObjectType:
    return ObjectType(name, {key: Property(value) for key, value in properties.items()})


_TYPES: Final[dict[str, Type]] = {
    "any": ANY,
    "string": STRING,
    "int": INT,
    "bool": BOOL,
    "array": ArrayType(ANY),
    "strings": ArrayType(STRING),
    "object": ObjectType("object", other=ANY),
    "group": _record(
        "resourceGroup()",
        id=STRING,
        name=STRING,
        type=STRING,
        location=STRING,
        managedBy=STRING,
        tags=ObjectType("tags", other=STRING),
        properties=_record("resourceGroup().properties", provisioningState=STRING),
    ),
    "subscription": _record(
        "subscription()", id=STRING, subscriptionId=STRING, tenantId=STRING, displayName=STRING
    ),
    "tenant": _record("tenant()", tenantId=STRING, countryCode=STRING, displayName=STRING),
    "deployer": _record("deployer()", objectId=STRING, tenantId=STRING, userPrincipalName=STRING),
    "environment": _record(
        "environment()",
        name=STRING,
        resourceManager=STRING,
        portal=STRING,
        graph=STRING,
        authentication=_record(
            "environment().authentication",
            loginEndpoint=STRING,
            audiences=ArrayType(STRING),
            tenant=STRING,
            identityProvider=STRING,
        ),
        suffixes=_record(
            "environment().suffixes",
            storage=STRING,
            keyvaultDns=STRING,
            sqlServerHostname=STRING,
            acrLoginServer=STRING,
        ),
    ),
}

_SIGNATURES: Final = """
any(any) any
array(any) array
base64(string) string
base64ToString(string) string
bool(any) bool
cidrHost(string, int) string
cidrSubnet(string, int, int) string
concat(any...) any
contains(any, any) bool
dateTimeAdd(string, string, string?) string
deployer() deployer
deployment() any
empty(any) bool
endsWith(string, string) bool
environment() environment
fail(string) any
filter(array, any) array
first(any) any
flatten(array) array
format(string, any...) string
guid(string...) string
indexOf(any, any) int
int(any) int
intersection(any...) any
items(object) any
join(strings, string) string
json(string) any
last(any) any
length(any) int
loadJsonContent(string, string?, string?) any
loadTextContent(string, string?) string
map(array, any) array
max(any...) int
min(any...) int
newGuid() string
objectKeys(object) strings
padLeft(any, int, string?) string
range(int, int) array
reduce(array, any, any) any
reference(string, string?, string?) any
replace(string, string, string) string
resourceGroup(string?, string?) group
resourceId(string, string...) string
skip(any, int) any
sort(array, any) array
split(string, any) strings
startsWith(string, string) bool
string(any) string
subscription(string?) subscription
subscriptionResourceId(string, string...) string
substring(string, int, int?) string
take(any, int) any
tenant() tenant
tenantResourceId(string, string...) string
toLower(string) string
toObject(array, any, any?) object
toUpper(string) string
trim(string) string
union(any...) any
uniqueString(string...) string
uri(string, string) string
utcNow(string?) string
"""

DECORATORS: Final[dict[str, tuple[Type, ...]]] = {
    "allowed": (ArrayType(ANY),),
    "batchSize": (INT,),
    "description": (STRING,),
    "maxLength": (INT,),
    "maxValue": (INT,),
    "metadata": (ObjectType("metadata", other=ANY),),
    "minLength": (INT,),
    "minValue": (INT,),
    "secure": (),
}
"""Types of the decorators' arguments; none may be left out."""

DECORATES: Final[dict[str, frozenset[str]]] = {
    "maxLength": frozenset({"string", "array"}),
    "minLength": frozenset({"string", "array"}),
    "maxValue": frozenset({"int"}),
    "minValue": frozenset({"int"}),
    "secure": frozenset({"string", "object"}),
}
"""Types a decorator may stand above; the others stand above anything."""

PARAMETER_DEFAULT_ONLY: Final = frozenset({"newGuid", "utcNow"})
"""Functions that may stand in a parameter's default and nowhere else."""


def _signature(line: str) -> tuple[str, Signature]:
    match = re.fullmatch(r"(\w+)\((.*)\) (\w+)", line)
    if match is None:
        raise ValueError(f"not a signature: {line}")
    name, inside, returns = match.groups()
    words = [word.strip() for word in inside.split(",") if word.strip()]
    variadic = inside.endswith("...")
    signature = Signature(
        parameters=tuple(_TYPES[word.rstrip("?.")] for word in words),
        required=sum(not word.endswith("?") for word in words),
        variadic=variadic,
        returns=_TYPES[returns],
    )
    return name, signature


FUNCTIONS: Final = dict(_signature(line) for line in _SIGNATURES.strip().splitlines())
"""The functions this project may use; a new one is added here with its signature."""


def type_of_json(value: object, name: str = "json") -> Type:
    """Type of a value that is known."""
    match value:
        case None:
            return NULL
        case bool():
            return BOOL
        case int():
            return INT
        case str():
            return STRING
        case list():
            return ArrayType(type_of_json(value[0], name) if value else ANY)
        case dict():
            inner = {key: Property(type_of_json(each, f"{name}.{key}")) for key, each in value.items()}
            return ObjectType(name, inner)
        case _:
            return ANY


def is_string(kind: Type) -> bool:
    """Whether the type is `string`."""
    return isinstance(kind, Scalar) and kind.kind == "string"
