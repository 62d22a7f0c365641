"""What a template would deploy, read from the compiler's snapshot."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCOPE: Final = re.compile(r"\[extensionResourceId\('(?P<scope>[^']+)'")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as it would be sent to Azure; what only Azure knows stands as an expression in brackets."""

    type: str
    version: str
    name: str
    """Its own, without its parents'."""
    id: str
    body: Mapping[str, Any]

    def get(self, dotted: str) -> Any:  # noqa: ANN401 - any JSON
        """The value at a path such as `properties.sku.name`; None where there is none."""
        value: Any = self.body
        for key in dotted.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        return value

    @property
    def scope(self) -> str:
        """ID of the resource that this one is about, if it is an extension of another."""
        match = _SCOPE.match(self.id)
        return match["scope"] if match else self.id.rpartition("/providers/")[0]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that a template deploys, modules included."""

    resources: list[Resource]
    outputs: dict[str, Any] = field(default_factory=dict)
    """Outputs of the main template."""

    def of_type(self, resource_type: str) -> list[Resource]:
        """The resources of that type."""
        return [each for each in self.resources if each.type.lower() == resource_type.lower()]


def read_snapshot(snapshot: Mapping[str, Any]) -> Plan:
    """Read what `bicep snapshot` writes."""
    resources = [
        Resource(
            type=each["type"],
            version=each["apiVersion"],
            name=each["name"] if each["name"].startswith("[") else each["name"].rpartition("/")[2],
            id=each["id"],
            body=each,
        )
        for each in snapshot["predictedResources"]
    ]
    return Plan(resources=resources, outputs=snapshot.get("outputs") or {})
