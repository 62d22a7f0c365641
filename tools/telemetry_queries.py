"""The queries of alerts and workbook, and what they ask of the lines that the app logs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tools.deployment import Plan


def alert_queries(plan: Plan) -> list[str]:
    """Queries of the alerts, as deployed."""
    rules = plan.of_type("Microsoft.Insights/scheduledQueryRules")
    return [criterion["query"] for rule in rules for criterion in rule.get("properties.criteria.allOf")]


def workbook_queries(infra: Path) -> list[str]:
    """Queries of the workbook."""
    items = json.loads((infra / "workbook.json").read_text())["items"]
    return [item["content"]["query"] for item in items if "query" in item["content"]]


def events_named(query: str) -> set[str]:
    """Events that a query compares with: `event == "x"`, `event in ("x", "y")`."""
    compared = re.findall(r'event == "(\w+)"|event in \(([^)]*)\)', query)
    return {name for one, several in compared for name in (one, *re.findall(r'"(\w+)"', several)) if name}


def facts_read(query: str) -> set[str]:
    """Facts that a query takes out of the lines and uses."""
    inside = re.search(r"parse-kv Message as \((.*?)\) with (.*)", query)
    if inside is None:
        return set()
    columns = {column.split(":")[0].strip() for column in inside.group(1).split(",")}
    return {name for name in columns if re.search(rf"\b{name}\b", inside.group(2))}
