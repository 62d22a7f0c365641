"""What a template would deploy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

type Value = Any


class Stand(str):
    """Stands for a value that only Azure knows; a member of it is another."""

    __slots__ = ()

    def member(self, name: str) -> Stand:
        """The stand-in for one of its members."""
        return Stand(f"{self[:-1]}.{name}>")


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """Where something is deployed."""

    subscription: str = "00000000-0000-0000-0000-0000000000aa"
    group: str = "rg-exports"

    @property
    def id(self) -> str:
        """Resource ID of the group."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"


@dataclass(kw_only=True)
class Planned:
    """A resource as it would be sent to Azure."""

    type: str
    version: str
    name: str
    id: str
    body: dict[str, Value]
    existing: bool
    path: str
    """The file that declares it."""

    def get(self, dotted: str) -> Value:
        """The value at a path such as `properties.sku.name`; None where there is none."""
        value: Value = self.body
        for key in dotted.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def access(self, name: str) -> Value:
        """The value of `resource.name` in an expression."""
        match name:
            case "id" | "name" | "type":
                return getattr(self, name)
            case "apiVersion":
                return self.version
            case "properties":
                return Properties(self)
            case _:
                return self.body.get(name)


@dataclass(frozen=True)
class Properties:
    """Properties of a resource: what was given, and stand-ins for what Azure adds."""

    of: Planned

    def access(self, name: str) -> Value:
        """The value of `resource.properties.name`."""
        given = self.of.body.get("properties") or {}
        return given[name] if name in given else Stand(f"<{self.of.name}.properties.{name}>")


@dataclass(kw_only=True)
class Plan:
    """All that a template deploys, modules included."""

    resources: list[Planned] = field(default_factory=list)
    outputs: dict[str, Value] = field(default_factory=dict)
    """Outputs of the main template."""

    def of_type(self, resource_type: str) -> list[Planned]:
        """The resources of that type that would be created or changed."""
        return [
            each for each in self.resources if each.type.lower() == resource_type.lower() and not each.existing
        ]
