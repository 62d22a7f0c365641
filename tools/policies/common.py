"""What policies share."""

from __future__ import annotations

import re
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


def extracts_lie_in(plan: Plan) -> str:
    """ID of the account that the app reads extracts from; empty when no setting says so."""
    address = setting(plan, "ExtractStorage__blobServiceUri")
    named = re.fullmatch(
        r"\[reference\('([^']+/storageAccounts/\w+)', '[^']+'\)\.primaryEndpoints\.blob\]", address
    )
    return named[1] if named else ""


def extract_account(plan: Plan) -> Resource | None:
    """The account that is made for extracts; None when they lie in somebody else's."""
    wanted = extracts_lie_in(plan)
    accounts = plan.of_type("Microsoft.Storage/storageAccounts")
    return next((each for each in accounts if each.id == wanted), None)
