"""What policies share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.deployment import Resource


def must(item: Resource, **wanted: Any) -> Iterator[str]:  # noqa: ANN401 - JSON values
    """Violations where `properties` of the resource are not as wanted; `__` separates levels."""
    for name, value in wanted.items():
        path = "properties." + name.replace("__", ".")
        found = item.get(path)
        if found != value:
            yield f"{item.type} {item.name}: {path} is {found!r}, must be {value!r}"
