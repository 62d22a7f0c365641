"""The queries of alerts and workbook are Kusto, by Microsoft's own parser (an npm package, run by Node)."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tools.telemetry_queries import alert_queries, workbook_queries

if TYPE_CHECKING:
    from pathlib import Path

    from tools.deployment import Plan

APP_TRACES = "(TimeGenerated: datetime, Message: string, SeverityLevel: int, OperationId: string)"
"""https://learn.microsoft.com/azure/azure-monitor/reference/tables/apptraces"""


MISTAKES = ("AppTraces | where Mesage == 'x'", "AppTraces | sumarize count()", "AppTrace")


@pytest.fixture(scope="session")
def workbook(root: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((root / "infra/workbook.json").read_text())
    return content


@pytest.fixture(scope="session")
def problems(root: Path, public: Plan) -> dict[str, list[str]]:
    """What the parser has against each query; one start of it for all, since it takes a second."""
    if not (root / "node_modules/@kusto/language-service-next").is_dir():
        pytest.skip("NO QUERY WAS CHECKED: @kusto/language-service-next is not in node_modules; run make install")
    node = shutil.which("node")
    assert node
    queries = [*alert_queries(public), *workbook_queries(root / "infra"), *MISTAKES]
    text = json.dumps({"tables": {"AppTraces": APP_TRACES}, "queries": queries})
    script = root / "tools/queries.cjs"
    done = subprocess.run([node, str(script)], input=text, capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    return dict(zip(queries, json.loads(done.stdout), strict=True))


def test_alert_queries_are_kusto(public: Plan, problems: dict[str, list[str]]) -> None:
    assert {query: problems[query] for query in alert_queries(public) if problems[query]} == {}


def test_workbook_queries_are_kusto(root: Path, problems: dict[str, list[str]]) -> None:
    assert {query: problems[query] for query in workbook_queries(root / "infra") if problems[query]} == {}


@pytest.mark.parametrize("query", MISTAKES)
def test_parser_sees_mistakes(query: str, problems: dict[str, list[str]]) -> None:
    assert problems[query] != []


def test_dimensions_are_columns_of_the_query(public: Plan) -> None:
    for rule in public.of_type("Microsoft.Insights/scheduledQueryRules"):
        criterion = rule.get("properties.criteria.allOf")[0]
        for dimension in criterion["dimensions"]:
            assert f" {dimension['name']}: string" in criterion["query"].replace("(", "( ")


def test_workbook_shows_what_was_asked_for(workbook: dict[str, Any]) -> None:
    names = {item["name"] for item in workbook["items"]}
    assert {"runs-over-time", "contacts-by-outcome", "duration-by-stage", "throttling"} <= names


def test_every_chart_follows_the_period(workbook: dict[str, Any]) -> None:
    charts = [item["content"] for item in workbook["items"] if item["type"] == 3]
    assert {chart["timeContextFromParameter"] for chart in charts} == {"Period"}


def test_workbook_is_deployed_with_the_workspace_filled_in(public: Plan) -> None:
    deployed = public.of_type("Microsoft.Insights/workbooks")[0]
    content = json.loads(deployed.get("properties.serializedData"))
    assert content["fallbackResourceIds"] == [deployed.get("properties.sourceId")]
    assert "{workspaceId}" not in deployed.get("properties.serializedData")


ABSENCES = {"no-refresh", "timer-silent"}


def test_silence_is_a_row_to_be_counted_and_everything_else_is_counted_by_rows(public: Plan) -> None:
    """An alert on absence must fire also where the app, or all that it logs, is silent: on no rows at all."""
    for rule in public.of_type("Microsoft.Insights/scheduledQueryRules"):
        criterion = rule.get("properties.criteria.allOf")[0]
        query, ends = criterion["query"], "| summarize found = countif(true) | where found == 0"
        is_absence = any(rule.name.endswith(f"-{name}") for name in ABSENCES)
        assert query.endswith(ends) == is_absence
        assert (criterion["operator"], criterion["timeAggregation"]) == ("GreaterThan", "Count")
        if is_absence:
            assert (criterion["threshold"], criterion["dimensions"]) == (0, [])


def test_an_absence_does_not_depend_on_what_the_app_finds_out_of_itself(public: Plan) -> None:
    (silent,) = (
        rule
        for rule in public.of_type("Microsoft.Insights/scheduledQueryRules")
        if rule.name.endswith("-timer-silent")
    )
    assert silent.get("properties.enabled") is True
    assert 'event == "refresh_tick"' in silent.get("properties.criteria.allOf")[0]["query"]
