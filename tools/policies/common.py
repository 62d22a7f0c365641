"""What policies share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.deployment import Plan, Resource


def must(item: Resource, **wanted: Any) -> Iterator[str]:  # noqa: ANN401 - JSON values
    """Violations where `properties` of the resource are not as wanted; `__` separates levels."""
    for name, value in wanted.items():
        path = "properties." + name.replace("__", ".")
        found = item.get(path)
        if found != value:
            yield f"{item.type} {item.name}: {path} is {found!r}, must be {value!r}"


def setting(plan: Plan, name: str) -> str:
    """An app setting; empty when it is not set."""
    configs = [each for each in plan.of_type("Microsoft.Web/sites/config") if each.name == "appsettings"]
    return str(configs[0].body["properties"].get(name, "")) if configs else ""
